"""The writer: reads the buffer, stores, acknowledges. A plain process; any number of them may run at once.

An entry is acknowledged only after the commit that holds it, so whatever dies, it is handed out again. A single
entry that was handed out before is stored by itself: if it is what ends the process, it takes no others with it.
"""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from time import monotonic

from django.db import DatabaseError, InterfaceError, connection
from redis import Redis
from redis.exceptions import RedisError

from ingest import metrics
from ingest.brake import BrakeError
from ingest.buffer import GROUP, STREAM, Delivery, RedisBuffer
from ingest.compression import expanded_size
from ingest.digest import Digest, Outcome, event_count, organization_of, slices
from ingest.lanes import UNREADABLE, Lanes
from ingest.metrics import Count

logger = logging.getLogger(__name__)

BLOCK_MS = 500
EVENTS_AT_ONCE = 8_000
ENTRIES_AT_ONCE = 400
MOST_AT_ONCE = 2 * EVENTS_AT_ONCE
"""What was read is cut only above this: a small rest would cost a transaction of its own."""
BYTES_PER_EVENT = 4096
"""So much of a body, once unpacked, counts as an event; repetitive ones are a thousand times smaller in the buffer."""

RECLAIM_EVERY_S = 1.0
IDLE_MS = 5_000
"""An entry that another writer has had for so long is taken over."""

GONE_MS = 3_600_000
MOST_ATTEMPTS = 5
BACKOFF_S = (0.2, 5.0)


def consumer_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def weight(delivery: Delivery) -> int:
    """What an entry adds to a batch, in events."""
    return event_count(delivery.fields) + expanded_size(delivery.fields.get(b"body", b"")) // BYTES_PER_EVENT


def forget_consumers(redis: "Redis") -> None:
    """Every process reads under a name of its own; take the names of long gone ones off the list."""
    consumers = redis.xinfo_consumers(STREAM, GROUP) if redis.exists(STREAM) else []
    for each in consumers:
        if each["pending"] == 0 and each["idle"] > GONE_MS:
            redis.xgroup_delconsumer(STREAM, GROUP, each["name"])


