"""A function whose extension is removed, or added: what it sends is not read again, and nothing else is left out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import pytest

from ingest import copies, log_reading
from ingest.collector import Function
from ingest.log_groups import PUSHES, PUSHES_FOR, Group
from ingest.log_windows import LATE, Place
from ingest.models import LogGroup
from ingest.parser import Batch, Event, FunctionInfo
from ingest.parsers import parse
from observability.inventory.models import Resource
from observability.inventory.resources import SEEN_EVERY
from observability.telemetry.records import Invocation, Record, Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.ingest.logs import HOUR, MINUTE, NOW, REGION, SECOND, Logs, connect, function, invocation, known, scope

GROUP = "/aws/lambda/checkout"
WHOLE = Window(NOW - 30 * timedelta(days=1), NOW + timedelta(days=1))
TRACEBACK = '[ERROR] ValueError: boom\nTraceback (most recent call last):\n  File "/var/task/app.py", line 1, in h\n'
NAMES = UUID(int=7)


def request_of(number: int) -> str:
    return f"{number:08d}-49c9-448d-89b8-7ca3e6dc66aa"


def sent(owner: Organization, checkout: Function, number: int, at: datetime, *, failed: bool = False) -> list[Record]:
    """What the extension tells of the invocation that ``invocation`` writes to the log."""
    request_id, status = request_of(number), "error" if failed else "success"
    metrics = {"durationMs": 12.0, "billedDurationMs": 12, "memorySizeMB": 128, "maxMemoryUsedMB": 60}
    line = TRACEBACK if failed else invocation(number)[1]
    events = [
        Event(uuid5(NAMES, f"{number} {kind}").bytes, at.date(), at + 3 * timedelta(milliseconds=1), kind, record)
        for kind, record in (
            ("platform.start", {"requestId": request_id, "version": "$LATEST"}),
            ("function", line),
            ("platform.runtimeDone", {"requestId": request_id, "status": status}),
            ("platform.report", {"requestId": request_id, "status": status, "metrics": metrics}),
        )
    ]
    about = FunctionInfo(arn=checkout.arn, name="checkout", version="$LATEST", memory_mb=128, timeout_s=3)
    return parse(Batch(owner.pk, checkout.resource_id, about, REGION, events))


def write(
    logs: Logs, number: int, at: datetime, *, failed: bool = False, stream: str = "a", late: timedelta = timedelta()
) -> None:
    """The same in the log, where it is with or without an extension."""
    lines = invocation(number)
    for message in [lines[0], TRACEBACK, *lines[2:]] if failed else lines:
        logs.say(GROUP, message, at=at, late=late, stream=f"2026/11/25/[$LATEST]{stream}")


class Removal:
    """Invocations 0 to 99, one a second; the extension tells of those up to 59, and of 65 from an old environment."""

    def __init__(self, acme: Organization) -> None:
        self.acme, self.logs, self.account = acme, Logs(groups={GROUP: []}), connect(acme)
        self.checkout = function(acme, "checkout")
        records: list[Record] = []
        for number in range(100):
            at, failed = NOW + number * SECOND, number % 10 == 0
            write(self.logs, number, at, failed=failed, stream="b" if number >= 60 else "a")
            if number < 60 or number == 65:
                records += sent(acme, self.checkout, number, at, failed=failed)
        get_store().append(records, now=NOW + 2 * MINUTE)
        Resource.objects.update(pushed_at=NOW + 65 * SECOND)
        self.cursor: object = {}

    def run(self, start: datetime, end: datetime) -> None:
        self.logs.now = start
        while self.logs.now < end:
            self.logs.now += 20 * SECOND
            functions = [known(row) for row in Resource.objects.all()]
            told = log_reading.read_due(
                aws=self.logs, scope=scope(self.acme, *functions, now=self.logs.now, cursor=self.cursor),
                account_pk=self.account.pk, clock=lambda: self.logs.now, patience=20 * SECOND,
            )  # fmt: skip
            self.cursor = told.cursor

    def stored(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        store, owner = get_store(), self.acme.pk
        lines = store.log_lines(owner, WHOLE, limit=10_000)
        return (
            Counter(each.request_id for each in store.invocations(owner, WHOLE, limit=10_000)),
            Counter(each.request_id for each in lines if each.level != "PLATFORM"),
            Counter(each.request_id for each in store.faults(owner, WHOLE, limit=10_000)),
        )


class Addition(Removal):
    """The same the other way round: the extension tells of those from 60 on. Every seventh line comes in late."""

    def __init__(self, acme: Organization) -> None:
        self.acme, self.logs, self.account = acme, Logs(groups={GROUP: []}), connect(acme)
        self.checkout, self.cursor = function(acme, "checkout"), {}
        for number in range(100):
            at, late = NOW + number * SECOND, (number % 7 == 0) * 14 * MINUTE
            write(self.logs, number, at, failed=number % 10 == 0, late=late)

    def go_on(self) -> None:
        self.run(NOW, NOW + MINUTE)
        records = [
            record
            for number in range(60, 100)
            for record in sent(
                self.acme, self.checkout, number, NOW + number * SECOND, failed=number % 10 == 0
            )
        ]  # fmt: skip
        get_store().append(records, now=NOW + 2 * MINUTE)
        while self.logs.now < NOW + HOUR:
            Resource.objects.update(pushed_at=self.logs.now)
            self.run(self.logs.now, self.logs.now + MINUTE)


def once(numbers: Sequence[int]) -> Counter[str]:
    return Counter(request_of(number) for number in numbers)


@pytest.mark.parametrize("noted", range(0, 61, 15))
def test_nothing_is_lost_and_nothing_twice_when_an_extension_is_removed(acme: Organization, noted: int) -> None:
    removal = Removal(acme)
    assert SEEN_EVERY <= MINUTE  # So much earlier it may have been noted when the extension sent last.
    Resource.objects.update(pushed_at=NOW + 65 * SECOND - noted * SECOND)
    removal.run(NOW + MINUTE, NOW + HOUR)
    everything = once(range(100))
    assert removal.stored() == (everything, everything, once(range(0, 100, 10)))
    assert LogGroup.objects.get().trouble == ""


def test_nothing_is_lost_and_nothing_twice_when_an_extension_is_added(acme: Organization) -> None:
    addition = Addition(acme)
    addition.go_on()
    everything = once(range(100))
    assert addition.stored() == (everything, everything, once(range(0, 100, 10)))
    assert LogGroup.objects.get().trouble == PUSHES
    addition.logs.asked.clear()
    addition.run(NOW + HOUR, NOW + HOUR + 10 * MINUTE)
    assert not addition.logs.asked


def test_what_the_sweep_passes_was_kept_though_the_turn_of_a_group_came_late(acme: Organization) -> None:
    checkout, logs, turn = function(acme, "checkout"), Logs(groups={GROUP: []}), NOW + 20 * SECOND
    write(logs, 1, turn - LATE - SECOND)
    logs.now = turn
    group = Group(0, GROUP, Place(NOW, NOW - HOUR), None, pushes_since=NOW)
    gathered = log_reading.gather(
        logs, scope(acme, replace(checkout, pushed_at=NOW)), group, Window(NOW - HOUR, turn), beyond=NOW, now=turn
    )
    assert [each.request_id for each in gathered.records if isinstance(each, Invocation)] == [request_of(1)]


def test_a_report_that_comes_with_the_end_of_an_old_environment_costs_nothing(acme: Organization) -> None:
    removal = Removal(acme)
    late = NOW + 12 * MINUTE
    get_store().append(sent(acme, removal.checkout, 100, NOW + 59 * SECOND), now=late)
    write(removal.logs, 100, NOW + 59 * SECOND)
    Resource.objects.update(pushed_at=late)
    removal.run(NOW + MINUTE, late + PUSHES_FOR + 30 * MINUTE)
    everything = once(range(101))
    assert removal.stored() == (everything, everything, once(range(0, 100, 10)))


def test_what_the_extension_did_not_get_to_send_is_read(acme: Organization) -> None:
    """It sent the line, and was gone before the report."""
    removal = Removal(acme)
    write(removal.logs, 200, NOW + 30 * SECOND)
    half = [each for each in sent(acme, removal.checkout, 200, NOW + 30 * SECOND) if hasattr(each, "message")]
    get_store().append(half, now=NOW + MINUTE)
    removal.run(NOW + MINUTE, NOW + HOUR)
    runs, lines, _ = removal.stored()
    assert (runs[request_of(200)], lines[request_of(200)]) == (1, 1)


def test_lines_without_an_invocation_are_told_apart_by_their_words(acme: Organization) -> None:
    checkout = function(acme, "checkout")

    def line(text: str, at: datetime, name: str) -> list[Record]:
        event = Event(uuid5(NAMES, name).bytes, at.date(), at, "function", text)
        return parse(Batch(acme.pk, checkout.resource_id, FunctionInfo(arn=checkout.arn), REGION, [event]))

    get_store().append(line("starting", NOW, "sent"), now=NOW)
    pulled = [*line("starting", NOW, "copy"), *line("ready", NOW, "new"), *line("starting", NOW + MINUTE, "later")]
    assert copies.left_out(pulled, until=NOW + HOUR) == pulled[1:]
    assert copies.left_out(pulled, until=NOW - SECOND) == pulled


def test_what_is_read_again_is_no_copy_of_itself(acme: Organization) -> None:
    checkout = function(acme, "checkout")
    pulled = sent(acme, checkout, 1, NOW, failed=True)
    get_store().append(pulled, now=NOW)
    assert copies.left_out(pulled, until=NOW + HOUR) == pulled


def test_any_number_of_records_is_looked_at(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "PAGE", 7)
    removal = Removal(acme)
    removal.run(NOW + MINUTE, NOW + HOUR)
    everything = once(range(100))
    assert removal.stored() == (everything, everything, once(range(0, 100, 10)))
