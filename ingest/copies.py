"""Records of a log that are copies of what the function's extension has sent.

Until an extension is removed everywhere, some environments send and others do not, and when it sent last is only noted
once a minute. So what is a copy is told by what is stored, and not by when it happened.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from observability.telemetry.records import Fault, Invocation, LogLine, Record, Window
from observability.telemetry.store import get_store

APART = timedelta(seconds=5)
"""So far the times of a copy may differ."""

LONGEST = timedelta(minutes=16)
"""How long an invocation may run, and some more: its report is at its end."""

PAGE, FAULTS = 5_000, 100_000
"""So many rows are read at a time; failures all at once, for a window of a log has no more."""


def left_out(records: Sequence[Record], *, until: datetime) -> list[Record]:
    """The records of one function without copies among those that happened up to ``until``."""
    doubtful = [each for each in records if _at(each) <= until]
    if not doubtful:
        return list(records)
    sent = Sent(doubtful)
    copies = {id(each) for each in doubtful if sent.has(each)}
    return [each for each in records if id(each) not in copies]


class Sent:
    """What is stored of the invocations and the time that these records of one function are about, save themselves."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._owner, self._resource = records[0].organization_id, records[0].resource_id
        self._own = {each.event_id for each in records}
        times = [_at(each) for each in records]
        first, last = min(times), max(times) + APART
        self._runs = {each.request_id for each in self._invocations(Window(first - LONGEST, last))}
        self._faults = {_failure(each) for each in self._failures(Window(first - LONGEST, last))}
        self._lines: Mapping[str, list[LogLine]] = defaultdict(list)
        for line in self._told(Window(first - APART, last)):
            self._lines[line.message].append(line)

    def has(self, record: Record) -> bool:
        if isinstance(record, Invocation):
            return record.request_id in self._runs
        if isinstance(record, Fault):
            return _failure(record) in self._faults
        return any(
            abs(line.at - record.at) <= APART and (line.request_id in ("", record.request_id) or not record.request_id)
            for line in self._lines.get(record.message, ())
        )

    def _invocations(self, window: Window) -> Iterator[Invocation]:
        place: tuple[datetime, bytes] | None = None
        while page := get_store().invocations(
            self._owner, window, resource_id=self._resource, before=place, limit=PAGE
        ):
            yield from (each for each in page if each.event_id not in self._own)
            place = page[-1].started_at, page[-1].event_id

    def _told(self, window: Window) -> Iterator[LogLine]:
        place: tuple[datetime, bytes] | None = None
        while page := get_store().log_lines(self._owner, window, resource_id=self._resource, after=place, limit=PAGE):
            yield from (each for each in page if each.event_id not in self._own)
            place = page[-1].at, page[-1].event_id

    def _failures(self, window: Window) -> list[Fault]:
        found = get_store().faults(self._owner, window, resource_id=self._resource, limit=FAULTS)
        return [each for each in found if each.event_id not in self._own]


def _at(record: Record) -> datetime:
    return record.started_at if isinstance(record, Invocation) else record.at


def _failure(fault: Fault) -> tuple[str, str, str]:
    """What makes two witnesses of a failure one: the invocation, or the words where it failed before any."""
    return fault.request_id, fault.kind, "" if fault.request_id else fault.message
