"""Two charts of a month: what each day cost, by line, and where the month is going."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from observability.costs.bill import TITLES, Bill
from observability.costs.forecast import Forecast
from observability.costs.statement import Statement
from observability.dashboards.charts import Panel

DAY_S = 86_400
COLOURS = {
    "compute": "c1", "init": "c2", "requests": "c5", "storage": "c6", "provisioned": "c4", "snapstart": "c3",
    "logs": "warn", "monitoring": "ok",
}  # fmt: skip
"""The colour of each line, on charts and in tables alike."""


def by_day(told: Statement, marked: Sequence[dict[str, Any]] = ()) -> Panel:
    """Every day of the month so far, its lines on top of each other, those that cost anything."""
    days = told.month_days
    series: list[dict[str, Any]] = []
    total = [0.0] * len(days)
    for line, title in TITLES.items():
        own = [float(getattr(bill, line)) for _, bill in days]
        if any(own):
            total = [before + usd for before, usd in zip(total, own, strict=True)]
            series.append({"l": title, "c": COLOURS[line], "k": "bar", "y": _rounded(total), "own": _rounded(own)})
    return Panel("Cost by day", _spec(days, series[::-1]) | {"partial": told.current, "marks": list(marked)})


def ahead(told: Statement, foretold: Forecast) -> Panel:
    """The sum since the month began, and where it is going with the band that holds eight of ten endings."""
    days = _days(told)
    known, total = [], 0.0
    for _, bill in told.month_days:
        total += bill.total
        known.append(total)
    so_far: list[float | None] = [*known, *[None] * (len(days) - len(known))]
    path = {day: amounts for day, *amounts in foretold.path}
    expected, low, high = ([path[day][place] if day in path else None for day in days] for place in range(3))
    series = [{"l": "So far", "c": "c1", "k": "area", "y": _rounded(so_far)}]
    if path:
        series.append({"l": "Expected", "c": "c2", "k": "line", "y": _rounded(expected)})
    spec = _spec([(day, Bill()) for day in days], series)
    likely = {"l": "Likely", "low": _rounded(low), "high": _rounded(high)}
    return Panel("Month to date and forecast", spec | {"expected": likely})


def _days(told: Statement) -> list[date]:
    first = told.month.start.date()
    return [first + timedelta(days=n) for n in range((told.month.end - told.month.start).days)]


def _spec(days: Sequence[tuple[date, Bill]], series: list[dict[str, Any]]) -> dict[str, Any]:
    return {"t0": _epoch(days[0][0]) if days else 0, "dt": DAY_S, "fmt": "usd", "series": series}


def _epoch(day: date) -> int:
    return (datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)) // timedelta(seconds=1)  # noqa: DTZ001


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 6) for value in values]
