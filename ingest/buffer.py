"""Where accepted telemetry waits for the writer: one Redis stream, one consumer group.

An entry leaves the stream only when the writer has committed it (``ack``). Nothing is ever trimmed or evicted: when
Redis fills up, ``put`` refuses and the sender keeps its data.
"""

import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, cast

from django.conf import settings
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry

from ingest.entry import Entry, Fields, encode_entry
from ingest.pressure import Gauge
from ingest.refusal import Code, RefusedError

logger = logging.getLogger(__name__)

STREAM = "ingest:events"
GROUP = "writer"
TIMEOUT_S = 0.8
"""An outage of Redis must become a 503 within two seconds: one try and one more, each this long at most."""

DOWN_S = 0.5
"""How long everyone is refused at once after an outage was noticed, so that threads do not queue up to wait for it."""

QUOTA_BURST_S = 2
"""An organization may spend this many seconds of its quota at once."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry handed to a writer; ``attempts`` counts how often it has been handed out, this time included."""

    entry_id: bytes
    fields: Fields
    attempts: int = 1


class Buffer(Protocol):
    """At-least-once hand-over from the edge to the writer."""

    def put(self, entry: Entry) -> None:
        """Append, durably. Raises ``RefusedError``: quota, buffer_full or unavailable."""

    def read(self, consumer: str, *, count: int, block_ms: int) -> list[Delivery]:
        """Entries that nobody has read yet, oldest first; waits up to ``block_ms`` for the first."""

    def reclaim(self, consumer: str, *, min_idle_ms: int, count: int) -> list[Delivery]:
        """Entries that another reader (or an earlier life) took and has not acknowledged for ``min_idle_ms``."""

    def ack(self, entry_ids: Sequence[bytes]) -> None:
        """The entries are stored (or dead-lettered): forget them."""

    def depth(self) -> int:
        """Entries that are not acknowledged yet, whether read or not."""


# Quota (GCRA over events, on Redis's own clock) and append in one round trip; nothing is written when refused.
PUT = """
local rate, burst, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local due = math.max(tonumber(redis.call('GET', KEYS[2]) or now), now)
local wait = due - now - burst * 1000000
if wait > 0 then return wait end
due = due + n * 1000000 / rate
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 4))
redis.call('SET', KEYS[2], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000) + 1000)
return 0
"""


@dataclass(slots=True)
class RedisBuffer:
    """``Buffer`` over Redis Streams. Safe to share between threads."""

    redis: "Redis"
    events_per_second: int
    _script: str = ""
    _gauge: Gauge = field(default_factory=Gauge)
    _down_until: float = float("-inf")

    def put(self, entry: Entry) -> None:
        try:
            self._refuse_when_unsafe()
            wait_us = self._append(entry)
        except RedisError as error:
            if isinstance(error, ResponseError) and "OOM" in str(error):
                raise full() from None
            self._down_until = time.monotonic() + DOWN_S
            raise unavailable() from None
        if wait_us:
            seconds = wait_us // 1_000_000 + 1
            raise RefusedError(
                Code.QUOTA,
                "The organization's quota of events per second is spent.",
                retry_after=jitter(seconds, seconds + 2),
            )

    def read(self, consumer: str, *, count: int, block_ms: int) -> list[Delivery]:
        try:
            answer = self.redis.xreadgroup(GROUP, consumer, {STREAM: ">"}, count=count, block=block_ms)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self.ensure_group()
            return []
        entries = cast("list[Any]", answer or [])
        return [Delivery(entry_id, fields) for _, batch in entries for entry_id, fields in batch]

    def reclaim(self, consumer: str, *, min_idle_ms: int, count: int) -> list[Delivery]:
        try:
            answer = self.redis.xautoclaim(STREAM, GROUP, consumer, min_idle_ms, start_id="0-0", count=count)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self.ensure_group()
            return []
        claimed = [(entry_id, fields) for entry_id, fields in answer[1] if fields]
        if not claimed:
            return []
        pending = cast(
            "list[dict[str, Any]]",
            self.redis.xpending_range(STREAM, GROUP, claimed[0][0], claimed[-1][0], count * 10, consumername=consumer),
        )
        attempts = {row["message_id"]: int(row["times_delivered"]) for row in pending}
        return [Delivery(entry_id, fields, attempts.get(entry_id, 2)) for entry_id, fields in claimed]

    def ack(self, entry_ids: Sequence[bytes]) -> None:
        if not entry_ids:
            return
        with self.redis.pipeline(transaction=True) as both:
            both.xack(STREAM, GROUP, *entry_ids)
            both.xdel(STREAM, *entry_ids)
            both.execute()

    def depth(self) -> int:
        return self.redis.xlen(STREAM)

    def ensure_group(self) -> None:
        """Create stream and group where they are missing."""
        try:
            self.redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def _append(self, entry: Entry) -> int:
        """Put the entry unless the quota is spent; how many µs to wait in that case, else 0."""
        fields = [part for pair in encode_entry(entry).items() for part in pair]
        quota = f"ingest:quota:{entry.organization_id}"
        arguments = (STREAM, quota, self.events_per_second, QUOTA_BURST_S, entry.count, *fields)
        if not self._script:
            self._script = self.redis.script_load(PUT)
        try:
            return int(cast("int", self.redis.evalsha(self._script, 2, *arguments)))  # type: ignore[arg-type]  # Bytes are fine.
        except NoScriptError:
            return int(cast("int", self.redis.eval(PUT, 2, *arguments)))  # type: ignore[arg-type]  # Bytes are fine.

    def _refuse_when_unsafe(self) -> None:
        if time.monotonic() < self._down_until:
            raise unavailable()
        self._gauge.read(self.redis)
        if self._gauge.evicts:
            logger.error("buffer.evicts")  # maxmemory-policy must be noeviction.
            raise unavailable()
        if self._gauge.is_full:
            raise full()


def full() -> RefusedError:
    return RefusedError(Code.BUFFER_FULL, "Telemetry waits to be stored; try later.", retry_after=jitter(2, 30))


def unavailable() -> RefusedError:
    return RefusedError(Code.UNAVAILABLE, "Telemetry cannot be accepted right now.", retry_after=jitter(2, 10))


def jitter(low: int, high: int) -> int:
    """Whole seconds to wait, spread so that senders do not come back together."""
    return low + secrets.randbelow(high - low + 1)


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> "Redis":
    """A client that fails fast: one retry, bounded waits. A reader that blocks needs a longer ``timeout_s``."""
    return Redis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=TIMEOUT_S, retry=Retry(ConstantBackoff(0.05), 1)
    )


@cache
def get_buffer() -> RedisBuffer:
    """This process's buffer for ``put``."""
    return RedisBuffer(connect(settings.REDIS_URL), settings.INGEST_EVENTS_PER_SECOND)
