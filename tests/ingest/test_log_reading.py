"""Log groups to stored facts: nothing is missed, nothing is there twice, and no group stands in another's way."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, repeat
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection

from ingest import log_groups, log_reading
from ingest.collector import Function, Scope
from ingest.log_groups import Group
from ingest.log_windows import LATE
from ingest.models import DeadLetter, LogGroup
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.inventory.models import Resource
from observability.telemetry.pricing import invocation_usd, price
from observability.telemetry.records import Fault, FaultKind, Invocation, LogLine, Outcome, Record, Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.ingest.logs import HOUR, MINUTE, NOW, REGION, SECOND, Logs, connect, function, invocation, known, scope

GROUP = "/aws/lambda/checkout"
WHOLE = Window(NOW - 30 * timedelta(days=1), NOW + timedelta(days=1))


@dataclass
class Reader:
    """Reads one account's region turn by turn, in simulated time."""

    logs: Logs
    account: AwsAccount
    functions: list[Function]
    cursor: Any = field(default_factory=dict)
    note: str = ""

    def scope(self) -> Scope:
        return scope(self.account.organization, *self.functions, now=self.logs.now, cursor=self.cursor)

    def turn(self, patience: timedelta = 20 * SECOND) -> None:
        read = log_reading.read_due(
            aws=self.logs,
            scope=self.scope(),
            account_pk=self.account.pk,
            clock=lambda: self.logs.now,
            patience=patience,
        )
        self.cursor, self.note = read.cursor, read.note

    def run(self, until: datetime, every: timedelta = 10 * SECOND) -> None:
        while self.logs.now < until:
            self.logs.now += every
            if self.logs.throttle:
                with suppress(AwsError):
                    self.turn()
            else:
                self.turn()


@pytest.fixture
def reader(acme: Organization) -> Reader:
    return Reader(Logs(groups={GROUP: []}), connect(acme), [function(acme, "checkout")])


def messages(reader: Reader) -> Counter[str]:
    lines = get_store().log_lines(reader.account.organization_id, WHOLE, limit=100_000)
    return Counter(line.message for line in lines if line.level != "PLATFORM")


def invocations(reader: Reader) -> list[Invocation]:
    return get_store().invocations(reader.account.organization_id, WHOLE, limit=10_000)


def faults(reader: Reader) -> list[Fault]:
    return get_store().faults(reader.account.organization_id, WHOLE)


