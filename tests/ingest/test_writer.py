"""From the buffer to stored facts, with everything that may go wrong on the way."""

import json
import uuid
from datetime import datetime, timedelta
from threading import Event

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from redis import Redis

from ingest import digest as digest_module
from ingest.brake import Brake
from ingest.buffer import GROUP, STREAM, RedisBuffer, connect
from ingest.dead_letters import unseal
from ingest.digest import Digest
from ingest.entry import Entry, encode_entry
from ingest.lanes import BRAKE, Lanes, lane
from ingest.metrics import Count, counted
from ingest.models import DeadLetter
from ingest.parser import Batch
from ingest.replay import replay
from ingest.writer import MOST_ATTEMPTS, Writer
from observability.inventory.models import Resource
from observability.inventory.resources import Resources
from observability.telemetry.records import Level, LogLine, Record, Window
from observability.telemetry.store import Store
from observability.telemetry.stores.postgres import PostgresStore
from observability.tenants.models import Organization
from tests.conftest import ARN

HOUR = timedelta(hours=1)


def uuid7(at: datetime) -> uuid.UUID:
    raw = (int(at.timestamp() * 1000) << 80) | 7 << 76 | (uuid.uuid4().int & ((1 << 76) - 1))
    return uuid.UUID(int=raw & ~(3 << 62) | 2 << 62)


def entry(organization: Organization, *messages: str, name: str = "checkout", at: datetime | None = None) -> Entry:
    """A request with one log line for each message."""
    at = at or timezone.now()
    events = [
        {"id": str(uuid7(at)), "time": at.isoformat(), "type": "function", "record": message} for message in messages
    ]
    envelope = {"schema": 1, "function": {"arn": ARN + name, "memory_mb": 512}, "events": events}
    return Entry(organization.pk, 1, "", at, len(events), json.dumps(envelope).encode())


@pytest.fixture
def redis() -> "Redis":
    return connect(settings.REDIS_URL, timeout_s=5)


@pytest.fixture
def store() -> PostgresStore:
    return PostgresStore()


@pytest.fixture
def buffer(redis: "Redis") -> RedisBuffer:
    buffer = RedisBuffer(redis, 1_000_000)
    buffer.ensure_group()
    return buffer


@pytest.fixture
def writer(db: None, redis: "Redis", buffer: RedisBuffer, store: PostgresStore) -> Writer:
    return Writer(buffer, Digest(store, Resources(), Brake()), Lanes(redis), redis, timezone.now, Event())


def drain(writer: Writer) -> None:
    """Work until nothing is left to read."""
    while True:
        writer.cycle()
        state = writer.redis.xinfo_groups(STREAM)[0]
        if not state["lag"] if "lag" in state else not writer.redis.xlen(STREAM):
            return


def messages(store: Store, organization: Organization) -> list[str]:
    now = timezone.now()
    lines = store.log_lines(organization.pk, Window(now - HOUR, now + HOUR), limit=10_000)
    return sorted(line.message for line in lines)


