"""CloudWatch Logs as AWS has it: stable event ids, pages in order of time, and reads that do not scan everything.

moto numbers events by a counter of its process; AWS's ids stay what they are. Here an id follows from what the event is
and where, so that a simulation that starts again and tells the same story is stored once.
"""

import json
from bisect import bisect_left, bisect_right
from hashlib import blake2b
from heapq import merge
from typing import Any

from moto.logs.exceptions import LogsClientError
from moto.logs.models import LogEvent, LogGroup, LogStream
from moto.logs.responses import LogsResponse
from moto.logs.utils import EventMessageFilter

MOST_EVENTS = 10_000
MOST_BYTES = 1_048_576
OVERHEAD = 26  # What AWS counts for each event besides its message.


original_put = LogStream.put_log_events
original_describe = LogGroup.to_describe_dict
STANDARD = "STANDARD"


def put_log_events(stream: Any, log_events: list[dict[str, Any]]) -> str:
    """Store events, give them their ids, and keep the stream in order of time."""
    known = len(stream.events)
    token: str = original_put(stream, log_events)
    seen: dict[bytes, int] = vars(stream).setdefault("seen", {})
    fresh = stream.events[known:]
    for event in fresh:
        event.order = (event.timestamp, event.event_id)
        event.event_id = event_id(stream, event, seen)
    stream.events = sorted(stream.events, key=order)
    return token


def order(event: Any) -> tuple[int, int]:
    """By time, and within a millisecond as the events came."""
    found: tuple[int, int] = event.order
    return found


def event_id(stream: Any, event: LogEvent, seen: dict[bytes, int]) -> str:
    """56 digits, as AWS's are; the same line at the same millisecond gets another one each time."""
    what = f"{stream.arn} {event.timestamp} {event.message}"
    key = blake2b(what.encode(), digest_size=8).digest()
    seen[key] = seen.get(key, 0) + 1
    digest = blake2b(f"{what} {seen[key]}".encode(), digest_size=17).digest()
    return f"{event.timestamp:014d}{int.from_bytes(digest, 'big') % 10**42:042d}"


def filter_log_events(
    group: Any,
    log_group_name: str,
    log_stream_names: list[str],
    start_time: int | None,
    end_time: int | None,
    limit: int | None,
    next_token: str | None,
    filter_pattern: str,
    interleaved: bool,
) -> tuple[list[dict[str, Any]], str | None, list[dict[str, Any]]]:
    """One page of at most 10,000 events or 1 MiB, over all streams in order of time; the token says where it ended."""
    after = (start_time or 0, -1)
    if next_token:
        timestamp, number = map(int, next_token.split("-"))
        after = max(after, (timestamp, number))
    until = (end_time + 1, -1) if end_time is not None else None
    runs = [
        [(*order(event), name, event) for event in between(stream.events, after, until)]
        for name, stream in list(group.streams.items())
        if not log_stream_names or name in log_stream_names
    ]
    pattern = EventMessageFilter(filter_pattern)
    found = (row for row in merge(*runs) if not filter_pattern or pattern.matches(row[-1].message))
    page: list[dict[str, Any]] = []
    size, most, last = 0, min(limit or MOST_EVENTS, MOST_EVENTS), ""
    for at, count, name, event in found:
        size += len(event.message.encode()) + OVERHEAD
        if page and (len(page) == most or size > MOST_BYTES):
            return page, last, []
        page.append(event.to_filter_dict() | {"logStreamName": name})
        last = f"{at}-{count}"
    return page, None, []


def answer_filter_log_events(response: Any) -> str:
    """The group by name or by ARN; a group of the infrequent access class cannot be read so."""
    name = response._get_param("logGroupName") or response._get_param("logGroupIdentifier").split(":log-group:")[-1]
    group = response.logs_backend.groups.get(name)
    if group and log_class(group) != STANDARD:
        raise LogsClientError(
            "InvalidOperationException", f"FilterLogEvents is not supported for log groups of class {log_class(group)}."
        )
    names = ("startTime", "endTime", "limit", "nextToken", "filterPattern")
    start, end, limit, token, pattern = (response._get_param(parameter) for parameter in names)
    events, following, searched = response.logs_backend.filter_log_events(
        name, response._get_param("logStreamNames", []), start, end, limit, token, pattern, True
    )
    answer = {"events": events, "searchedLogStreams": searched} | ({"nextToken": following} if following else {})
    return json.dumps(answer)


def create_log_group(response: Any) -> str:
    name = response._get_param("logGroupName")
    tags, key = response._get_param("tags"), response._get_param("kmsKeyId")
    group = response.logs_backend.create_log_group(name, tags, kmsKeyId=key)
    group.log_class = response._get_param("logGroupClass") or STANDARD
    return ""


def describe(group: Any) -> dict[str, Any]:
    found: dict[str, Any] = original_describe(group)
    return found | {"logGroupClass": log_class(group)}


def log_class(group: Any) -> str:
    """Groups that Lambda or CloudFormation made have no class of their own."""
    return str(vars(group).get("log_class", STANDARD))


def between(events: list[Any], after: tuple[int, int], until: tuple[int, int] | None) -> list[Any]:
    """The events behind ``after`` and before ``until``, found by halving."""
    start = bisect_right(events, after, key=order)
    end = len(events) if until is None else bisect_left(events, until, key=order)
    return events[start:end]


def forget(group: Any, before: int) -> None:
    """Drop events older than ``before`` (milliseconds), as retention does."""
    for name, stream in list(group.streams.items()):
        kept = between(stream.events, (before, -1), None)
        if not kept and stream.events:
            del group.streams[name]
        elif len(kept) < len(stream.events):
            stream.events, stream.seen = kept, {}


# Owner, name, what stands there instead.
AMENDMENTS = (
    (LogStream, "put_log_events", put_log_events),
    (LogGroup, "filter_log_events", filter_log_events),
    (LogGroup, "to_describe_dict", describe),
    (LogsResponse, "create_log_group", create_log_group),
    (LogsResponse, "filter_log_events", answer_filter_log_events),
)