class TestReading:
    def test_stores_what_a_function_wrote(self, reader: Reader, acme: Organization) -> None:
        for message in invocation(1):
            reader.logs.say(GROUP, message, at=NOW - MINUTE, stream="2026/11/25/[7]a")
        reader.turn()
        [found] = invocations(reader)
        assert (found.resource_id, found.version) == (reader.functions[0].resource_id, "$LATEST")
        assert (found.outcome, found.duration_ms, found.memory_mb) == (Outcome.SUCCESS, 12.0, 128)
        assert found.cost_usd > 0
        assert messages(reader) == {"line 1": 1}
        row = LogGroup.objects.get()
        assert (row.read_until, row.last_event_at) == (NOW - 2 * SECOND, NOW - MINUTE)
        assert row.due_at == NOW + 20 * SECOND

    @pytest.mark.parametrize("qualifier", ["live", "7"])
    def test_prices_what_provisioned_concurrency_serves_as_such(self, acme: Organization, qualifier: str) -> None:
        aliases = {"live": {"version": "7", "weights": {}}}
        provisioned = [{"qualifier": qualifier, "requested": 5}]
        row = function(acme, "checkout", aliases=aliases, provisioned=provisioned)
        reader = Reader(Logs(groups={GROUP: []}), connect(acme), [row])
        for number, version in ((1, "7"), (2, "6")):
            for message in invocation(number):
                reader.logs.say(GROUP, message, at=NOW - MINUTE, stream=f"2026/11/25/[{version}]a")
        reader.turn()
        cheap, usual = sorted(found.cost_usd for found in invocations(reader))
        for usd, rate in ((cheap, price(REGION, "arm64", provisioned=True)), (usual, price(REGION, "arm64"))):
            assert usd == invocation_usd(rate, billed_ms=12, memory_mb=128)

    def test_reads_again_what_came_before_so_that_a_report_has_its_evidence(self, reader: Reader) -> None:
        """A report of the text format that says nothing is judged by the error before it, read a turn earlier."""
        start, _, end, report = invocation(1)
        reader.logs.say(GROUP, start, at=NOW - 2 * MINUTE)
        reader.logs.say(GROUP, "[ERROR] ValueError: boom\nTraceback (most recent call last):", at=NOW - 3 * SECOND)
        reader.turn()
        for message in (end, report):
            reader.logs.say(GROUP, message, at=NOW)
        reader.run(NOW + 20 * SECOND)
        assert [one.outcome for one in invocations(reader)] == [Outcome.ERROR]
        assert [(one.kind, one.type) for one in faults(reader)] == [(FaultKind.EXCEPTION, "ValueError")]

    def test_costs_one_call_a_turn_and_less_where_nothing_happens(self, reader: Reader) -> None:
        reader.run(NOW + HOUR)
        filtered = len(reader.logs.asked)
        assert filtered <= 5 + 6
        reader.logs.asked.clear()
        for second in range(0, 3600, 5):
            reader.logs.say(GROUP, "busy", at=NOW + HOUR + second * SECOND)
        log_groups.wake(account_pk=reader.account.pk, region=REGION, names={"checkout"}, now=reader.logs.now)
        reader.run(NOW + 2 * HOUR)
        assert len(reader.logs.asked) <= 3600 / 20 + 5

    def test_names_scrubs_and_bounds(self, reader: Reader) -> None:
        reader.logs.say(GROUP, '{"message": "login", "password": "correct horse"}', at=NOW - MINUTE)
        reader.logs.say(GROUP, "much too old", at=NOW - 40 * timedelta(days=1))
        LogGroup.objects.all().delete()
        reader.turn()
        LogGroup.objects.update(read_until=NOW - 60 * timedelta(days=1), due_at=NOW)
        LogGroup.objects.update(swept_until=NOW - 60 * timedelta(days=1))
        reader.turn()
        assert messages(reader) == {"login": 1}
        [line] = get_store().log_lines(reader.account.organization_id, WHOLE, text="login")
        assert "correct horse" not in line.attributes


class TestAttribution:
    def test_of_a_shared_group_is_by_the_name_of_the_stream(self, acme: Organization, reader: Reader) -> None:
        shared = [function(acme, name, log_group="/shop/all") for name in ("a", "b")]
        reader.functions = shared
        for name in ("a", "b", "unwatched"):
            reader.logs.say("/shop/all", f"by {name}", at=NOW - MINUTE, stream=f"2026/11/25/{name}[$LATEST]1")
        reader.logs.say("/shop/all", "by somebody", at=NOW - MINUTE, stream="somebody")
        reader.turn()
        lines = get_store().log_lines(acme.pk, WHOLE)
        assert {(line.resource_id, line.message) for line in lines} == {
            (each.resource_id, f"by {each.name}") for each in shared
        }

    def test_of_a_group_of_one_function_needs_no_name(self, reader: Reader) -> None:
        reader.logs.say(GROUP, "hello", at=NOW - MINUTE, stream="custom")
        reader.turn()
        assert messages(reader) == {"hello": 1}

    def test_leaves_out_what_an_extension_sends(self, acme: Organization, reader: Reader) -> None:
        shared = [function(acme, name, log_group="/shop/all") for name in ("pulled", "pushes", "pushed")]
        for each, ago in ((shared[1], 5 * MINUTE), (shared[2], 20 * MINUTE)):
            Resource.objects.filter(pk=each.resource_id).update(pushed_at=NOW - ago)
        reader.functions = [known(row) for row in Resource.objects.filter(pk__in=[each.resource_id for each in shared])]
        for name in ("pulled", "pushes", "pushed"):
            for minutes in (30, 1):
                stream = f"2026/11/25/{name}[$LATEST]1"
                reader.logs.say("/shop/all", f"{name} {minutes}", at=NOW - minutes * MINUTE, stream=stream)
        reader.turn()
        assert set(messages(reader)) == {"pulled 30", "pulled 1", "pushed 30", "pushed 1"}


