"""What a month cost, by whatever one wants to know it by."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from observability.costs.bill import TITLES, Bill
from observability.costs.drivers import Spent
from observability.costs.history import Function
from observability.costs.statement import Statement
from observability.dashboards.cost_charts import COLOURS
from observability.telemetry.pricing import price

BY = {"function": "Function", "tag": "Tag", "account": "Account", "region": "Region", "component": "Component"}
UNTAGGED = "without this tag"


@dataclass(frozen=True, slots=True)
class Part:
    """A line of a row's bill: its colour, its width as a share of the dearest row, and what it says."""

    title: str
    colour: str
    share: float
    usd: float

    @property
    def percent(self) -> float:
        return 100 * self.share


@dataclass(frozen=True, slots=True)
class Row:
    """One function, tag, account, region or component. ``share`` is of all; ``change`` from one week to the next."""

    name: str
    usd: float
    share: float
    parts: Sequence[Part] = ()
    invocations: float = 0.0
    id: int | None = None
    note: str = ""
    change: float | None = None

    @property
    def per_thousand(self) -> float | None:
        return self.usd / self.invocations * 1_000 if self.invocations else None


def rows(told: Statement, by: str, tag: str = "") -> list[Row]:
    """The dearest first; what cost nothing is left out."""
    if by == "component":
        return _components(told)
    if by == "function":
        return _functions(told)
    keys: Mapping[str, Callable[[Function], str]] = {
        "tag": lambda each: each.tags.get(tag) or UNTAGGED,
        "account": lambda each: each.account,
        "region": lambda each: each.region,
    }
    return _groups(told, by, keys[by])


def _components(told: Statement) -> list[Row]:
    bill = told.bill
    found = [
        Row(TITLES[line], usd, _share(usd, bill.total), [Part(TITLES[line], COLOURS[line], 1.0, usd)])
        for line, usd in bill.lines
        if usd > 0
    ]
    return sorted(found, key=lambda row: -row.usd)


def _groups(told: Statement, by: str, key: Callable[[Function], str]) -> list[Row]:
    bills = told.ledger.grouped(key, told.chosen)
    if by == "account":
        first, last = told.month.start.date(), told.month.end.date()
        for account, by_day in told.asked.items():
            usd = sum(amount for day, amount in by_day.items() if first <= day < last)
            bills[account] = bills.get(account, Bill()) + Bill(monitoring=usd)
    counts = told.ledger.by_function("invocations", told.chosen)
    invocations: Counter[str] = Counter()
    for index, function in enumerate(told.ledger.functions):
        invocations[key(function)] += counts[index]
    total, most = told.bill.total, max((bill.total for bill in bills.values()), default=0.0)
    found = [
        Row(name, bill.total, _share(bill.total, total), _parts(bill, most), invocations[name], note=_note(by, name))
        for name, bill in bills.items()
        if bill.total > 0
    ]
    return sorted(found, key=lambda row: -row.usd)


def _functions(told: Statement) -> list[Row]:
    ledger = told.ledger
    totals, invocations = ledger.totals(told.chosen), ledger.by_function("invocations", told.chosen)
    all_of_it = told.bill.total
    found = [
        Row(
            function.name, float(totals[i]), _share(float(totals[i]), all_of_it), (), float(invocations[i]),
            function.id, _place(function), _week(told.before[i], told.after[i]),
        )
        for i, function in enumerate(ledger.functions)
        if totals[i] > 0
    ]  # fmt: skip
    return sorted(found, key=lambda row: -row.usd)


def _place(function: Function) -> str:
    return f"{function.region}, deleted" if function.gone_at else function.region


def with_parts(told: Statement, table: Sequence[Row], most: float) -> list[Row]:
    """The same rows of functions, each with its lines: reckoned for those that are shown only."""
    place = {function.id: index for index, function in enumerate(told.ledger.functions)}
    lines = {line: told.ledger.by_function(line, told.chosen) for line in TITLES}
    return [
        replace(row, parts=_parts(Bill(**{line: float(lines[line][place[row.id]]) for line in TITLES}), most))
        for row in table
        if row.id is not None
    ]


def _parts(bill: Bill, most: float) -> list[Part]:
    return [Part(TITLES[line], COLOURS[line], _share(usd, most), usd) for line, usd in bill.lines if usd > 0]


def _share(usd: float, total: float) -> float:
    return usd / total if total > 0 else 0.0


def _week(before: Spent, after: Spent) -> float | None:
    return after.total / before.total - 1 if before.total > 0 else None


def _note(by: str, name: str) -> str:
    return "prices of us-east-1" if by == "region" and not price(name).known else ""


def tag_keys(told: Statement) -> list[tuple[str, int]]:
    """The keys of tags that functions have, with how many, the commonest first."""
    return Counter(key for function in told.ledger.functions for key in function.tags).most_common()
