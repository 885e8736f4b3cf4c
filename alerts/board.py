"""What the page of insights shows: advice in groups by rule, what cannot wait and then money first, narrowed down."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, FloatField, Max, OrderBy, Q, QuerySet, Sum, Value, When
from django.db.models import Window as Over
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, RowNumber
from django.http import QueryDict

from alerts.finding import Severity
from alerts.models import SEVERITIES, Insight
from alerts.outcomes import Told, span, told
from alerts.rule import Pillar, Rule
from observability.dashboards.kinds import Kind, kind
from observability.tenants.models import Organization

State = Insight.State
GROUPS, PER_GROUP, PER_PAGE = 10, 3, 50
"""So many rules are shown with their first pieces of advice, the others by name; one rule alone page by page."""

WAYS = {"cli": "AWS CLI", "terraform": "Terraform", "sam": "SAM", "steps": "Steps"}
LOUDNESS = {severity.value: place for place, severity in enumerate(Severity)}
LOUDEST = Case(*[When(severity=name, then=Value(place)) for name, place in LOUDNESS.items()], default=Value(9))
BY_MONEY: tuple[OrderBy, ...] = (
    F("usd_high").desc(nulls_last=True), LOUDEST.asc(), F("resource__name").asc(), F("topic").asc(), F("pk").asc(),
)  # fmt: skip
BY_TIME: tuple[OrderBy, ...] = (F("fixed_at").desc(), F("pk").asc())

Rules = Mapping[str, Rule]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader wants to see; what nobody knows counts as not asked for."""

    state: State
    pillar: str = ""
    severity: str = ""
    rule: str = ""
    type: str = ""
    account: str = ""
    tag: str = ""
    resource: int | None = None
    page: int = 1

    @property
    def narrowed(self) -> bool:
        return replace(self, state=State.OPEN, page=1) != Asked(State.OPEN)


