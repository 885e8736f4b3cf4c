"""What every function cost on every day, line by line: one table that all figures of a page are sums of.

What ran is known to the cent: it was priced as it came in, and is only divided here into its lines. What stands,
provisioned concurrency and snapshots, is reckoned from how functions were configured when.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from observability.costs.bill import MB_MS, TITLES, Bill, Charge
from observability.costs.history import KEYS, Function, charges, configuration, costs_anyway, restores
from observability.telemetry.daily import DAY, Daily, number, whole
from observability.telemetry.grains import EPOCH
from observability.telemetry.pricing import FREE_STORAGE_MB
from observability.telemetry.records import Window

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
LINES = tuple(TITLES)
COUNTS = ("invocations", "billed_ms", "init_ms", "cold_starts")
ENTRY = np.dtype([("function", "i8"), ("day", "i8"), *((name, "f8") for name in (*COUNTS, *LINES))])
"""One function (its place in ``Ledger.functions``) on one day (since the epoch, UTC): what it did, and USD by line."""

CHARGE = np.dtype([("function", "i8"), ("line", "i8"), ("rate", "f8"), ("start", "f8"), ("end", "f8")])
"""A charge that stands: USD a second, from and to seconds since the epoch; ``line`` is its place in ``LINES``."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """``charges`` are those that stood in the window."""

    window: Window
    functions: Sequence[Function]
    entries: NDArray[np.void]
    charges: NDArray[np.void]

    def within(self, window: Window) -> Mask:
        """The entries of the whole days of a window."""
        day = self.entries["day"]
        days = whole(window)
        return np.asarray((day >= number(days.start)) & (day < number(days.end)))

    def of(self, indexes: Iterable[int]) -> Mask:
        return np.isin(self.entries["function"], list(indexes))

    def bill(self, chosen: Mask) -> Bill:
        return _bill(self.entries[chosen])

    def count(self, name: str, chosen: Mask) -> float:
        return float(self.entries[name][chosen].sum())

    def by_function(self, name: str, chosen: Mask) -> Floats:
        """The sums of a column, one for every function."""
        found = self.entries[chosen]
        return _sums(found["function"], found[name], len(self.functions))

    def totals(self, chosen: Mask) -> Floats:
        """USD of every function, all lines together."""
        found = self.entries[chosen]
        return _sums(found["function"], np.sum([found[line] for line in LINES], axis=0), len(self.functions))

    def stood(self, window: Window, *, without: Sequence[str] = ()) -> Floats:
        """USD of every function for what stood in a window whether anything ran or not, but for some lines."""
        chosen = self.charges[~np.isin(self.charges["line"], [LINES.index(line) for line in without])]
        return _sums(chosen["function"], _within(chosen, window), len(self.functions))

    def days(self, chosen: Mask) -> list[tuple[date, Bill]]:
        """A bill for every day of the ledger's window, those without any cost too."""
        first, last = number(whole(self.window).start), number(whole(self.window).end)
        found = self.entries[chosen]
        sums = {line: _sums(found["day"] - first, found[line], last - first) for line in LINES}
        return [
            ((EPOCH + DAY * (first + index)).date(), Bill(**{line: float(sums[line][index]) for line in LINES}))
            for index in range(last - first)
        ]

    def grouped(self, key: Callable[[Function], str], chosen: Mask) -> dict[str, Bill]:
        """A bill for each value of the key, the dearest first."""
        names = [key(function) for function in self.functions]
        order = sorted(set(names))
        place = {name: index for index, name in enumerate(order)}
        of_function = np.array([place[name] for name in names], np.int64)
        found = self.entries[chosen]
        group = of_function[found["function"]] if len(found) else np.zeros(0, np.int64)
        sums = {line: _sums(group, found[line], len(order)) for line in LINES}
        bills = {name: Bill(**{line: float(sums[line][i]) for line in LINES}) for i, name in enumerate(order)}
        return dict(sorted(bills.items(), key=lambda pair: -pair[1].total))


def _sums(place: NDArray[np.int64], values: Floats, size: int) -> Floats:
    return np.bincount(place, values, size).astype(np.float64)


def _bill(entries: NDArray[np.void]) -> Bill:
    return Bill(**{line: float(entries[line].sum()) for line in LINES})


