"""Whether the processes that answer no port still work; `manage.py pulse NAME` asks on behalf of health checks."""

from datetime import datetime
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

STREAM, GROUP = "ingest:events", "writer"  # As in ingest.buffer, which may import us but not we it.
SCHEDULE = "redbeat::schedule"
LONGEST_PAUSE = 60.0
"""Seconds: the writer asks for work and beat rings far more often."""


def writer_reads(client: Redis) -> bool:
    """Whether some writer has asked the stream for work lately."""
    try:
        consumers: Any = client.xinfo_consumers(STREAM, GROUP)
    except ResponseError:
        return False
    return any(consumer["idle"] < LONGEST_PAUSE * 1000 for consumer in consumers)


def beat_rings(client: Redis, now: datetime) -> bool:
    """Whether the next tick of the schedule is not overdue: beat moves it on each time it rings."""
    due: Any = client.zrange(SCHEDULE, 0, 0, withscores=True)
    return bool(due) and now.timestamp() - due[0][1] < LONGEST_PAUSE