@dataclass(slots=True)
class Writer:
    """One writer. ``stop`` ends it after the batch in hand."""

    buffer: RedisBuffer
    digest: Digest
    lanes: Lanes
    redis: "Redis"
    clock: Callable[[], datetime]
    stop: Event
    consumer: str = field(default_factory=consumer_name)
    at_once: int = 1
    looked_at: float = float("-inf")
    parked: set[int] = field(default_factory=set)
    backoff_s: float = 0.0

    def run(self) -> None:
        """Work until ``stop`` is set. Redis or PostgreSQL being away only makes it wait."""
        with suppress(RedisError):
            forget_consumers(self.redis)
        while not self.stop.is_set():
            try:
                self.cycle()
                self.backoff_s = 0.0
            except RedisError as error:
                self.wait(error)
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                self.wait(error)

    def cycle(self) -> None:
        """Store what is waiting, or wait half a second for it."""
        if monotonic() - self.looked_at >= RECLAIM_EVERY_S:
            self.look_around()
        if self.lanes.paused():
            self.stop.wait(BLOCK_MS / 1000)
            return
        deliveries = self.buffer.read(self.consumer, count=self.at_once, block_ms=BLOCK_MS)
        if deliveries:
            self.handle(deliveries)
            self.adapt(deliveries)

    def look_around(self) -> None:
        """Every second: take over what others left behind, bring parked entries back."""
        self.looked_at = monotonic()
        # Taking over counts as an attempt; while nothing can be stored, that would be unfair.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        now = self.clock()
        self.lanes.unpark(now=now)
        self.parked = self.lanes.parked(now=now)
        count = 1
        while not self.stop.is_set() and not self.lanes.paused():
            left = self.buffer.reclaim(self.consumer, min_idle_ms=IDLE_MS, count=count)
            for delivery in left:
                self.handle([delivery])
            if len(left) < count:
                break
            count = min(count * 2, ENTRIES_AT_ONCE)

    def adapt(self, deliveries: Sequence[Delivery]) -> None:
        """Read as many entries next time as make a good batch of events."""
        total = sum(map(weight, deliveries))
        fitting = EVENTS_AT_ONCE * len(deliveries) // max(total, 1)
        self.at_once = max(1, min(fitting, 4 * self.at_once, ENTRIES_AT_ONCE))

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Store and acknowledge, a slice at a time."""
        for part in slices([weight(each) for each in deliveries], MOST_AT_ONCE):
            if self.stop.is_set() and part.start:
                return
            self.handle_slice(deliveries[part])

    def handle_slice(self, deliveries: Sequence[Delivery]) -> None:
        """Keep at it until these are stored, buried or parked; gives up only when told to stop."""
        while True:
            deliveries = self.set_aside(deliveries)
            if not deliveries:
                return
            try:
                outcome = self.store(deliveries)
            except BrakeError as error:
                self.put_brake_on(error)
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                self.wait(error)
            else:
                self.backoff_s = 0.0
                self.buffer.ack([each.entry_id for each in deliveries])
                self.count(outcome)
                return
            if self.stop.is_set():
                return

    def store(self, deliveries: Sequence[Delivery]) -> Outcome:
        now = self.clock()
        first = deliveries[0]
        if first.attempts >= MOST_ATTEMPTS and len(deliveries) == 1:
            return self.digest.give_up(first.entry_id.decode(), first.fields, first.attempts, now=now)
        return self.digest.run([(each.entry_id.decode(), each.fields) for each in deliveries], now=now)

    def set_aside(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Move parked organizations' entries to their lanes; answers the others."""
        away = self.parked | {None}
        lanes: dict[int, list[Delivery]] = {}
        rest = []
        for each in deliveries:
            organization_id = organization_of(each.fields)
            if organization_id in away:
                lanes.setdefault(organization_id or UNREADABLE, []).append(each)
            else:
                rest.append(each)
        for organization_id, theirs in lanes.items():
            self.lanes.move(organization_id, theirs)
            logger.warning("ingest.parked", extra={"organization_id": organization_id, "entries": len(theirs)})
        return rest

    def put_brake_on(self, error: BrakeError) -> None:
        """Too much is bad: park the one organization concerned, or stop all writers for a while."""
        metrics.count(self.redis, {Count.BRAKES: 1})
        if error.organization_id is not None:
            logger.critical("ingest.brake", extra={"organization_id": error.organization_id})
            self.lanes.park(error.organization_id, now=self.clock())
            self.parked = self.parked | {error.organization_id}
            return
        logger.critical("ingest.brake", extra={"organization_id": "all"})
        self.lanes.pause()
        while self.lanes.paused() and not self.stop.is_set():
            self.stop.wait(BLOCK_MS / 1000)

    def wait(self, error: Exception) -> None:
        """Back off, longer each time, from 0.2 to 5 seconds."""
        least, most = BACKOFF_S
        self.backoff_s = min(max(self.backoff_s * 2, least), most)
        logger.warning("ingest.waiting", extra={"seconds": self.backoff_s, "error": type(error).__name__})
        self.stop.wait(self.backoff_s)

    def count(self, outcome: Outcome) -> None:
        stored = outcome.appended
        for code, amount in outcome.dead.items():
            logger.error("ingest.dead_lettered", extra={"code": code, "events": amount})
        metrics.count(
            self.redis,
            {
                Count.INVOCATIONS: stored.invocations,
                Count.LOG_LINES: stored.log_lines,
                Count.FAULTS: stored.faults,
                Count.DUPLICATES: stored.duplicates,
                Count.DEAD: outcome.dead.total(),
                Count.DROPPED: outcome.dropped,
                Count.BATCHES: 1,
            },
        )