def ledger(
    functions: Sequence[Function], daily: Daily, window: Window, *, logs: Mapping[int, Charge] | None = None
) -> Ledger:
    """``functions`` are in order of their ids; ``logs`` is what those of each cost while they came in. Pure."""
    ids = np.array([function.id for function in functions], np.int64)
    known = daily[np.isin(daily["resource_id"], ids)]
    entries = _ran(functions, np.searchsorted(ids, known["resource_id"]), known)
    standing = [
        (index, LINES.index(each.line), each.usd_per_second, each.start.timestamp(), each.end.timestamp())
        for index, function in enumerate(functions)
        for each in _charged(function, window, logs or {})
    ]
    stood = np.array(standing, CHARGE)
    return Ledger(window, functions, np.concatenate([entries, *_standing(stood, window)]), stood)


def _charged(function: Function, window: Window, logs: Mapping[int, Charge]) -> list[Charge]:
    found = charges(function, window) if costs_anyway(function) else []
    return [*found, logs[function.id]] if function.id in logs else found


def _ran(functions: Sequence[Function], index: NDArray[np.int64], daily: Daily) -> NDArray[np.void]:
    """The lines of what was stored with each invocation. They add up to that, whatever is not known of the function."""
    entries = np.zeros(len(daily), ENTRY)
    entries["function"], entries["day"] = index, daily["day"]
    for name in COUNTS:
        entries[name] = daily[name]
    rates = _rates(functions, index, daily["day"])
    left = daily["cost_usd"].copy()
    parts = {
        "requests": daily["invocations"] * rates["request"],
        "snapstart": daily["cold_starts"] * daily["memory_mb"] * rates["restore"],
        "storage": daily["billed_ms"] * rates["storage"],
    }
    for line, usd in parts.items():
        entries[line] = np.minimum(usd, left)
        left -= entries[line]
    began = np.minimum(daily["init_ms"], np.maximum(daily["billed_ms"] - daily["duration_ms"], 0))
    entries["init"] = left * began / np.maximum(daily["billed_ms"], 1)
    entries["compute"] = left - entries["init"]
    return entries


RATE = np.dtype([("request", "f8"), ("restore", "f8"), ("storage", "f8")])
Rate = tuple[float, float, float]
"""USD for a request, for a restore by MB of memory, and for a billed millisecond of ephemeral storage."""


def _rates(functions: Sequence[Function], index: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.void]:
    """The rates of each entry: those of now, or of then where a deployment changed them."""
    now = np.array([_rate(function.region, function.config) for function in functions], RATE)
    found = now[index]
    order = np.argsort(index, kind="stable")
    borders = np.searchsorted(index, np.arange(len(functions) + 1), sorter=order)
    for function, start, end in zip(functions, borders, borders[1:], strict=False):
        mine = order[start:end]
        for begins, rate in _earlier(function):
            found[mine[day[mine] < begins]] = rate
    return found


def _earlier(function: Function) -> Iterable[tuple[int, Rate]]:
    """The rates before each change, the newest first, with the day of the change: that counts as after it."""
    config = dict(function.config)
    for change in sorted(function.changes, key=lambda change: change.at, reverse=True):
        config |= {key: change.changes[key][0] for key in KEYS if key in change.changes}
        yield number(change.at), _rate(function.region, config)


def _rate(region: str, config: Mapping[str, object]) -> Rate:
    told = configuration(region, config)
    rate = told.price()
    beyond = max(0, told.ephemeral_mb - FREE_STORAGE_MB)
    restore = rate.restore_gb / 1024 if restores(config) else 0.0
    return rate.request, restore, beyond / MB_MS * rate.storage_gb_second


def _standing(charges: NDArray[np.void], window: Window) -> Iterable[NDArray[np.void]]:
    """The entries of what stood, by line and day."""
    days = whole(window)
    for line in np.unique(charges["line"]):
        mine = charges[charges["line"] == line]
        for day in range(number(days.start), number(days.end)):
            start = EPOCH + DAY * day
            usd = _within(mine, Window(start, min(start + DAY, window.end)))
            entries = np.zeros(len(mine), ENTRY)
            entries["function"], entries["day"], entries[LINES[line]] = mine["function"], day, usd
            yield entries[usd > 0]


def _within(charges: NDArray[np.void], window: Window) -> Floats:
    """What of each charge falls into the window, in USD."""
    end = np.minimum(charges["end"], window.end.timestamp())
    seconds = end - np.maximum(charges["start"], window.start.timestamp())
    return np.asarray(np.maximum(seconds, 0) * charges["rate"])


def month_of(moment: datetime) -> Window:
    """The calendar month (UTC) of a moment, which is what AWS bills."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Window(start, (start + timedelta(days=32)).replace(day=1))
