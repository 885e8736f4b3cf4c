"""What a month will have cost, from the days before: robust against single odd days, aware of the days of the week,
and silent while there is too little to go by.

The level is the median of the last days, each divided by what is usual for its day of the week; so a changed level is
believed after four days, and one bad day is not. What costs the same every second is not guessed but carried on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import sqrt
from statistics import median

from observability.telemetry.records import Window

DAY = timedelta(days=1)
LEVEL_DAYS = 7
FEWEST_DAYS = 3
"""Fewer whole days than this tell nothing about a month."""

WEEKS = 2
"""Only from so many weeks on is there a usual Sunday."""

OF_EIGHTY = 1.2816
"""So many standard deviations hold eight of ten."""

NORMAL = 1.4826
"""The median of absolute deviations, times this, is the standard deviation of what is normally distributed."""

LEAST_SPREAD, FIRST_SPREAD = 0.02, 0.25
"""No series is calmer than this share of its level for sure; with few days nobody knows, and this is taken."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual cost of a day: ``level`` times the factor of its weekday (0 is Monday), give or take ``spread``."""

    level: float
    factors: Sequence[float]
    spread: float
    days: int

    def on(self, day: date) -> float:
        return self.level * self.factors[day.weekday()]


@dataclass(frozen=True, slots=True)
class Forecast:
    """USD by the end of the month; eight times of ten it ends up between ``low`` and ``high``.

    ``path`` is the sum expected at the end of each day that is not over, with its band. None of it where ``lacking``
    says why not.
    """

    to_date: float
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    path: Sequence[tuple[date, float, float, float]] = ()
    lacking: str = ""


def usual(days: Mapping[date, float]) -> Usual | None:
    """What a day usually costs, from whole days; None where they are too few."""
    order = sorted(days)
    if len(order) < FEWEST_DAYS:
        return None
    factors = _factors(days)
    recent = [days[day] / factors[day.weekday()] for day in order[-LEVEL_DAYS:]]
    level = median(recent)
    return Usual(level, factors, _spread(days, factors, level), len(order))


def _factors(days: Mapping[date, float]) -> list[float]:
    """How each weekday compares with its own week: the median of its shares, 1 while there are too few weeks."""
    if len(days) < 7 * WEEKS:
        return [1.0] * 7
    shares: list[list[float]] = [[] for _ in range(7)]
    for day, usd in days.items():
        around = [days[other] for n in range(-3, 4) if (other := day + n * DAY) in days]
        total = sum(around)
        if len(around) == 7 and total > 0:
            shares[day.weekday()].append(7 * usd / total)
    found = [median(each) if each else 1.0 for each in shares]
    mean = sum(found) / 7
    return [max(each / mean, 0.01) if mean else 1.0 for each in found]


def _spread(days: Mapping[date, float], factors: Sequence[float], level: float) -> float:
    """The standard deviation of a day, without its weekday and without a slow drift: from one day to the next."""
    order = sorted(days)
    plain = [days[day] / factors[day.weekday()] for day in order]
    steps = [abs(after - before) for before, after in pairwise(plain)]
    found = NORMAL * median(steps) / sqrt(2)
    least = LEAST_SPREAD if len(days) >= 7 * WEEKS else LEAST_SPREAD + FIRST_SPREAD * (1 - len(days) / (7 * WEEKS))
    return max(found, least * abs(level))


def forecast(
    *, month: Window, now: datetime, to_date: float, today: float, days: Mapping[date, float], standing_per_day: float
) -> Forecast:
    """``days`` are whole days before today, without what stands; ``today`` is what today cost so far, likewise.

    ``to_date`` is everything since the month began, ``standing_per_day`` what stands now.
    """
    known = usual(days)
    if known is None:
        return Forecast(to_date, lacking=_lacking(len(days)))
    last = (month.end - DAY).date()
    gone = (now - datetime(now.year, now.month, now.day, tzinfo=now.tzinfo)) / DAY
    expected = to_date - today
    remaining = [now.date() + n * DAY for n in range((last - now.date()).days + 1)]
    path = []
    for number, day in enumerate(remaining):
        rest = max(known.on(day), today) if number == 0 else known.on(day)
        expected += rest + standing_per_day * (1 - gone if number == 0 else 1)
        band = OF_EIGHTY * known.spread * sqrt(_variance(number, gone, known))
        path.append((day, expected, max(to_date, expected - band), expected + band))
    _, end, low, high = path[-1]
    return Forecast(to_date, end, low, high, path)


def _variance(number: int, gone: float, known: Usual) -> float:
    """Of so many days to come, in squares of a day's own: each by itself, and the level that all of them share.

    A median of n is off by 1.25 times what a mean is.
    """
    ahead = number + 1 - gone
    return ahead + ahead**2 * 1.57 / min(known.days, LEVEL_DAYS)


def _lacking(days: int) -> str:
    need = FEWEST_DAYS - days
    return f"There is too little to go by: a forecast needs {need} more whole day{'s' if need > 1 else ''}."
