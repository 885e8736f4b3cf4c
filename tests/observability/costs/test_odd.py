"""Days that stood out, and whom they are put down to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from observability.costs.bill import Bill
from observability.costs.history import Function
from observability.costs.ledger import ledger, month_of
from observability.costs.odd import odd_days
from observability.costs.statement import Statement, spent
from observability.telemetry.daily import DAILY, number
from observability.telemetry.records import Window

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
MONTH = month_of(NOW)


def told(*, ran: Sequence[float], asked: Sequence[float]) -> Statement:
    """USD of every day since the month began: of one function where it ran at all, and of metrics asked for."""
    names = [Function(1, "f", "us-east-1", "1" * 12, {}, MONTH.start)] if any(ran) else []
    rows = [(1, number(MONTH.start) + n, 1, 0, 1_000, usd, 1_000, 0, 1024) for n, usd in enumerate(ran) if usd]
    window = Window(MONTH.start, NOW)
    found = ledger(names, np.array(rows, DAILY), window)
    days = [
        (day, bill + Bill(monitoring=usd))
        for (day, bill), usd in zip(found.days(found.within(window)), asked, strict=True)
    ]
    week = spent(found, Window(NOW - 7 * DAY, NOW))
    return Statement(MONTH, NOW, found, days, {}, found.within(MONTH), week, week)


def test_a_day_of_a_function_is_put_down_to_it() -> None:
    (odd,) = odd_days(told(ran=[1.0] * 15 + [9.0] + [1.0] * 3, asked=[0.1] * 19))
    assert (odd.start.day, odd.function.name, round(odd.usd, 6)) == (16, "f", 9.0)


def test_what_we_ask_for_ourselves_is_put_down_to_no_function() -> None:
    assert odd_days(told(ran=[1.0] * 19, asked=[0.1] * 15 + [9.0] + [0.1] * 3)) == []
    assert odd_days(told(ran=[0.0] * 19, asked=[0.1] * 15 + [9.0] + [0.1] * 3)) == []