class TestStoring:
    def test_it_works(
        self, writer: Writer, buffer: RedisBuffer, store: PostgresStore, acme: Organization, redis: "Redis"
    ) -> None:
        buffer.put(entry(acme, "a", "b"))
        buffer.put(entry(acme, "c", name="billing"))
        drain(writer)
        assert messages(store, acme) == ["a", "b", "c"]
        assert buffer.depth() == 0
        assert sorted(Resource.objects.values_list("name", flat=True)) == ["billing", "checkout"]
        assert counted(redis)[Count.LOG_LINES] == 3

    def test_a_repeated_entry_is_stored_once(
        self, writer: Writer, buffer: RedisBuffer, store: PostgresStore, acme: Organization, redis: "Redis"
    ) -> None:
        again = entry(acme, "a", "b")
        buffer.put(again)
        buffer.put(again)
        drain(writer)
        buffer.put(again)
        drain(writer)
        assert messages(store, acme) == ["a", "b"]
        assert counted(redis)[Count.DUPLICATES] == 4

    @pytest.mark.parametrize(
        ("count", "messages", "sizes"),
        [
            pytest.param(90, ["a"] * 100, [90], id="one batch, though a little more than was aimed at"),
            pytest.param(20, ["x" * 5_000_000], [13, 7], id="64 MiB at once, however little the buffer holds"),
        ],
    )
    def test_it_stores_as_much_at_once_as_is_good(
        self,
        writer: Writer,
        buffer: RedisBuffer,
        acme: Organization,
        monkeypatch: pytest.MonkeyPatch,
        count: int,
        messages: list[str],
        sizes: list[int],
    ) -> None:
        each, stored = entry(acme, *messages), list[int]()
        for _ in range(count):
            buffer.put(each)
        monkeypatch.setattr(Writer, "handle_slice", lambda _, part: stored.append(len(part)))
        writer.handle(buffer.read("me", count=count, block_ms=100))
        assert stored == sizes

    def test_an_entry_of_a_dead_writer_is_taken_over(
        self, writer: Writer, buffer: RedisBuffer, store: PostgresStore, acme: Organization, redis: "Redis"
    ) -> None:
        for message in "abc":
            buffer.put(entry(acme, message))
        left = buffer.read("dead", count=3, block_ms=1)
        redis.xclaim(STREAM, GROUP, "dead", 0, [each.entry_id for each in left], idle=60_000, justid=True)
        writer.look_around()
        assert messages(store, acme) == ["a", "b", "c"]
        assert buffer.depth() == 0

    def test_it_waits_for_the_database_without_losing_anything(
        self,
        writer: Writer,
        buffer: RedisBuffer,
        store: PostgresStore,
        acme: Organization,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        attempts = []

        def flaky(*args: object, **kwargs: object) -> object:
            attempts.append(1)
            if len(attempts) < 3:
                raise OperationalError("the server is gone")
            return append(*args, **kwargs)  # type: ignore[arg-type]  # Passed on as it came.

        append = store.append
        monkeypatch.setattr(store, "append", flaky)
        monkeypatch.setattr("ingest.writer.connection.close", lambda: None)  # The test's transaction lives in it.
        buffer.put(entry(acme, "a"))
        writer.cycle()
        assert len(attempts) == 3
        assert messages(store, acme) == ["a"]
        assert buffer.depth() == 0

    def test_told_to_stop_it_leaves_what_it_cannot_store(
        self, writer: Writer, buffer: RedisBuffer, acme: Organization, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(*args: object, **kwargs: object) -> object:
            writer.stop.set()
            raise OperationalError("the server is gone")

        monkeypatch.setattr(writer.digest, "run", gone)
        monkeypatch.setattr("ingest.writer.connection.close", lambda: None)  # The test's transaction lives in it.
        buffer.put(entry(acme, "a"))
        writer.run()
        assert buffer.depth() == 1

    def test_an_organization_that_is_gone_is_forgotten(
        self, writer: Writer, buffer: RedisBuffer, acme: Organization, redis: "Redis"
    ) -> None:
        buffer.put(entry(acme, "a", "b"))
        Organization.objects.all().delete()
        drain(writer)
        assert buffer.depth() == 0
        assert counted(redis)[Count.DROPPED] == 2


def poisonous(batch: Batch) -> list[Record]:
    """A parser that lets NUL through, and falls over the word "crash"."""
    if any(event.record == "crash" for event in batch.events):
        raise ZeroDivisionError("in a parser")
    return [
        LogLine(
            batch.organization_id, batch.resource_id, event.day, event.event_id, event.at, "", Level.INFO,
            str(event.record).replace("NUL", "\0"),
        )
        for event in batch.events
    ]  # fmt: skip


@pytest.fixture
def _careless_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_module, "parse", poisonous)


@pytest.mark.usefixtures("_careless_parser")
class TestDeadLetters:
    def test_each_bad_row_is_kept_once_and_each_good_one_stored(
        self, writer: Writer, buffer: RedisBuffer, store: PostgresStore, acme: Organization
    ) -> None:
        bad = entry(acme, "a", "NUL b", "c")
        for each in (entry(acme, "d"), bad, entry(acme, "e", "f")):
            buffer.put(each)
        writer.at_once = 10
        drain(writer)
        assert messages(store, acme) == ["a", "c", "d", "e", "f"]
        [letter] = DeadLetter.objects.all()
        assert (letter.organization, letter.code, letter.position) == (acme, "refused", 2)
        kept = unseal(bytes(letter.payload))
        assert isinstance(kept, LogLine)
        assert kept.message == "\0 b"

    def test_the_same_entry_again_makes_no_second_letter(
        self, writer: Writer, buffer: RedisBuffer, acme: Organization
    ) -> None:
        fields = encode_entry(entry(acme, "NUL", "a"))
        for _ in range(2):
            writer.digest.run([("1-1", fields)], now=timezone.now())
        assert DeadLetter.objects.count() == 1

    def test_an_entry_that_a_parser_fails_on_is_kept_whole(
        self, writer: Writer, buffer: RedisBuffer, store: PostgresStore, acme: Organization
    ) -> None:
        for each in (entry(acme, "a"), entry(acme, "crash", "b"), entry(acme, "c")):
            buffer.put(each)
        drain(writer)
        assert messages(store, acme) == ["a", "c"]
        assert [letter.code for letter in DeadLetter.objects.all()] == ["parser_failed"]

    def test_a_corrupt_entry_is_kept_whole(
        self, writer: Writer, buffer: RedisBuffer, acme: Organization, redis: "Redis"
    ) -> None:
        fields = encode_entry(entry(acme, "a")) | {b"body": b"not zstd"}
        redis.xadd(STREAM, dict(fields.items()))
        redis.xadd(STREAM, {"org": "nobody"})
        drain(writer)
        assert [letter.code for letter in DeadLetter.objects.all()] == ["corrupt_entry"]
        assert redis.xlen(lane(0)) == 1
        assert buffer.depth() == 0

    def test_what_ends_writers_again_and_again_is_kept_and_not_tried(
        self, writer: Writer, buffer: RedisBuffer, store: PostgresStore, acme: Organization, redis: "Redis"
    ) -> None:
        buffer.put(entry(acme, "poison"))
        [delivery] = buffer.read("dead", count=1, block_ms=1)
        redis.xclaim(STREAM, GROUP, "dead", 0, [delivery.entry_id], idle=60_000, retrycount=MOST_ATTEMPTS - 1)
        redis.xclaim(STREAM, GROUP, "dead", 0, [delivery.entry_id], idle=60_000, justid=True)
        writer.look_around()
        assert [letter.code for letter in DeadLetter.objects.all()] == ["undeliverable"]
        assert messages(store, acme) == []
        assert buffer.depth() == 0

    def test_after_a_fix_replay_stores_them_once(
        self,
        writer: Writer,
        buffer: RedisBuffer,
        store: PostgresStore,
        acme: Organization,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        buffer.put(entry(acme, "crash", "a"))
        buffer.put(entry(acme, "NUL b"))
        drain(writer)
        ids = list(DeadLetter.objects.order_by("id").values_list("id", flat=True))
        assert replay(ids, store, now=timezone.now()) == (0, 2)
        assert set(DeadLetter.objects.values_list("attempts", flat=True)) == {2}
        monkeypatch.undo()
        assert replay(ids, store, now=timezone.now()) == (1, 1)
        assert replay(ids, store, now=timezone.now()) == (0, 1)
        assert messages(store, acme) == ["a", "crash"]


@pytest.mark.usefixtures("_careless_parser")
class TestBrake:
    def test_one_bad_organization_is_parked_and_comes_back(
        self,
        writer: Writer,
        buffer: RedisBuffer,
        store: PostgresStore,
        acme: Organization,
        rival: Organization,
        redis: "Redis",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        buffer.put(entry(rival, *["fine"] * 50))
        buffer.put(entry(acme, *["NUL"] * 150))
        buffer.put(entry(rival, "fine too"))
        writer.at_once = 10
        drain(writer)
        assert len(messages(store, rival)) == 51
        assert DeadLetter.objects.count() == 0
        assert redis.xlen(lane(acme.pk)) == 1
        assert buffer.depth() == 0
        monkeypatch.setattr(digest_module, "parse", lambda batch: poisonous(batch)[:0])
        monkeypatch.setattr("ingest.lanes.PARK", timedelta())
        writer.clock = lambda: timezone.now() + HOUR
        writer.looked_at = float("-inf")
        drain(writer)
        assert redis.xlen(lane(acme.pk)) == 0

    def test_bad_everywhere_stops_writing_and_buries_nothing(
        self, writer: Writer, buffer: RedisBuffer, acme: Organization, rival: Organization, redis: "Redis"
    ) -> None:
        buffer.put(entry(rival, *["NUL"] * 60))
        buffer.put(entry(acme, *["NUL"] * 60))
        writer.at_once = 10
        writer.stop.set()
        writer.cycle()
        assert redis.exists(BRAKE)
        assert buffer.depth() == 2
        assert DeadLetter.objects.count() == 0
        writer.cycle()
        assert counted(redis)[Count.BRAKES] == 1


def test_names_of_long_gone_writers_are_forgotten(
    writer: Writer, buffer: RedisBuffer, redis: "Redis", acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer.put(entry(acme, "a"))
    buffer.read("busy", count=1, block_ms=1)
    buffer.read("idle", count=1, block_ms=1)
    monkeypatch.setattr("ingest.writer.GONE_MS", -1)
    writer.stop.set()
    writer.run()
    assert [each["name"] for each in redis.xinfo_consumers(STREAM, GROUP)] == [b"busy"]
