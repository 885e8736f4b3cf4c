"""The coverage ledger: hour by hour and function by function, what AWS counted against what is stored here.

An hour is reckoned once it is over and late events are in, and again while it can still change: late points raise
what AWS counted, late logs what is stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.blindness import is_blind
from ingest.collectors.lambda_logs import log_group
from ingest.log_groups import MISSING, PUSHES
from ingest.models import Collection, LogGroup
from ingest.noticing import noticed, resource_of
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.inventory.selection import Selection
from observability.telemetry.coverage import words
from observability.telemetry.grains import floor
from observability.telemetry.models import Coverage
from observability.telemetry.records import Fault, FaultKind, Window
from observability.telemetry.store import get_store

HOUR = timedelta(hours=1)
OVER = timedelta(minutes=20)
"""How long after its end an hour is reckoned first: an invocation of 15 minutes, and its logs, are in by then."""

CERTAIN = timedelta(minutes=35)
"""How long after its end somebody is told: the second reading of quiet log groups may take until then."""

RECENT, FURTHEST = 3 * HOUR, 24 * HOUR
"""How far back is reckoned every time, and how far in the first five minutes in which an hour is over."""

FEW, SMALL = 5, 0.05
"""So many missing ones, and more than this share, are worth telling."""

MANY = 5
"""More functions than this with the same cause are told of as one problem of the account."""

TOLD_AS = {PUSHES: "dropped"}
"""What the trouble of a log group is called where something is missing."""

CHOSEN = ("excluded", "paused")
"""What somebody wanted is not worth telling."""

REPORTING = ("", "INFO", "DEBUG")
"""The system log levels at which Lambda writes every report into a JSON log, and not only those of failures.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
"""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One hour of one function."""

    function: Resource
    hour: datetime
    reported: int
    seen: int
    cause: str

    @property
    def missing(self) -> int:
        return max(0, self.reported - self.seen)

    @property
    def dropped(self) -> bool:
        return self.missing >= FEW and self.missing > self.reported * SMALL


def reckon(*, account: AwsAccount, now: datetime) -> None:
    """Bring the ledger of the account up to date, and tell of functions whose coverage dropped in the last hour."""
    if account.connected_at is None:
        return
    end = floor(now - OVER, HOUR)
    reach = FURTHEST if now - end - OVER < timedelta(minutes=5) else RECENT
    start = max(end - reach, floor(account.connected_at, HOUR) + HOUR)
    if start >= end:
        return
    reckoned = list(_reckoned(account, Window(start, end), now=now))
    _write(account, reckoned, Window(start, end))
    last = floor(now - CERTAIN, HOUR) - HOUR
    dropped = [each for each in reckoned if each.hour == last and each.dropped and each.cause not in CHOSEN]
    if dropped and not is_blind(account):
        get_store().append(list(_faults(account, dropped, now=now)), now=now)


def _reckoned(account: AwsAccount, window: Window, *, now: datetime) -> Iterator[Reckoned]:
    """Every hour in which AWS counted invocations of a function; where it counted none, nothing can be missing."""
    owner = account.organization_id
    found = Resource.objects.filter(organization_id=owner, account=account.account_id, type="lambda_function")
    functions = {row.pk: row for row in found.only("pk", "arn", "name", "region", "config", "pushed_at")}
    store = get_store()
    reported = store.points(
        owner, window, metric="Invocations", statistic="Sum", resource_ids=list(functions), step=HOUR
    )
    ran = [pk for pk, readings in reported.items() if any(reading.value for reading in readings)]
    seen = store.series_by_resource(owner, window, HOUR, ran)
    causes = Causes(account, now=now)
    for pk in ran:
        for reading, bucket in zip(reported[pk], seen[pk], strict=True):
            if reading.value:
                counted, stored = round(reading.value), bucket.rollup.invocations
                cause = causes.of(functions[pk], reading.at) if stored < counted else ""
                yield Reckoned(functions[pk], reading.at, counted, stored, cause)


