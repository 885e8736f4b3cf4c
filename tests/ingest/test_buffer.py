"""The buffer keeps what it took until it is acknowledged, and refuses what it cannot keep."""

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest
from django.conf import settings as django_settings
from redis import Redis
from redis.exceptions import ResponseError

from ingest.buffer import GROUP, STREAM, Delivery, RedisBuffer, connect
from ingest.entry import CorruptEntryError, Entry, decode_entry, encode_entry
from ingest.pressure import Memory, measure
from ingest.refusal import Code, RefusedError

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
BODY = b'[{"time":"2026-11-23T08:00:00Z","type":"function","record":"x"}]'
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
DEAF = "redis://127.0.0.1:1/0"


def entry(count: int = 1, organization_id: int = 1) -> Entry:
    return Entry(organization_id, 2, ARN, NOW, count, BODY)


@pytest.fixture
def redis() -> Iterator[Redis]:
    client = connect(django_settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture
def buffer(redis: Redis) -> RedisBuffer:
    return RedisBuffer(redis, events_per_second=1_000)


def refusal(buffer: RedisBuffer, refused: Entry) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        buffer.put(refused)
    return caught.value


def ids(deliveries: list[Delivery]) -> list[bytes]:
    return [delivery.entry_id for delivery in deliveries]


class TestHandOver:
    def test_what_is_put_is_read_in_order(self, buffer: RedisBuffer) -> None:
        for organization_id in (1, 2, 3):
            buffer.put(entry(organization_id=organization_id))
        assert buffer.read("a", count=10, block_ms=1) == []  # Creates the group.
        batches = [decode_entry(delivery.fields) for delivery in buffer.read("a", count=10, block_ms=1)]
        assert [batch.organization_id for batch in batches] == [1, 2, 3]
        assert (batches[0].function.arn, batches[0].received_at, len(batches[0].events)) == (ARN, NOW, 1)

    def test_an_entry_goes_to_one_reader(self, buffer: RedisBuffer) -> None:
        buffer.ensure_group()
        buffer.put(entry())
        assert len(buffer.read("a", count=10, block_ms=1)) == 1
        assert buffer.read("b", count=10, block_ms=1) == []

    def test_what_a_dead_reader_took_is_reclaimed_and_counted(self, buffer: RedisBuffer) -> None:
        buffer.ensure_group()
        buffer.put(entry())
        taken = buffer.read("dead", count=10, block_ms=1)
        assert buffer.reclaim("b", min_idle_ms=60_000, count=10) == []
        again = buffer.reclaim("b", min_idle_ms=0, count=10)
        assert (ids(again), again[0].attempts, again[0].fields) == (ids(taken), 2, taken[0].fields)
        assert buffer.reclaim("c", min_idle_ms=0, count=10)[0].attempts == 3

    def test_only_acknowledging_empties_it(self, buffer: RedisBuffer) -> None:
        buffer.ensure_group()
        buffer.put(entry())
        taken = buffer.read("a", count=10, block_ms=1)
        assert buffer.depth() == 1
        buffer.ack(ids(taken))
        buffer.ack([])
        assert (buffer.depth(), buffer.reclaim("b", min_idle_ms=0, count=10)) == (0, [])

    def test_a_lost_group_is_made_again(self, buffer: RedisBuffer, redis: Redis) -> None:
        buffer.put(entry())
        assert buffer.reclaim("a", min_idle_ms=0, count=10) == []
        assert len(buffer.read("a", count=10, block_ms=1)) == 1
        redis.xgroup_destroy(STREAM, GROUP)
        assert buffer.read("a", count=10, block_ms=1) == []
        assert len(buffer.read("a", count=10, block_ms=1)) == 1

    def test_a_forgotten_script_is_loaded_again(self, buffer: RedisBuffer, redis: Redis) -> None:
        buffer.put(entry())
        redis.script_flush()
        buffer.put(entry())
        assert buffer.depth() == 2


class TestQuota:
    def test_past_the_quota_an_organization_waits_and_others_do_not(self, buffer: RedisBuffer) -> None:
        for _ in range(3):
            buffer.put(entry(count=1_000))
        refused = refusal(buffer, entry(count=1))
        assert (refused.code, refused.status) == (Code.QUOTA, 429)
        assert refused.retry_after is not None
        assert refused.retry_after >= 1
        assert buffer.depth() == 3
        buffer.put(entry(count=1, organization_id=2))

    def test_the_quota_comes_back(self, redis: Redis) -> None:
        generous = RedisBuffer(redis, events_per_second=1_000_000)
        for _ in range(50):
            generous.put(entry(count=1_000))
        assert generous.depth() == 50


class TestRefusal:
    def test_an_absent_redis_is_a_503_and_the_next_one_does_not_wait(self) -> None:
        away = RedisBuffer(connect(DEAF), events_per_second=1)
        for _ in range(2):
            refused = refusal(away, entry())
            assert (refused.code, refused.status) == (Code.UNAVAILABLE, 503)
        assert refused.retry_after in range(2, 11)

    def test_a_high_water_mark_holds_until_the_low_one(
        self, buffer: RedisBuffer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ingest.pressure.FRESH_S", 0)
        answers = []
        for used in (0.69, 0.70, 0.51, 0.49, 0.69):
            memory = Memory(used, evicts=False)
            monkeypatch.setattr("ingest.pressure.measure", lambda _redis, memory=memory: memory)
            try:
                buffer.put(entry())
                answers.append("accepted")
            except RefusedError as refused:
                answers.append(refused.code)
        assert answers == ["accepted", Code.BUFFER_FULL, Code.BUFFER_FULL, "accepted", "accepted"]

    def test_a_redis_that_evicts_is_not_trusted(self, buffer: RedisBuffer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ingest.pressure.measure", lambda _redis: Memory(0.0, evicts=True))
        assert refusal(buffer, entry()).code is Code.UNAVAILABLE

    def test_a_redis_without_room_is_full(self, buffer: RedisBuffer, monkeypatch: pytest.MonkeyPatch) -> None:
        def without_room(*_: object) -> None:
            raise ResponseError("Error running script: -OOM command not allowed when used memory > 'maxmemory'.")

        monkeypatch.setattr(RedisBuffer, "_append", without_room)
        assert refusal(buffer, entry()).code is Code.BUFFER_FULL

    @pytest.mark.parametrize(
        ("limit", "policy", "expected"),
        [
            (200, "noeviction", Memory(0.25, evicts=False)),
            (200, "allkeys-lru", Memory(0.25, evicts=True)),
            (0, "allkeys-lru", Memory(0.0, evicts=False)),
        ],
    )
    def test_memory_is_what_redis_says(self, limit: int, policy: str, expected: Memory) -> None:
        redis = Mock(info=lambda _: {"used_memory": 50, "maxmemory": limit, "maxmemory_policy": policy})
        assert measure(redis) == expected


class TestEntry:
    @pytest.mark.parametrize(
        "change",
        [
            {b"v": b"2"}, {b"org": b"x"}, {b"at": b"9" * 30}, {b"body": b"rubbish"}, {b"arn": b"\xff"}, {b"arn": b""},
        ],
    )  # fmt: skip
    def test_what_is_not_ours_is_corrupt(self, change: dict[bytes, bytes]) -> None:
        with pytest.raises(CorruptEntryError):
            decode_entry(encode_entry(entry()) | change)

    def test_a_missing_field_is_corrupt(self) -> None:
        with pytest.raises(CorruptEntryError):
            decode_entry({})
