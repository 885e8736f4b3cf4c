"""How reading an AWS account goes: region by region and collector by collector, how late it is, and what is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Case, Count, Min, Q, QuerySet, When

from ingest.collectors import BY_KIND
from ingest.log_groups import MISSING, UNREAD
from ingest.models import Collection, LogGroup
from observability.aws.models import AwsAccount
from observability.aws.problems import TRANSIENT, Trouble, sentence
from observability.inventory.models import Resource
from observability.tenants.models import Organization

PATIENCE = timedelta(minutes=2)
BEHIND = timedelta(minutes=5)
"""From this lag on a region is said to be behind."""

CALM = (*UNREAD, MISSING, Trouble.THROTTLED)
"""Reasons not to read a log group that nobody has to do anything about."""

LOST = (Trouble.ROLE_GONE, Trouble.ACCOUNT_SUSPENDED)
"""Said once, of the account as a whole."""

ACTIVE = Q(idle=0) & ~Q(trouble__in=UNREAD)
"""The log groups that had something to read the last time; others rest on purpose."""


class State(StrEnum):
    """How a collection is doing, the worst first."""

    BROKEN = "broken"
    PARTIAL = "partial"
    SLOWED = "slowed"
    LATE = "late"
    FIRST = "first"
    FINE = "fine"


ORDER = tuple(State)


@dataclass(frozen=True, slots=True)
class Reading:
    """One collector in one region. ``why`` says what is wrong and what to do; ``detail`` is AWS's own answer."""

    title: str
    state: State
    succeeded_at: datetime | None
    due_at: datetime
    why: str
    detail: str


@dataclass(frozen=True, slots=True)
class RegionStatus:
    """One region of an account. ``lag`` is that of its slowest active log group; None where nothing is active."""

    region: str
    readings: Sequence[Reading]
    groups: int
    unread: int
    lag: timedelta | None

    @property
    def state(self) -> State:
        worst = min((reading.state for reading in self.readings), key=ORDER.index, default=State.FIRST)
        return State.LATE if worst == State.FINE and self.lag is not None and self.lag > BEHIND else worst

    @property
    def succeeded_at(self) -> datetime | None:
        """When anything was last read here."""
        return max((r.succeeded_at for r in self.readings if r.succeeded_at), default=None)

    @property
    def lag_s(self) -> float | None:
        return None if self.lag is None else self.lag.total_seconds()

    @property
    def shared(self) -> Reading | None:
        """What keeps everything in this region from working, if it is one and the same."""
        first = self.readings[0] if self.readings else None
        return first if first and first.why and all(each.why == first.why for each in self.readings) else None

    @property
    def troubles(self) -> Sequence[tuple[str, str]]:
        """What is wrong, each sentence once: which collectors it keeps from working, and the sentence."""
        titles: dict[str, list[str]] = {}
        for reading in self.readings:
            if reading.why:
                titles.setdefault(reading.why, []).append(reading.title)
        return [("Everything" if self.shared else ", ".join(t), why) for why, t in titles.items()]


def regions(account: AwsAccount, now: datetime) -> list[RegionStatus]:
    """Every region that is read, the worst first."""
    rows: dict[str, list[Collection]] = {region: [] for region in account.regions}
    for row in account.collections.filter(region__in=account.regions, kind__in=BY_KIND):
        rows[row.region].append(row)
    logs, told = _groups(account), LOST if account.blind_since is not None else ()
    found = [_region(region, collections, logs.get(region), told, now) for region, collections in rows.items()]
    return sorted(found, key=lambda status: (ORDER.index(status.state), status.region))


@dataclass(frozen=True, slots=True)
class Groups:
    """The log groups of one region: how many there are, how many are not read, how far the active ones are."""

    number: int = 0
    unread: int = 0
    read_until: datetime | None = None


def _groups(account: AwsAccount) -> Mapping[str, Groups]:
    counted = account.log_groups.values_list("region").annotate(
        number=Count("pk"), unread=Count("pk", filter=~Q(trouble="")), until=Min("read_until", filter=ACTIVE)
    )
    return {region: Groups(number, unread, until) for region, number, unread, until in counted}


def _region(
    region: str, collections: Iterable[Collection], groups: Groups | None, told: Sequence[str], now: datetime
) -> RegionStatus:
    """``told`` are the troubles that the page says elsewhere."""
    groups = groups or Groups()
    ordered = sorted(collections, key=lambda row: list(BY_KIND).index(row.kind))
    found = [(row.trouble in told, reading(row, now)) for row in ordered]
    readings = [replace(each, why="", detail="") if known else each for known, each in found]
    return RegionStatus(region, readings, groups.number, groups.unread, lag(groups.read_until, now))