def read(query: QueryDict, rules: Rules) -> Asked:
    def one_of(name: str, known: Iterable[str]) -> str:
        value = query.get(name, "")
        return value if value in known else ""

    return Asked(
        state=State(one_of("state", State.values) or State.OPEN),
        pillar=one_of("pillar", list(Pillar)),
        severity=one_of("severity", list(Severity)),
        rule=one_of("rule", rules),
        type=query.get("type", "")[:40],
        account=query.get("account", "")[:12],
        tag=query.get("tag", "").strip()[:200],
        resource=_number(query.get("resource", "")),
        page=_number(query.get("page", "")) or 1,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


class Cell(NamedTuple):
    """So much advice of one rule and severity is in one state; USD a month."""

    state: str
    rule: str
    severity: str
    number: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of advice as it is shown."""

    row: Insight
    kind: Kind
    fixes: Sequence[tuple[str, str]]
    outcome: Told | None

    @property
    def usd_month(self) -> str:
        return span(self.row.usd_low, self.row.usd_high) if self.row.usd_high else ""


@dataclass(frozen=True, slots=True)
class Group:
    """The advice of one rule; ``items`` are the first of ``count``."""

    rule: Rule
    severity: str
    count: int
    low: float | None
    high: float | None
    items: Sequence[Item]

    @property
    def usd_month(self) -> str:
        return span(self.low, self.high) if self.high else ""

    @property
    def pillar(self) -> str:
        return PILLARS[self.rule.pillar]

    @property
    def more(self) -> int:
        return self.count - len(self.items)


class Facet(NamedTuple):
    value: str
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everything in figures, the groups of the state that is asked for, and what there is to choose from."""

    groups: Sequence[Group]
    others: Sequence[Group]
    """Those that come after, without their items."""
    states: Mapping[str, int]
    pillars: Sequence[Facet]
    severities: Sequence[Facet]
    rules: Sequence[Facet]
    types: Sequence[tuple[str, str]]
    accounts: Sequence[str]
    low: float
    high: float
    saved: float
    pages: int
    any: bool
    """Whether there is any insight at all, whatever is asked for."""


def board(organization: Organization, asked: Asked, rules: Rules) -> Board:
    """In five queries, and none for each group."""
    mine = Insight.objects.filter(organization=organization, rule__in=rules)
    places = set(mine.order_by().values_list("resource__type", "resource__account").distinct())
    cells = _cells(_about(mine, asked))
    wanted = [cell for cell in cells if _fits(cell, asked, rules)]
    shown = _shown(_about(mine, asked), asked, rules)
    low, high = _money(shown.order_by()) if asked.state == State.OPEN else (0.0, 0.0)
    groups = _groups(wanted, rules)
    rows = _rows(shown.filter(rule__in=[group.rule.kind for group in groups[:GROUPS]]), asked)
    return Board(
        groups=_filled(groups[:GROUPS], rows),
        others=groups[GROUPS:],
        states=_states(cells, asked, rules),
        pillars=_facets(cells, replace(asked, pillar=""), rules, lambda cell: rules[cell.rule].pillar, PILLARS),
        severities=_facets(cells, replace(asked, severity=""), rules, lambda cell: cell.severity, dict(SEVERITIES)),
        rules=_facets(
            cells, replace(asked, rule=""), rules, lambda cell: cell.rule, {key: r.title for key, r in rules.items()}
        ),
        types=sorted((type_, kind(type_).many) for type_ in {each for each, _ in places}),
        accounts=sorted({account for _, account in places}),
        low=low,
        high=high,
        saved=_saved(_about(mine, asked)) if asked.state == State.FIXED else 0.0,
        pages=-(-sum(cell.number for cell in wanted) // PER_PAGE) if asked.rule else 1,
        any=bool(places),
    )


PILLARS = {pillar.value: pillar.value.title() for pillar in Pillar}


def _about(insights: QuerySet[Insight], asked: Asked) -> QuerySet[Insight]:
    """Those about the resources that are asked for."""
    if asked.type:
        insights = insights.filter(resource__type=asked.type)
    if asked.account:
        insights = insights.filter(resource__account=asked.account)
    if asked.resource is not None:
        insights = insights.filter(resource=asked.resource)
    if asked.tag:
        key, equals, value = asked.tag.partition("=")
        has_it = Q(resource__config__tags__contains={key: value})
        insights = insights.filter(has_it if equals else Q(resource__config__tags__has_key=key))
    return insights


def _cells(insights: QuerySet[Insight]) -> list[Cell]:
    rows = insights.order_by().values_list("state", "rule", "severity")
    counted = rows.annotate(count=Count("pk"), low=Sum("usd_low"), high=Sum("usd_high"))
    return [Cell(*row) for row in counted]


def _fits(cell: Cell, asked: Asked, rules: Rules) -> bool:
    return (
        cell.state == asked.state
        and asked.rule in ("", cell.rule)
        and asked.severity in ("", cell.severity)
        and asked.pillar in ("", rules[cell.rule].pillar)
    )


def _states(cells: Iterable[Cell], asked: Asked, rules: Rules) -> dict[str, int]:
    counts = Counter[str]()
    for cell in cells:
        if _fits(cell, replace(asked, state=State(cell.state)), rules):
            counts[cell.state] += cell.number
    return {state.value: counts[state] for state in State}


def _facets(
    cells: Iterable[Cell], asked: Asked, rules: Rules, name: Any, labels: Mapping[str, str]
) -> list[Facet]:  # fmt: skip
    """What remains of each choice with everything else that is asked for."""
    counts = Counter[str]()
    for cell in cells:
        if _fits(cell, asked, rules):
            counts[name(cell)] += cell.number
    return [Facet(value, label, counts[value]) for value, label in labels.items() if counts[value]]


def _shown(insights: QuerySet[Insight], asked: Asked, rules: Rules) -> QuerySet[Insight]:
    kinds = [key for key, rule in rules.items() if asked.pillar in ("", rule.pillar) and asked.rule in ("", key)]
    chosen = insights.filter(state=asked.state, rule__in=kinds)
    return chosen.filter(severity=asked.severity) if asked.severity else chosen


def _rows(shown: QuerySet[Insight], asked: Asked) -> list[Insight]:
    """A page of one rule, or the first ones of every rule."""
    order = BY_TIME if asked.state == State.FIXED else BY_MONEY
    rows = shown.select_related("resource", "snoozed_by").defer("resource__config").order_by(*order)
    if asked.rule:
        start = (asked.page - 1) * PER_PAGE
        return list(rows[start : start + PER_PAGE])
    place = Over(RowNumber(), partition_by="rule", order_by=order)
    return list(rows.annotate(place=place).filter(place__lte=PER_GROUP))


def _groups(cells: Iterable[Cell], rules: Rules) -> list[Group]:
    """What cannot wait, then money, then what is loud; still without their items."""
    by_rule: dict[str, list[Cell]] = {}
    for cell in cells:
        by_rule.setdefault(cell.rule, []).append(cell)
    groups = [
        Group(
            rule=rules[key],
            severity=min((cell.severity for cell in found), key=LOUDNESS.__getitem__),
            count=sum(cell.number for cell in found),
            low=_sum(cell.low for cell in found),
            high=_sum(cell.high for cell in found),
            items=(),
        )
        for key, found in by_rule.items()
    ]
    return sorted(groups, key=_order)


def _order(group: Group) -> tuple[bool, float, int, int, str]:
    urgent = group.severity == Severity.CRITICAL
    return not urgent, -(group.high or 0), LOUDNESS[group.severity], -group.count, group.rule.title


def _filled(groups: Iterable[Group], rows: Iterable[Insight]) -> list[Group]:
    """With their items; without those whose page is beyond their end."""
    items: dict[str, list[Insight]] = {}
    for row in rows:
        items.setdefault(row.rule, []).append(row)
    return [
        replace(group, items=[item(row, group.rule) for row in items[group.rule.kind]])
        for group in groups
        if group.rule.kind in items
    ]


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def item(row: Insight, rule: Rule) -> Item:
    fixes = [(WAYS.get(fix["way"], fix["way"]), fix["text"]) for fix in row.fixes]
    return Item(row, kind(row.resource.type), fixes, told(row, rule) if row.state == State.FIXED else None)


def _money(insights: QuerySet[Insight]) -> tuple[float, float]:
    """USD a month: at least the best piece of advice on each resource, at most all of them."""
    each = insights.filter(usd_high__isnull=False).values("resource")
    sums = each.annotate(best=Max("usd_low"), all=Sum("usd_high")).aggregate(low=Sum("best"), high=Sum("all"))
    return sums["low"] or 0.0, sums["high"] or 0.0


def _saved(insights: QuerySet[Insight]) -> float:
    """USD a month, as measured after the fix."""
    measured = insights.filter(Q(state=State.FIXED), outcome__has_key="usd_month")
    amount = measured.annotate(saved=Cast(KT("outcome__usd_month"), FloatField())).aggregate(sum=Sum("saved"))
    return amount["sum"] or 0.0


HEADER = (
    "state", "severity", "pillar", "rule", "title", "resource", "type", "account", "region", "arn", "text",
    "confidence", "effort", "usd_month_low", "usd_month_high", "opened_at", "snoozed_until", "snooze_reason",
    "fixed_at", "result", "fix", "source",
)  # fmt: skip


def table(organization: Organization, asked: Asked, rules: Rules) -> Iterator[Sequence[object]]:
    """All that is asked for, a row each, the header first."""
    yield HEADER
    mine = Insight.objects.filter(organization=organization, rule__in=rules)
    rows = _shown(_about(mine, asked), asked, rules).select_related("resource").defer("resource__config")
    for row in rows.order_by(*BY_MONEY).iterator(500):
        rule, resource = rules[row.rule], row.resource
        yield (
            row.state, row.severity, rule.pillar, row.rule, rule.title, resource.name, resource.type, resource.account,
            resource.region, resource.arn, row.text, row.confidence, rule.effort, row.usd_low, row.usd_high,
            _iso(row.opened_at), _iso(row.snoozed_until), row.snooze_reason, _iso(row.fixed_at),
            told(row, rule).text if row.state == State.FIXED else "", row.fixes[0]["text"] if row.fixes else "",
            rule.source,
        )  # fmt: skip


def _iso(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
