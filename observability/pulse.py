"""Whether the processes that answer no port still work; `manage.py pulse NAME` asks on behalf of health checks."""

from datetime import datetime
from typing import Any

from redis import Redis

STREAM = "ingest:events"  # As in ingest.buffer, which may import us but not we it.
SCHEDULE = "redbeat::schedule"
LONGEST_PAUSE = 60.0
"""Seconds: the writer takes what waits, and beat rings, far more often."""


def writer_keeps_up(client: Redis, now: datetime) -> bool:
    """Whether nothing has waited in the stream for long; the first half of an entry's id is its time in ms."""
    oldest: Any = client.xrange(STREAM, count=1)
    return not oldest or now.timestamp() - int(oldest[0][0].split(b"-")[0]) / 1000 < LONGEST_PAUSE


def beat_rings(client: Redis, now: datetime) -> bool:
    """Whether the next tick of the schedule is not overdue: beat moves it on each time it rings."""
    due: Any = client.zrange(SCHEDULE, 0, 0, withscores=True)
    return bool(due) and now.timestamp() - due[0][1] < LONGEST_PAUSE
