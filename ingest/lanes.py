"""Where entries wait that must not be stored now: all of them (a pause), or one organization's (parked).

A pause is a key that expires; parked entries leave the stream for one of their own and come back by themselves.
Both are in Redis, so every writer keeps them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from redis import Redis

from ingest.buffer import GROUP, STREAM, Delivery

PAUSE = timedelta(seconds=30)
PARK = timedelta(seconds=60)
BRAKE = "ingest:brake"
PARKED = "ingest:parked"
UNREADABLE = 0
"""The lane of entries that do not even tell their organization; they stay there."""
AT_ONCE = 500

UNPARK = """
local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])
for _, entry in ipairs(entries) do
    redis.call('XADD', KEYS[2], '*', unpack(entry[2]))
    redis.call('XDEL', KEYS[1], entry[1])
end
if #entries == 0 then redis.call('ZREM', KEYS[3], ARGV[2]) end
return #entries
"""


def lane(organization_id: int) -> str:
    return f"{PARKED}:{organization_id}"


class Lanes:
    """The writers' shared view of what waits."""

    def __init__(self, redis: "Redis") -> None:
        self.redis = redis

    def pause(self) -> None:
        self.redis.set(BRAKE, 1, px=PAUSE // timedelta(milliseconds=1))

    def paused(self) -> bool:
        return bool(self.redis.exists(BRAKE))

    def parked(self, *, now: datetime) -> set[int]:
        """Organizations whose entries are to be parked for now."""
        return set(self._between(f"({now.timestamp()}", "+inf"))

    def park(self, organization_id: int, *, now: datetime) -> None:
        """From now on, and for a minute, its entries are parked."""
        self.redis.zadd(PARKED, {str(organization_id): (now + PARK).timestamp()})

    def move(self, organization_id: int, deliveries: Sequence[Delivery]) -> None:
        """Move entries from the stream to the organization's lane, all or none."""
        with self.redis.pipeline(transaction=True) as pipeline:
            for each in deliveries:
                pipeline.xadd(lane(organization_id), dict(each.fields.items()))
                pipeline.xack(STREAM, GROUP, each.entry_id)
                pipeline.xdel(STREAM, each.entry_id)
            pipeline.execute()

    def unpark(self, *, now: datetime) -> None:
        """Where the minute is over, bring some entries back to the end of the stream; call again for the rest."""
        for organization_id in self._between(0, now.timestamp()):
            keys = (lane(organization_id), STREAM, PARKED)
            self.redis.eval(UNPARK, 3, *keys, str(AT_ONCE), str(organization_id))

    def waiting(self) -> int:
        """Entries in all lanes."""
        return sum(self.redis.xlen(lane(i)) for i in [*self._between("-inf", "+inf"), UNREADABLE])

    def _between(self, least: float | str, most: float | str) -> list[int]:
        members = cast("list[bytes]", self.redis.zrangebyscore(PARKED, least, most))
        return [int(member) for member in members]
