"""Whether Redis has room: from 70 % of its memory on nothing is accepted, until it is below 50 % again."""

import time
from dataclasses import dataclass

from redis import Redis

HIGH_WATER = 0.70
LOW_WATER = 0.50
FRESH_S = 0.5


@dataclass(frozen=True, slots=True)
class Memory:
    """How full Redis is, and whether it would throw entries away to make room (then nothing may be accepted)."""

    used_share: float
    evicts: bool


def measure(redis: "Redis") -> Memory:
    """Ask Redis about its memory; without a limit it is never full and evicts nothing."""
    memory = redis.info("memory")
    limit = int(memory["maxmemory"])
    if not limit:
        return Memory(0.0, evicts=False)
    return Memory(int(memory["used_memory"]) / limit, evicts=memory["maxmemory_policy"] != "noeviction")


@dataclass(slots=True)
class Gauge:
    """Remembers the last measurement for half a second, and on which side of the marks it was."""

    is_full: bool = False
    evicts: bool = False
    _read_at: float = float("-inf")

    def read(self, redis: "Redis") -> None:
        """Measure again if that was long ago."""
        now = time.monotonic()
        if now - self._read_at < FRESH_S:
            return
        self._read_at = now
        memory = measure(redis)
        self.is_full = memory.used_share >= (LOW_WATER if self.is_full else HIGH_WATER)
        self.evicts = memory.evicts