class TestFairness:
    def test_a_noisy_group_does_not_keep_quiet_ones_waiting(self, acme: Organization, reader: Reader) -> None:
        reader.logs.page = 10
        reader.functions += [function(acme, f"quiet{number}") for number in range(5)]
        for second in range(600):
            reader.logs.say(GROUP, f"noise {second}", at=NOW - 20 * MINUTE + second * SECOND)
        for each in reader.functions[1:]:
            reader.logs.say(f"/aws/lambda/{each.name}", each.name, at=NOW - MINUTE)
        reader.logs.now = NOW
        log_groups.cover(
            account_pk=reader.account.pk, region=REGION, functions=reader.scope().functions, now=NOW - SECOND
        )
        LogGroup.objects.filter(name=GROUP).update(due_at=NOW - HOUR)
        order: list[str] = []
        asked = reader.logs.filter_log_events
        reader.logs.filter_log_events = lambda **each: (order.append(each["logGroupName"]), asked(**each))[1]  # type: ignore[method-assign,func-returns-value]
        reader.turn()
        assert order[0] == GROUP
        assert set(order[1:6]) == {f"/aws/lambda/quiet{number}" for number in range(5)}
        assert messages(reader).total() == 600 + 5

    def test_a_turn_ends_in_time(self, acme: Organization, reader: Reader) -> None:
        reader.functions += [function(acme, f"other{number}") for number in range(9)]
        for each in reader.functions:
            reader.logs.say(f"/aws/lambda/{each.name}", "x", at=NOW - MINUTE)

        def slow(**asked: Any) -> Iterator[dict[str, Any]]:
            reader.logs.now += 6 * SECOND
            return Logs.filter_log_events(reader.logs, **asked)

        reader.logs.filter_log_events = slow  # type: ignore[method-assign]
        reader.turn(patience=20 * SECOND)
        assert len(reader.logs.asked) == 4


