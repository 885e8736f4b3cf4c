"""All that a page says of the cost of an organization, or of some of its functions, in one month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.db.models import QuerySet

from observability.costs import monitoring, reading
from observability.costs.bill import Bill
from observability.costs.drivers import Driver, Spent, drivers
from observability.costs.forecast import Forecast, forecast
from observability.costs.history import Function
from observability.costs.ledger import Ledger, Mask
from observability.inventory.models import Resource
from observability.telemetry.daily import DAY
from observability.telemetry.grains import floor
from observability.telemetry.records import Window
from observability.tenants.models import Organization

LOOK_BACK = 35 * DAY
"""So far back a forecast looks: five weeks."""

WEEK = 7 * DAY
WORTH = 0.01
"""A change of less than this is not worth a word, in USD."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a function cost in the last seven whole days, and in the seven before."""

    function: Function
    before: Spent
    after: Spent
    reasons: Sequence[Driver]

    @property
    def change(self) -> float:
        return self.after.total - self.before.total


@dataclass(frozen=True, slots=True)
class Statement:
    """``days`` are the bills of all days that were read, those before the month too; ``asked`` is our own part.

    ``chosen`` are the ledger's entries of the month; ``before`` and ``after`` what each function cost in the last seven
    whole days but seven, and in the last seven.
    """

    month: Window
    now: datetime
    ledger: Ledger
    days: Sequence[tuple[date, Bill]]
    asked: monitoring.Asked
    chosen: Mask
    before: Sequence[Spent]
    after: Sequence[Spent]

    @property
    def current(self) -> bool:
        return self.month.start <= self.now < self.month.end

    @property
    def today(self) -> date:
        return self.now.astimezone(UTC).date()

    @property
    def month_days(self) -> list[tuple[date, Bill]]:
        first, last = self.month.start.date(), self.month.end.date()
        return [(day, bill) for day, bill in self.days if first <= day < last]

    @property
    def bill(self) -> Bill:
        return sum((bill for _, bill in self.month_days), Bill())


def statement(
    organization: Organization, month: Window, *, now: datetime, resources: QuerySet[Resource] | None = None
) -> Statement:
    """The statement of a month up to now, of everything or of these resources."""
    start = min(month.start, floor(min(now, month.end), DAY) - LOOK_BACK)
    window = Window(start, min(month.end, now))
    found = reading.read(organization, window, resources)
    asked = monitoring.asked(organization, window, now=now) if resources is None else {}
    days = [(day, replace(bill, monitoring=_asked(asked, day))) for day, bill in found.days(found.within(window))]
    end = floor(min(now, month.end), DAY)
    before, after = (spent(found, Window(end - n * WEEK, end - n * WEEK + WEEK)) for n in (2, 1))
    return Statement(month, now, found, days, asked, found.within(month), before, after)


def _asked(asked: monitoring.Asked, day: date) -> float:
    return sum(by_day.get(day, 0.0) for by_day in asked.values())


def standing_within(ledger: Ledger, window: Window) -> float:
    """What stood in a window whether anything ran or not, in USD."""
    return float(ledger.stood(window).sum())


def running_days(told: Statement) -> Mapping[date, float]:
    """What ran on each whole day, by USD, from the first whole day on that anything did."""
    running = {}
    for day, bill in told.days:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        running[day] = max(0.0, bill.total - standing_within(told.ledger, Window(start, min(start + DAY, told.now))))
    began = min((day for day, usd in running.items() if usd > 0), default=None)
    return {day: usd for day, usd in running.items() if began and began < day < told.today}


def foretold(told: Statement) -> Forecast:
    """How the month will end."""
    today = dict(told.days).get(told.today, Bill())
    midnight = floor(told.now, DAY)
    stood = standing_within(told.ledger, Window(midnight, told.now))
    return forecast(
        month=told.month, now=told.now, to_date=told.bill.total, today=max(0.0, today.total - stood),
        days=running_days(told), standing_per_day=standing_per_second(told) * 86_400,
    )  # fmt: skip


def standing_per_second(told: Statement) -> float:
    """What stands at the end of what is known, in USD a second."""
    end = told.ledger.window.end
    return standing_within(told.ledger, Window(end - timedelta(seconds=1), end))


def spent(ledger: Ledger, window: Window) -> list[Spent]:
    """What each function did and cost in whole days."""
    chosen = ledger.within(window)
    invocations, billed_ms = (ledger.by_function(name, chosen) for name in ("invocations", "billed_ms"))
    total, stood = ledger.totals(chosen), ledger.stood(window)
    rows = zip(invocations, billed_ms, np.maximum(total - stood, 0), stood, strict=True)
    return [Spent(*map(float, row)) for row in rows]


def together(each: Sequence[Spent]) -> Spent:
    return Spent(
        sum(s.invocations for s in each), sum(s.billed_ms for s in each),
        sum(s.running for s in each), sum(s.standing for s in each),
    )  # fmt: skip


def movers(told: Statement, *, most: int = 8, worth: float = WORTH) -> list[Moved]:
    """The functions whose cost changed most from one week to the next, each with its reasons."""
    before, after = told.before, told.after
    order = sorted(range(len(before)), key=lambda i: -abs(after[i].total - before[i].total))
    return [
        Moved(told.ledger.functions[i], before[i], after[i], drivers(before[i], after[i]))
        for i in order[:most]
        if abs(after[i].total - before[i].total) >= worth
    ]