def lag(read_until: datetime | None, now: datetime) -> timedelta | None:
    """How old the newest event may be that is not stored yet."""
    return None if read_until is None else max(timedelta(), now - read_until)


def reading(row: Collection, now: datetime) -> Reading:
    """The collection as the page shows it."""
    collector = BY_KIND[row.kind]
    late = row.succeeded_at is not None and now - row.succeeded_at > 3 * collector.every + PATIENCE
    return Reading(
        title=collector.title,
        state=_state(row, late=late),
        succeeded_at=row.succeeded_at,
        due_at=row.due_at,
        why=sentence(row.trouble) or row.trouble.replace("_", " "),
        detail=row.detail,
    )


def _state(row: Collection, *, late: bool) -> State:
    if row.trouble and not row.failures and not late:
        return State.PARTIAL  # It went through, but for what was denied.
    if row.trouble:
        return State.SLOWED if row.trouble in TRANSIENT and not late else State.BROKEN
    if row.succeeded_at is None:
        return State.FIRST
    return State.LATE if late else State.FINE


@dataclass(frozen=True, slots=True)
class Standing:
    """An account in the list of accounts: how many functions are known, and the lag of its slowest region.

    ``troubled`` are the regions in which something has to be done before all of it works again.
    """

    account_pk: int
    account_id: str
    functions: int
    lag_s: float | None
    region: str
    troubled: Sequence[str]


def standings(organization: Organization, now: datetime) -> list[Standing]:
    """One for each account that is connected, in four queries."""
    accounts = organization.aws_accounts.filter(connected_at__isnull=False, disconnected_at=None)
    known = Resource.objects.filter(organization=organization, type="lambda_function", gone_at=None)
    functions = dict(known.values_list("account").annotate(number=Count("pk")).order_by())
    slowest = {pk: (until, region) for pk, region, until in _read_until(organization)}
    troubled = _troubled(organization)
    found = []
    for pk, account_id in accounts.values_list("pk", "account_id"):
        until, region = slowest.get(pk, (None, ""))
        behind = lag(until, now)
        seconds = None if behind is None else behind.total_seconds()
        number = functions.get(account_id, 0)
        found.append(Standing(pk, account_id, number, seconds, region, troubled.get(pk, ())))
    return found


def _troubled(organization: Organization) -> Mapping[int, Sequence[str]]:
    """By account the regions where a collector meets something that does not pass by itself."""
    lasting = Collection.objects.exclude(trouble="").exclude(trouble__in=TRANSIENT).filter(kind__in=BY_KIND)
    mine = lasting.filter(account__organization=organization, account__disconnected_at=None)
    found: dict[int, list[str]] = {}
    for pk, region in mine.values_list("account_id", "region").order_by("region").distinct():
        found.setdefault(pk, []).append(region)
    return found


def _read_until(organization: Organization) -> QuerySet[LogGroup, tuple[int, str, datetime]]:
    """Per account and region how far the active log groups are read, the slowest region of each account last."""
    groups = LogGroup.objects.filter(ACTIVE, account__organization=organization, account__disconnected_at=None)
    return groups.values_list("account", "region").annotate(until=Min("read_until")).order_by("-until")


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """One log group as the page shows it; ``why`` says why it is not read, where it is not."""

    group: LogGroup
    why: str
    alarming: bool

    @property
    def resting(self) -> bool:
        """Whether it is read seldom, because there was nothing to read the last time."""
        return not self.why and self.group.idle > 0


def log_groups(account: AwsAccount) -> QuerySet[LogGroup]:
    """Those that something is wrong with first, then those that are furthest behind."""
    fine = Case(When(trouble="", then=1), When(trouble__in=UNREAD, then=2), default=0)
    return account.log_groups.select_related("resource").order_by(fine, "read_until", "pk")


def group_status(group: LogGroup) -> GroupStatus:
    """Where AWS is not the reason, the row itself says in words what is."""
    why = sentence(group.trouble) or group.detail or f"{group.trouble.replace('_', ' ').capitalize()}."
    why = why if group.trouble else ""
    return GroupStatus(group, why, alarming=bool(group.trouble) and group.trouble not in CALM)