class TestTrouble:
    def two(self, acme: Organization, reader: Reader, trouble: Trouble) -> None:
        reader.functions.append(function(acme, "other"))
        reader.logs.say("/aws/lambda/other", "hello", at=NOW - MINUTE)
        reader.logs.broken = {GROUP: trouble}

    @pytest.mark.parametrize(
        ("trouble", "name"),
        [
            (Trouble.ACCESS_DENIED, "access_denied"),
            (Trouble.NOT_FOUND, "missing_log_group"),
            (Trouble.REFUSED, "refused"),
        ],
    )
    def test_of_one_group_is_named_there_and_the_rest_goes_on(
        self, acme: Organization, reader: Reader, trouble: Trouble, name: str
    ) -> None:
        self.two(acme, reader, trouble)
        reader.turn()
        assert dict(LogGroup.objects.values_list("name", "trouble")) == {GROUP: name, "/aws/lambda/other": ""}
        assert messages(reader) == {"hello": 1}
        assert bool(reader.note) is (trouble is Trouble.ACCESS_DENIED)
        del reader.logs.broken[GROUP]
        reader.run(NOW + 5 * MINUTE)
        assert LogGroup.objects.get(name=GROUP).trouble == ""

    @pytest.mark.parametrize(
        "trouble", [Trouble.THROTTLED, Trouble.UNREACHABLE, Trouble.REGION_DISABLED, Trouble.ACCOUNT_SUSPENDED]
    )
    def test_of_the_whole_region_ends_the_turn_and_everything_stays_due(
        self, acme: Organization, reader: Reader, trouble: Trouble
    ) -> None:
        self.two(acme, reader, trouble)
        reader.logs.broken |= {"/aws/lambda/other": trouble}
        with pytest.raises(AwsError):
            reader.turn()
        assert len(reader.logs.asked) == 1
        assert set(LogGroup.objects.values_list("due_at", "trouble")) == {(NOW, "")}

    def test_after_something_was_read_is_no_failure(self, acme: Organization, reader: Reader) -> None:
        self.two(acme, reader, Trouble.THROTTLED)
        LogGroup.objects.all().delete()
        log_groups.cover(account_pk=reader.account.pk, region=REGION, functions=reader.scope().functions, now=NOW)
        LogGroup.objects.filter(name="/aws/lambda/other").update(due_at=NOW - MINUTE)
        reader.turn()
        assert messages(reader) == {"hello": 1}

    def test_of_naming_log_groups_keeps_nothing_from_being_read(
        self, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def denied(self: Logs, **asked: Any) -> Iterator[dict[str, Any]]:
            raise AwsError(Trouble.ACCESS_DENIED, "logs:DescribeLogGroups")

        monkeypatch.setattr(Logs, "describe_log_groups", denied)
        reader.logs.say(GROUP, "hello", at=NOW - MINUTE)
        reader.turn()
        assert messages(reader) == {"hello": 1}
        assert "logs:DescribeLogGroups" in reader.note

    def test_a_record_that_storing_refuses_becomes_a_dead_letter(
        self, reader: Reader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = get_store()
        append = store.append

        def picky(records: list[Record], *, now: datetime) -> object:
            if any(isinstance(record, LogLine) and record.message == "bad" for record in records):
                raise ValueError("bad")
            return append(records, now=now)

        monkeypatch.setattr(store, "append", picky)
        for message in ("a", "bad", "b"):
            reader.logs.say(GROUP, message, at=NOW - MINUTE)
        for _ in range(2):
            reader.turn()
            LogGroup.objects.update(due_at=NOW)
        assert messages(reader) == {"a": 1, "b": 1}
        assert [letter.code for letter in DeadLetter.objects.all()] == ["refused"]


def late_events(reader: Reader, count: int, seed: int = 5) -> Counter[str]:
    """Half an hour of events of two functions, up to 15 minutes late, many in the same millisecond."""
    chance = random.Random(seed)
    told: Counter[str] = Counter()
    for number in range(count):
        at = NOW + chance.choice([timedelta(seconds=chance.randrange(1800)), timedelta(milliseconds=77_777)])
        late = timedelta(seconds=chance.choice([0, 1, 30, 300, 899, 900]))
        group = chance.choice([GROUP, "/aws/lambda/other"])
        reader.logs.say(group, f"event {number}", at=at, late=late, stream=f"2026/11/25/[1]{number % 7}")
        told[f"event {number}"] += 1
    return told


def in_two_threads(act: Callable[[], object]) -> None:
    """Do it twice at once; what fails in a thread fails here."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            act()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [Thread(target=guarded) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.django_db(transaction=True)
def test_late_events_are_all_there_once_with_two_readers_racing(
    reader: Reader, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R23 in small: 4,000 events, empty pages, same milliseconds; no lease keeps the readers from the same group."""
    monkeypatch.setattr(log_groups, "LEASE", timedelta())
    reader.functions.append(function(acme, "other"))
    reader.logs.page, reader.logs.empty = 300, True
    told = late_events(reader, 4_000)
    reader.turn()  # Makes the rows.
    meet = Barrier(2)

    def race() -> None:
        while meet.wait(timeout=20) is not None and reader.logs.now < NOW + 65 * MINUTE:
            if meet.wait(timeout=20) == 0:
                reader.logs.now += 30 * SECOND
            meet.wait(timeout=20)
            moments = [reader.logs.now] * 5
            log_reading.read_due(
                aws=reader.logs, scope=reader.scope(), account_pk=reader.account.pk,
                clock=chain(moments, repeat(reader.logs.now + HOUR)).__next__, patience=MINUTE,
            )  # fmt: skip

    in_two_threads(race)
    assert messages(reader) == told


@pytest.mark.django_db(transaction=True)
def test_two_readers_of_the_same_window_store_it_once(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have fetched and parsed everything before either stores it."""
    for number in range(200):
        reader.logs.say(GROUP, f"event {number}", at=NOW - MINUTE)
    log_groups.cover(account_pk=reader.account.pk, region=REGION, functions=reader.scope().functions, now=NOW)
    group = log_groups.claim(account_pk=reader.account.pk, region=REGION, now=NOW)
    assert group is not None
    meet, hold = Barrier(2), log_groups.hold

    def together(mine: Group) -> bool:
        meet.wait(timeout=20)
        return hold(mine)

    monkeypatch.setattr(log_groups, "hold", together)
    in_two_threads(lambda: log_reading.read_group(reader.logs, reader.scope(), group, now=NOW))
    assert messages(reader).total() == 200
    assert set(messages(reader).values()) == {1}


def test_under_throttling_nothing_is_missing_and_few_calls_are_wasted(reader: Reader, acme: Organization) -> None:
    """R24 in small: three of ten calls are throttled for an hour."""
    reader.functions.append(function(acme, "other"))
    told = late_events(reader, 1_000)
    calls = []
    for throttle in (0.0, 0.3):
        LogGroup.objects.all().delete()
        reader.logs.now, reader.logs.throttle, reader.logs.calls, reader.cursor = NOW, throttle, 0, {}
        reader.run(NOW + 70 * MINUTE, every=20 * SECOND)
        calls.append(reader.logs.calls)
    assert messages(reader) == told
    assert calls[1] <= 1.6 * calls[0]


def test_an_outage_is_caught_up_in_one_long_reading(reader: Reader) -> None:
    reader.run(NOW + MINUTE)
    for minute in range(300):
        reader.logs.say(GROUP, f"{minute}", at=NOW + minute * MINUTE)
    reader.logs.now = NOW + 6 * HOUR
    reader.logs.asked.clear()
    reader.turn()
    assert len(reader.logs.asked) == 1
    assert messages(reader).total() == 300
    assert LogGroup.objects.get().swept_until == NOW + 6 * HOUR - LATE


def state() -> list[Any]:
    """What is stored, and how far each group has been read."""
    with connection.cursor() as cursor:
        found: list[Any] = []
        for query in (
            "SELECT read_until, swept_until, idle, pace, trouble, last_event_at FROM ingest_loggroup",
            "SELECT event_id FROM telemetry_log_line ORDER BY 1",
            "SELECT event_id FROM telemetry_invocation ORDER BY 1",
            "SELECT resource_id, start, invocations FROM telemetry_rollup_minute ORDER BY 1, 2",
        ):
            cursor.execute(query)
            found.append(cursor.fetchall())
    return found


@pytest.mark.django_db(transaction=True)
def test_whatever_dies_in_between_the_next_turn_makes_it_good(reader: Reader) -> None:
    """Killed before each statement in turn: a whole reading is stored or nothing, and repeating it is enough."""
    for number in range(3):
        for message in invocation(number):
            reader.logs.say(GROUP, message, at=NOW - MINUTE)
    log_groups.cover(account_pk=reader.account.pk, region=REGION, functions=reader.scope().functions, now=NOW)
    reader.cursor = {"covered": NOW.isoformat(), "described": NOW.isoformat()}
    before, killed = state(), 0
    for most in range(100):
        try:
            with connection.execute_wrapper(Killer(most)):
                reader.turn()
        except OperationalError:
            connection.close()
            killed += 1
            if state() != before:
                break  # It died only after the commit.
            LogGroup.objects.update(due_at=NOW)
        else:
            break
    assert killed > 15
    assert messages(reader) == {f"line {number}": 1 for number in range(3)}
    assert len(invocations(reader)) == 3
    after = state()
    LogGroup.objects.update(due_at=NOW, read_until=NOW - HOUR, swept_until=NOW - HOUR, idle=0)
    reader.turn()
    LogGroup.objects.update(idle=0)
    assert state() == after  # Read twice is stored once.


@dataclass
class Killer:
    """An execute wrapper under which the connection dies after so many statements."""

    most: int
    count: int = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += 1
        if self.count > self.most:
            raise OperationalError("killed")
        return execute(sql, params, many, context)
