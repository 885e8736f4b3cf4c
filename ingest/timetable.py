"""Schedule expressions of EventBridge, and the moments that they stand for. Pure.

Six fields: minutes, hours, day of the month, month, day of the week (1 is Sunday) and year.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": DAY}
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MONTHS = {name: number for number, name in enumerate(MONTH_NAMES, start=1)}
WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}

OnDay = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Rate:
    """Again and again after some time; counted from a moment that AWS does not tell."""

    every: timedelta


@dataclass(frozen=True, slots=True)
class Once:
    """A single moment, of a one-time schedule."""

    at: datetime

    def occurrences(self, start: datetime, end: datetime) -> list[datetime]:
        return [self.at] if start <= self.at < end else []


@dataclass(frozen=True, slots=True)
class Cron:
    """At these minutes of these hours of the days that fit, by the clock of a time zone."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    fits: OnDay
    zone: ZoneInfo

    def occurrences(self, start: datetime, end: datetime) -> list[datetime]:
        """The moments in ``[start, end)``, in UTC and in order.

        One that the clock leaps over in spring is skipped, and one that it shows twice in autumn comes once.
        """
        first, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        days = (first + DAY * number for number in range((last - first).days + 1))
        moments = {moment for day in days if self.fits(day) for moment in self._moments(day) if start <= moment < end}
        return sorted(moments)

    def _moments(self, day: date) -> Iterator[datetime]:
        for hour in self.hours:
            for minute in self.minutes:
                shown = datetime.combine(day, time(hour, minute), tzinfo=self.zone)
                moment = shown.astimezone(UTC)
                if moment.astimezone(self.zone).replace(tzinfo=None) == shown.replace(tzinfo=None):
                    yield moment


Timetable = Cron | Rate | Once


def read(expression: str, timezone: str = "") -> Timetable:
    """``cron(0 3 * * ? *)``, ``rate(5 minutes)`` or ``at(2026-11-25T03:00:00)``. Raises ``ValueError`` for all else."""
    kind, _, rest = expression.strip().partition("(")
    inside = rest.removesuffix(")").strip()
    try:
        zone = ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone: {timezone}") from error
    match kind:
        case "rate":
            return _rate(inside)
        case "at":
            return Once(datetime.fromisoformat(inside).replace(tzinfo=zone).astimezone(UTC))
        case "cron":
            return _cron(inside, zone)
        case _:
            raise ValueError(f"no schedule: {expression}")


def _rate(text: str) -> Rate:
    match = re.fullmatch(r"(\d{1,5})\s+(minute|hour|day)s?", text)
    if not match or int(match[1]) == 0:
        raise ValueError(f"no rate: {text}")
    return Rate(int(match[1]) * UNITS[match[2]])


def _cron(text: str, zone: ZoneInfo) -> Cron:
    fields = text.upper().split()
    if len(fields) != 6:
        raise ValueError(f"six fields make a cron expression: {text}")
    minutes, hours, day, month, weekday, year = fields
    months, years = set(_numbers(month, 1, 12, MONTHS)), set(_numbers(year, 1970, 2199))
    in_month, in_week = _day_of_month(day), _day_of_week(weekday)

    def fits(day: date) -> bool:
        return day.year in years and day.month in months and in_month(day) and in_week(day)

    return Cron(tuple(_numbers(minutes, 0, 59)), tuple(_numbers(hours, 0, 23)), fits, zone)


def _numbers(field: str, low: int, high: int, names: Mapping[str, int] | None = None) -> list[int]:
    """Every value that a list of ``*``, ``3``, ``3-5``, ``*/15`` and ``5/10`` stands for. Ranges may wrap around."""
    values: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        start = low if first in ("*", "?") else _number(first, low, high, names or {})
        open_ended = first in ("*", "?") or slash
        stop = _number(last, low, high, names or {}) if dash else high if open_ended else start
        width = high - low + 1
        reach = range((stop - start) % width + 1)[:: _number(step, 1, width, {}) if slash else 1]
        values |= {low + (start - low + each) % width for each in reach}
    return sorted(values)


def _number(text: str, low: int, high: int, names: Mapping[str, int]) -> int:
    value = names[text] if text in names else int(text) if text.isascii() and text.isdecimal() else None
    if value is None or not low <= value <= high:
        raise ValueError(f"{text} is not from {low} to {high}")
    return value


def _day_of_month(field: str) -> OnDay:
    if field in ("*", "?"):
        return lambda day: True
    choices = [_one_day(part) for part in field.split(",")]
    return lambda day: any(fits(day) for fits in choices)


def _one_day(part: str) -> OnDay:
    """``L`` is the last day, ``L-2`` two before it, ``LW`` the last weekday, ``15W`` the weekday nearest the 15th."""
    if part == "LW":
        return lambda day: day == _nearest_weekday(day, _last(day))
    if part.startswith("L"):
        before = _number(part.removeprefix("L-"), 1, 30, {}) if part != "L" else 0
        return lambda day: day.day == _last(day) - before
    if part.endswith("W"):
        target = _number(part.removesuffix("W"), 1, 31, {})
        return lambda day: target <= _last(day) and day == _nearest_weekday(day, target)
    numbers = set(_numbers(part, 1, 31))
    return lambda day: day.day in numbers


def _last(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, target: int) -> date:
    """Monday to Friday, without leaving the month."""
    wanted = day.replace(day=target)
    if wanted.isoweekday() == 6:
        return wanted - DAY if target > 1 else wanted + 2 * DAY
    if wanted.isoweekday() == 7:
        return wanted + DAY if target < _last(day) else wanted - 2 * DAY
    return wanted


def _day_of_week(field: str) -> OnDay:
    if field in ("*", "?"):
        return lambda day: True
    choices = [_one_weekday(part) for part in field.split(",")]
    return lambda day: any(fits(day) for fits in choices)


def _one_weekday(part: str) -> OnDay:
    """``L`` is Saturday, ``6L`` the last Friday of the month, ``3#2`` its second Tuesday."""
    if part == "L":
        return lambda day: _weekday(day) == 7
    if part.endswith("L"):
        last = _number(part.removesuffix("L"), 1, 7, WEEKDAYS)
        return lambda day: _weekday(day) == last and day.day > _last(day) - 7
    if "#" in part:
        name, _, place = part.partition("#")
        wanted, which = _number(name, 1, 7, WEEKDAYS), _number(place, 1, 5, {})
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == which
    numbers = set(_numbers(part, 1, 7, WEEKDAYS))
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1
