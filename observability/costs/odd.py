"""Days that cost far more than usual: for a page. Nobody is woken by these, that is for the watch over series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from observability.costs.drivers import Driver, drivers
from observability.costs.forecast import Usual, usual
from observability.costs.history import Function
from observability.costs.statement import WEEK, WORTH, Statement, running_days, spent
from observability.telemetry.daily import DAY
from observability.telemetry.records import Window

ODD = 4.0
"""A day stands out that is so many spreads above what is usual for its day of the week."""


@dataclass(frozen=True, slots=True)
class Odd:
    """Neighbouring days that cost far more than usual, as one; and the function that most of it comes from."""

    start: date
    end: date
    usd: float
    usual: float
    function: Function
    reasons: Sequence[Driver]


def odd_days(told: Statement) -> list[Odd]:
    """Days of the month that stood out from what was usual, the newest first; neighbours are one.

    Without what we ask for ourselves, which no function causes.
    """
    running = running_days(replace(told, days=[(day, replace(bill, monitoring=0.0)) for day, bill in told.days]))
    known = usual(running)
    if known is None:
        return []
    first = told.month.start.date()
    high = [day for day in sorted(running) if day >= first and _is_odd(known, day, running[day])]
    runs: list[list[date]] = []
    for day in high:
        if runs and runs[-1][-1] == day - DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [_odd(told, known, run, running) for run in reversed(runs)]


def _is_odd(known: Usual, day: date, usd: float) -> bool:
    above = usd - known.on(day)
    return above > max(ODD * known.spread * known.factors[day.weekday()], WORTH)


def _odd(told: Statement, known: Usual, run: Sequence[date], running: Mapping[date, float]) -> Odd:
    """Compared with the same days of the week before, function by function, to tell which of them it was."""
    start = datetime(run[0].year, run[0].month, run[0].day, tzinfo=UTC)
    length = len(run) * DAY
    before, after = (
        spent(told.ledger, window)
        for window in (Window(start - WEEK, start - WEEK + length), Window(start, start + length))
    )
    most = max(range(len(before)), key=lambda i: after[i].running - before[i].running)
    reasons = drivers(replace(before[most], standing=0.0), replace(after[most], standing=0.0))
    return Odd(
        run[0], run[-1], sum(running[day] for day in run), sum(known.on(day) for day in run),
        told.ledger.functions[most], reasons,
    )  # fmt: skip