class Causes:
    """Why invocations of an account's functions may be missing, as far as is known now."""

    def __init__(self, account: AwsAccount, *, now: datetime) -> None:
        self.now = now
        self.blind_since = account.blind_since
        self.organization = account.organization
        self.selection = Selection.from_json(account.selection)
        reading = Collection.objects.filter(account=account, kind="lambda_logs")
        self.troubles: Mapping[str, str] = dict(reading.values_list("region", "trouble"))
        self.groups = {(group.region, group.name): group for group in LogGroup.objects.filter(account=account)}

    def of(self, function: Resource, hour: datetime) -> str:
        end = hour + HOUR
        if not self.selection.matches(function.name, function.config.get("tags") or {}):
            return "excluded"
        if self.blind_since is not None and self.blind_since < end:
            return "blind"
        if function.pushed_at is not None and self._was_paused(hour, end):
            return "paused"
        if function.pushed_at is not None and function.pushed_at >= hour:
            return "dropped"
        return self._of_reading(function, end)

    def _was_paused(self, hour: datetime, end: datetime) -> bool:
        start, until = self.organization.paused_from, self.organization.paused_until
        return start is not None and until is not None and start < end and until > hour

    def _of_reading(self, function: Resource, end: datetime) -> str:
        trouble = self.troubles.get(function.region, "")
        group = self.groups.get((function.region, log_group(function)))
        quiet = "" if reports(function) else "log_level"
        if group is None:
            return trouble or quiet or MISSING
        if group.trouble:
            return (quiet or MISSING) if group.trouble == MISSING else TOLD_AS.get(group.trouble, group.trouble)
        if group.swept_until < end:
            return trouble or "behind"
        kept = group.retention_days is None or end > self.now - timedelta(days=group.retention_days) + HOUR
        return quiet or ("unknown" if kept else "retention")


def reports(function: Resource) -> bool:
    """Whether Lambda writes into its log what every invocation did."""
    return function.config.get("log_format") != "JSON" or function.config.get("system_log_level", "") in REPORTING


def _write(account: AwsAccount, reckoned: Iterable[Reckoned], window: Window) -> None:
    """Insert and correct; what is right already is left alone."""
    stored = Coverage.objects.filter(
        organization=account.organization_id, resource__account=account.account_id,
        hour__gte=window.start, hour__lt=window.end,
    )  # fmt: skip
    known = {
        (pk, hour): rest for pk, hour, *rest in stored.values_list("resource", "hour", "reported", "seen", "cause")
    }
    changed = [
        Coverage(
            organization_id=account.organization_id, resource=each.function, hour=each.hour, reported=each.reported,
            seen=each.seen, cause=each.cause,
        )
        for each in reckoned
        if known.get((each.function.pk, each.hour)) != [each.reported, each.seen, each.cause]
    ]  # fmt: skip
    Coverage.objects.bulk_create(
        changed,
        batch_size=1_000,
        update_conflicts=True,
        unique_fields=["resource", "hour"],
        update_fields=["reported", "seen", "cause"],
    )


def _faults(account: AwsAccount, dropped: Iterable[Reckoned], *, now: datetime) -> Iterator[Fault]:
    """One per function and hour, or one for the account where many functions share a cause."""
    by_cause: defaultdict[str, list[Reckoned]] = defaultdict(list)
    for each in dropped:
        by_cause[each.cause].append(each)
    for cause, group in by_cause.items():
        if len(group) > MANY:
            yield _fault(resource_of(account, now=now), group, about=(cause, group[0].hour))
        else:
            for each in group:
                yield _fault(each.function.pk, [each], about=each.hour)


def _fault(resource_id: int, group: Sequence[Reckoned], *, about: object) -> Fault:
    first = group[0]
    reported, missing = sum(each.reported for each in group), sum(each.missing for each in group)
    share = int(100 * (reported - missing) / reported)
    functions = f" of {len(group):,} functions" if len(group) > 1 else ""
    figures = f"Stored {reported - missing:,} of {reported:,} invocations{functions}, {share} %"
    hour = f"between {first.hour:%H:%M} and {first.hour + HOUR:%H:%M} UTC"
    return noticed(
        FaultKind.COVERAGE,
        organization_id=first.function.organization_id,
        resource_id=resource_id,
        about=about,
        at=first.hour + HOUR,
        reason=first.cause,
        message=f"{figures}, {hour}: {words(first.cause)}.",
    )
