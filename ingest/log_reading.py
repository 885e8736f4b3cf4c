"""Reading the log groups of an account's region: the one due for longest first, a few pages each, until time is up.

What was read and how far are stored in one transaction, so nothing is lost or doubled whatever dies. Two readers of one
group do not harm each other: the slower one finds that the place has moved, and keeps nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from ingest import clock, copies, log_groups, log_windows
from ingest.collector import Function, Scope
from ingest.collectors.lambda_logs import PAGES, LambdaLogs, fetch_events, log_group, transform_events
from ingest.dead_letters import Letter, bury
from ingest.log_groups import Group
from ingest.log_windows import LATE, Outcome, Place
from ingest.parser import Batch, Event, FunctionInfo
from ingest.parsers import parse_stream, stream_of
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region
from observability.telemetry.pricing import PROVISIONED
from observability.telemetry.records import Record, Window
from observability.telemetry.store import get_store

Clock = Callable[[], datetime]

COVER_EVERY, DESCRIBE_EVERY = timedelta(minutes=1), timedelta(hours=1)
PUSH_SLACK = timedelta(minutes=1)
"""``pushed_at`` is noted so seldom: what happened shortly behind it may have been sent as well."""

ITS_OWN = frozenset({Trouble.ACCESS_DENIED, Trouble.NOT_FOUND, Trouble.REFUSED})
"""Troubles that one log group may have while the others have none."""

REFUSED = (DataError, IntegrityError, ArithmeticError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn leaves for the next one, and what the role was not allowed, if anything.

    ``idle`` says that nothing is due any more: there is time for what is less urgent.
    """

    cursor: Mapping[str, Any]
    note: str = ""
    idle: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a window of a group says, and how far it was read. ``error`` ended it early."""

    records: list[Record]
    events: int
    until: datetime
    complete: bool
    latest: datetime | None
    error: AwsError | None


def read_due(*, aws: Region, scope: Scope, account_pk: int, clock: Clock, patience: timedelta) -> Turn:
    """Read groups that are due, as long as ``patience`` lasts. Raises ``AwsError`` when nothing could be read."""
    cursor, note = _look_around(aws, scope, account_pk)
    started, done = clock(), 0
    while (now := clock()) - started < patience:
        group = log_groups.claim(account_pk=account_pk, region=scope.region, now=now)
        if group is None:
            return Turn(cursor, note, idle=True)
        try:
            error = read_group(aws, scope, group, now=now)
            done += 1
        except AwsError as failure:
            error = failure
        if error is None:
            continue
        if error.trouble in ITS_OWN and error.action != "sts:AssumeRole":
            log_groups.fail(group, error, now=now)
            note = str(error) if error.trouble is Trouble.ACCESS_DENIED else note
            continue
        log_groups.give_back(group, now=now)
        if not done:
            raise error
        break
    return Turn(cursor, note)


def _look_around(aws: Region, scope: Scope, account_pk: int) -> tuple[dict[str, Any], str]:
    """Once a minute, or for new functions at once, which groups there are; what AWS tells of them once an hour."""
    cursor, note, known = dict(scope.cursor), "", _digest(scope.functions)
    if cursor.get("functions") == known and not _elapsed(cursor, "covered", COVER_EVERY, scope.now):
        return cursor, note
    region, now = scope.region, scope.now
    fresh = log_groups.cover(account_pk=account_pk, region=region, functions=scope.functions, now=now)
    cursor |= {"covered": scope.now.isoformat(), "functions": known}
    if fresh or _elapsed(cursor, "described", DESCRIBE_EVERY, scope.now):
        lister = LambdaLogs()
        try:
            found = lister.transform(lister.fetch(aws, scope), scope).found
        except AwsError as error:
            if error.trouble is not Trouble.ACCESS_DENIED:
                raise
            note = str(error)
        else:
            log_groups.describe(account_pk=account_pk, region=region, found=found, now=now)
        cursor["described"] = scope.now.isoformat()
    return cursor, note


def _digest(functions: Mapping[str, Function]) -> str:
    return hashlib.blake2b("\n".join(sorted(functions)).encode(), digest_size=8).hexdigest()


def _elapsed(cursor: Mapping[str, Any], key: str, every: timedelta, now: datetime) -> bool:
    last = cursor.get(key)
    return last is None or now - datetime.fromisoformat(last) >= every


def read_group(aws: Region, scope: Scope, group: Group, *, now: datetime) -> AwsError | None:
    """Read what is to be read of a group now; answers what ended it early, after something was stored."""
    for window in log_windows.readings(group.place, now=now):
        beyond = log_windows.beyond(group.place, window, now=now)
        gathered = gather(aws, scope, group, window, beyond=beyond, now=now)
        after = _keep(group, window, gathered, now=now)
        if gathered.error or not gathered.complete or after is None:
            return gathered.error
        group = replace(group, place=after)
    return None


def _keep(group: Group, window: Window, gathered: Gathered, *, now: datetime) -> Place | None:
    """Store it and move on, both or neither; None when somebody else was faster."""
    with transaction.atomic():
        if not log_groups.hold(group):
            return None
        new = store(gathered.records, now=now)
        outcome = Outcome(gathered.until, gathered.complete, gathered.events, new, now)
        return log_groups.advance(group, window, outcome, latest=gathered.latest)


def gather(
    aws: Region, scope: Scope, group: Group, window: Window, *, beyond: datetime, now: datetime, pages: int = PAGES
) -> Gathered:
    """Fetch a window of a group and parse it, stream by stream. Raises ``AwsError`` when it got nowhere."""
    start = max(window.start, group.kept_since(now, settings.RETENTION_RAW_DAYS))
    fetched = fetch_events(aws, group.name, Window(start, window.end), beyond=max(beyond, start), pages=pages)
    streams = transform_events(fetched.events, group.name, scope)
    records = _told(_batches(streams, group, scope, now=now), scope)
    latest = max((events[-1].at for events in streams.values()), default=None)
    return Gathered(records, len(fetched.events), fetched.until, fetched.complete, latest, fetched.error)


def _batches(streams: Mapping[str, Sequence[Event]], group: Group, scope: Scope, *, now: datetime) -> Iterator[Batch]:
    """One for each environment of a function that is watched, of what it does not send itself.

    ``now`` is the moment by which the sweep moves on: what it passes must have been kept.
    """
    writers = {name: each for name, each in scope.functions.items() if log_group(each) == group.name}
    for stream, events in streams.items():
        name, version = stream_of(stream)
        writer = writers.get(name) if name else _only(writers, group.name)
        if writer is None:
            continue
        if log_groups.pushes(writer, now=scope.now):
            until = min(group.pushes_since or clock.EPOCH, now - LATE)  # By then it has sent what it would send.
            events = [event for event in events if event.at <= until]
        if events:
            function = _described(writer, version)
            yield Batch(scope.organization_id, writer.resource_id, function, scope.region, events)


def _told(batches: Iterable[Batch], scope: Scope) -> list[Record]:
    """What the batches say, without what an extension has sent, that was added or removed meanwhile."""
    by_function: defaultdict[int, list[Record]] = defaultdict(list)
    for batch in batches:
        by_function[batch.resource_id] += parse_stream(batch)
    pushed = {each.resource_id: each.pushed_at for each in scope.functions.values() if each.pushed_at}
    for resource_id in by_function.keys() & pushed.keys():
        until = pushed[resource_id] + PUSH_SLACK
        by_function[resource_id] = copies.left_out(by_function[resource_id], until=until)
    return [record for records in by_function.values() for record in records]


def _only(writers: Mapping[str, Function], group: str) -> Function | None:
    """The function whose own group it is, when the stream does not name one: what others write elsewhere stays out."""
    own = [each for each in writers.values() if group == log_group(each) and group.endswith(f"/{each.name}")]
    return own[0] if len(writers) == 1 and own else None


def _described(function: Function, version: str) -> FunctionInfo:
    config = function.config
    return FunctionInfo(
        arn=function.arn,
        name=function.name,
        version=version,
        memory_mb=config.get("memory_mb"),
        timeout_s=config.get("timeout_s"),
        runtime=config.get("runtime") or "",
        architecture=config.get("architecture") or "",
        init_type=PROVISIONED if version in _kept_ready(config) else "",
        ephemeral_mb=config.get("ephemeral_mb"),
    )


def _kept_ready(config: Mapping[str, Any]) -> set[str]:
    """The versions that provisioned concurrency is configured for, by themselves or through an alias.

    A text log does not tell what spilled over to other environments: it counts as served by these.
    """
    aliases = config.get("aliases") or {}
    names = [each["qualifier"] for each in config.get("provisioned") or ()]
    return {aliases[name]["version"] if name in aliases else name for name in names}


def store(records: Sequence[Record], *, now: datetime) -> int:
    """Store them in the caller's transaction, and answer how many were new; what is refused becomes a dead letter."""
    try:
        with transaction.atomic():
            stored = get_store().append(records, now=now)
    except REFUSED as error:
        if len(records) == 1:
            bury([_letter(records[0], error)], now=now)
            return 0
        middle = len(records) // 2
        return store(records[:middle], now=now) + store(records[middle:], now=now)
    return stored.invocations + stored.log_lines + stored.faults


def _letter(record: Record, error: Exception) -> Letter:
    reason = f"{type(error).__name__}: {error}"
    kind = type(record).__name__.lower()
    return Letter(record.organization_id, f"logs:{kind}:{record.event_id.hex()}", 1, "refused", reason, record)
