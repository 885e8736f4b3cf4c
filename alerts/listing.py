"""The list of incidents: what a search asks for, and one page of what it finds."""

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q, QuerySet

from alerts.finding import Severity
from alerts.models import Incident, State
from alerts.text import line
from observability.telemetry.records import Rollup, Window
from observability.telemetry.store import Store
from observability.tenants.models import Organization, User

PER_PAGE = 25
BARS = timedelta(hours=24)
BAR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SEVERITIES = {name: severity for severity in Severity for name in (severity.value, severity.value[:4])}
FAILURES: dict[str, Callable[[Rollup], int]] = {
    "timeouts": lambda rollup: rollup.timeouts,
    "out_of_memory": lambda rollup: rollup.out_of_memory,
    "errors": lambda rollup: max(0, rollup.errors - rollup.timeouts - rollup.out_of_memory),
}
"""What rollups know about each kind of incident."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search asks for. ``text`` is matched against titles; ``unknown`` are terms that mean nothing here."""

    states: frozenset[State] = frozenset()
    severities: frozenset[Severity] = frozenset()
    functions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    number: int | None = None
    mine: bool = False
    text: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """A search while it is read."""

    states: set[State] = field(default_factory=set)
    severities: set[Severity] = field(default_factory=set)
    functions: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    number: int | None = None
    mine: bool = False
    words: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def read(query: str) -> Search:
    """``is:open sev:critical fn:pay* kind:timeouts is:mine #12 free text``; quotes keep words together."""
    found = _Found()
    for term in _terms(line(query, 200)):
        _take(found, term)
    return Search(
        frozenset(found.states), frozenset(found.severities), tuple(found.functions), tuple(found.kinds),
        found.number, found.mine, " ".join(found.words), tuple(found.unknown),
    )  # fmt: skip


def _terms(query: str) -> list[str]:
    try:
        return shlex.split(query)
    except ValueError:  # A quote that is still open, or an apostrophe.
        return query.split()


def _take(found: _Found, term: str) -> None:
    name, colon, value = term.partition(":")
    value = value.lower()
    if re.fullmatch(r"#\d{1,9}", term):
        found.number = int(term[1:])
    elif not colon or name not in {"is", "sev", "fn", "kind"}:
        found.words.append(term)
    elif name == "is" and value in State.values:
        found.states.add(State(value))
    elif name == "is" and value == "mine":
        found.mine = True
    elif name == "sev" and value in SEVERITIES:
        found.severities.add(SEVERITIES[value])
    elif name == "fn" and value:
        found.functions.append(value)
    elif name == "kind" and value:
        found.kinds.append(value)
    else:
        found.unknown.append(term)


def matching(organization: Organization, search: Search, reader: User) -> QuerySet[Incident]:
    """Incidents of every state that the rest of the search describes."""
    found = Incident.objects.filter(organization=organization)
    if search.severities:
        found = found.filter(severity__in=search.severities)
    if search.kinds:
        found = found.filter(kind__in=search.kinds)
    if search.number is not None:
        found = found.filter(number=search.number)
    if search.mine:
        found = found.filter(assignee__user=reader)
    for word in search.text.split():
        found = found.filter(Q(title__icontains=word) | Q(resource__name__icontains=word))
    if search.functions:
        names = Q()
        for pattern in search.functions:
            names |= Q(resource__name__iregex=_regex(pattern))
        found = found.filter(names)
    return found


def _regex(pattern: str) -> str:
    """A function's name with ``*`` for anything; nothing else in it is special."""
    return "^" + ".*".join(re.escape(part) for part in pattern.split("*")) + "$"


def counts(found: QuerySet[Incident]) -> dict[str, int]:
    """How many there are in each state."""
    rows = found.order_by().values_list("state").annotate(number=Count("pk"))
    return dict.fromkeys(State.values, 0) | dict(rows)


@dataclass(frozen=True, slots=True)
class Page:
    """One page, last seen first. ``older`` continues it, or is empty at the end."""

    incidents: Sequence[Incident]
    older: str


def page(found: QuerySet[Incident], before: str) -> Page:
    """The incidents after the place that ``before`` names, or the first ones."""
    if place := _place(before):
        seen, number = place
        found = found.filter(Q(last_seen_at__lt=seen) | Q(last_seen_at=seen, number__lt=number))
    rows = list(found.select_related("resource", "assignee__user").order_by("-last_seen_at", "-number")[: PER_PAGE + 1])
    last = rows[PER_PAGE - 1] if len(rows) > PER_PAGE else None
    older = f"{(last.last_seen_at - EPOCH) // timedelta(microseconds=1)}-{last.number}" if last else ""
    return Page(rows[:PER_PAGE], older)


def _place(text: str) -> tuple[datetime, int] | None:
    """Where a page ended, or None for anything else (then a listing starts at its beginning)."""
    match = re.fullmatch(r"(\d{1,17})-(\d{1,9})", text, re.ASCII)
    if not match:
        return None
    return EPOCH + timedelta(microseconds=int(match[1])), int(match[2])


def bars(
    store: Store, organization: Organization, incidents: Sequence[Incident], now: datetime
) -> dict[int, list[int]]:
    """Per incident, how often its function failed in this way in each of the last 24 hours."""
    resources = list({incident.resource_id for incident in incidents})
    if not resources:
        return {}
    end = now - (now - EPOCH) % BAR + BAR
    series = store.series_by_resource(organization.pk, Window(end - BARS, end), BAR, resources)
    return {
        incident.pk: [failures(incident.kind, bucket.rollup) for bucket in series.get(incident.resource_id, ())]
        for incident in incidents
    }


def failures(kind: str, rollup: Rollup) -> int:
    """Failures of one kind of incident in a rollup."""
    known = FAILURES.get(kind)
    return known(rollup) if known else 0
