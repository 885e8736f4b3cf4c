"""What functions wrote to CloudWatch Logs. What is read when is decided by ``ingest.log_reading``.

Log groups are listed to know their retention and their class; the rest is FilterLogEvents, of which AWS allows five a
second in an account's region. It answers in order of time, with 10,000 events or 1 MB on a page, or none and a token.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from ingest import clock
from ingest.collector import Found, Harvest, Permission, Scope
from ingest.parser import Event
from ingest.scrub import scrub
from observability.aws.problems import AwsError
from observability.aws.sessions import Region
from observability.telemetry.records import Window

Answer = Mapping[str, Any]

PREFIX = "/aws/lambda/"
GROUPS = "arn:${AWS::Partition}:logs:*:${AWS::AccountId}:log-group:*"
PAGES = 3
"""So many pages of one group are read in one go; then others have their turn."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The events of a window up to ``until``. ``error`` is what ended it before its end, unless ``PAGES`` did."""

    events: Sequence[Answer]
    until: datetime
    complete: bool
    calls: int
    error: AwsError | None = None


class LambdaLogs:
    """Log groups of the functions that are watched, and their events."""

    kind = "lambda_logs"
    title = "Function logs"
    every = timedelta(seconds=10)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="logs:FilterLogEvents",
            why="Reads what your functions write to their logs: each invocation with its duration, cost and errors.",
            without="No invocations, logs or errors, except of functions whose extension sends them.",
            probe=("logs", "filter_log_events", {"logGroupName": f"{PREFIX}nightjar-probe", "limit": 1}),
            resource=GROUPS,
        ),
        Permission(
            action="logs:DescribeLogGroups",
            why="Tells how long logs are kept and which log groups cannot be read so, so that gaps are explained.",
            without="Missing logs show up without the reason.",
            probe=("logs", "describe_log_groups", {"limit": 1}),
            wild="Log groups are listed for a whole region.",
        ),
    )

    def fetch(self, aws: Region, scope: Scope) -> list[Answer]:
        """The log groups that functions write to by default, and others that functions of this scope name."""
        groups = {log_group(each) for each in scope.functions.values()}
        return [
            page
            for prefix in (PREFIX, *sorted(group for group in groups if not group.startswith(PREFIX)))
            for page in aws.pages("logs", "describe_log_groups", logGroupNamePrefix=prefix)
        ]

    def transform(self, raw: Sequence[Answer], scope: Scope) -> Harvest:
        wanted = {log_group(each) for each in scope.functions.values()}
        groups = [group for page in raw for group in page["logGroups"] if group["logGroupName"] in wanted]
        return Harvest(found=[_found(group) for group in groups], complete=frozenset({"log_group"}))


def _found(group: Answer) -> Found:
    config = {"retention_days": group.get("retentionInDays"), "class": group.get("logGroupClass", "STANDARD")}
    return Found(type="log_group", arn=group["arn"], name=group["logGroupName"], config=config)


class Writer(Protocol):
    """A function, as a collector or the inventory knows it."""

    @property
    def name(self) -> str: ...

    @property
    def config(self) -> Mapping[str, Any]: ...


def log_group(function: Writer) -> str:
    """Where a function writes its logs."""
    return str(function.config.get("log_group") or f"{PREFIX}{function.name}")


def fetch_events(aws: Region, group: str, window: Window, *, beyond: datetime, pages: int = PAGES) -> Fetched:
    """The events of one window, as AWS tells them; after ``pages`` pages it is enough, if it got ``beyond`` there.

    Raises ``AwsError`` when it did not get there; else what was read before is worth keeping.
    """
    start, end = clock.milliseconds(window.start), clock.milliseconds(window.end)
    events: list[Answer] = []
    calls, last, ordered = 0, start, True
    if start >= end:
        return Fetched(events, window.end, True, calls)
    told = aws.pages(
        "logs", "filter_log_events", logGroupName=group, startTime=start, endTime=end - 1, interleaved=True
    )
    try:
        for calls, page in enumerate(told, start=1):
            for event in page["events"]:
                ordered, last = ordered and event["timestamp"] >= last, max(last, event["timestamp"])
            events += page["events"]
            if calls >= pages and ordered and last > clock.milliseconds(beyond):
                return Fetched(events, moment(last), False, calls)
    except AwsError as error:
        if not ordered or last <= clock.milliseconds(beyond):
            raise
        return Fetched(events, moment(last), False, calls, error)
    return Fetched(events, window.end, True, calls)


def transform_events(told: Sequence[Answer], group: str, scope: Scope) -> dict[str, list[Event]]:
    """The events of each log stream, scrubbed, in their order, each with an id that is the same for ever.

    The day comes from the event's own time: when it was read does not matter to where it is stored.
    """
    streams: dict[str, list[Event]] = {}
    seen: dict[str, int] = {}
    place = f"{scope.organization_id}\0{scope.account}\0{scope.region}\0{group}\0"
    base = blake2b(place.encode(), digest_size=16)
    for event, message in zip(told, scrubbed([event["message"] for event in told]), strict=True):
        at_ms, stream = event["timestamp"], event["logStreamName"]
        name = f"{stream}\0{at_ms}\0{event.get('eventId') or _unnamed(event, seen)}"
        digest = base.copy()
        digest.update(name.encode())
        day = clock.day(at_ms // clock.DAY_MS)
        streams.setdefault(stream, []).append(Event(digest.digest(), day, moment(at_ms), "function", message))
    return streams


def _unnamed(event: Answer, seen: dict[str, int]) -> str:
    """What tells an event without an id from others: when it came in, and how many of the same were before it."""
    run = f"{event['logStreamName']}\0{event['timestamp']}\0{event.get('ingestionTime')}"
    seen[run] = seen.get(run, 0) + 1
    return f"{event.get('ingestionTime')}\0{seen[run]}"


def scrubbed(messages: Sequence[str]) -> list[str]:
    """The messages without secrets, all at once: that is much quicker than one by one."""
    try:
        body = msgspec.json.encode(messages)
    except ValueError:  # Half of a surrogate pair, which JSON may hold and UTF-8 may not.
        return scrubbed([text.encode("utf-8", "replace").decode() for text in messages])
    clean = msgspec.json.decode(scrub(body), type=list[str])
    if len(clean) != len(messages):  # What began in one message seemed to end in another.
        return [scrubbed([message])[0] for message in messages]
    return clean


def moment(at_ms: int) -> datetime:
    """A time in Unix ms."""
    return clock.EPOCH + timedelta(milliseconds=at_ms)
