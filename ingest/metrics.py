"""Every metric that the product tells about itself, and where writers note their counts.

Writers count in one Redis hash, so that any web process can tell the sum; it starts at zero when Redis is emptied,
as a counter may. No metric names an organization.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum

from redis import Redis

STATS = "ingest:stats"


class Count(StrEnum):
    """Fields of the hash; each becomes a counter ``nightjar_ingest_<name>_total``."""

    INVOCATIONS = "stored_invocations"
    LOG_LINES = "stored_log_lines"
    FAULTS = "stored_faults"
    DUPLICATES = "duplicates"
    DEAD = "dead_lettered"
    DROPPED = "dropped"
    BATCHES = "batches"
    BRAKES = "brakes"


HELP: Mapping[Count, str] = {
    Count.INVOCATIONS: "Invocations stored.",
    Count.LOG_LINES: "Log lines stored.",
    Count.FAULTS: "Faults stored.",
    Count.DUPLICATES: "Records that were stored before.",
    Count.DEAD: "Events put among the dead letters.",
    Count.DROPPED: "Events of organizations that no longer exist.",
    Count.BATCHES: "Batches committed by writers.",
    Count.BRAKES: "Times that writers stopped because too much was bad.",
}


class Gauge(Enum):
    """Gauges: each name with what it tells."""

    DEPTH = "Buffered entries (requests) that are not stored yet."
    LAG = "Age of the oldest buffered entry, in seconds."
    PARKED = "Entries set aside because too many of their organization could not be stored."
    PAUSED = "1 while the brake keeps all writers from storing."
    DEAD_LETTERS = "Dead letters that are kept."
    WATERMARK = "Seconds since anything was stored."
    PARTITIONS = "For how many coming days the partitions exist."


NAMES: Mapping[Gauge, str] = {
    Gauge.DEPTH: "nightjar_ingest_buffered_entries",
    Gauge.LAG: "nightjar_ingest_lag_seconds",
    Gauge.PARKED: "nightjar_ingest_parked_entries",
    Gauge.PAUSED: "nightjar_ingest_paused",
    Gauge.DEAD_LETTERS: "nightjar_dead_letters",
    Gauge.WATERMARK: "nightjar_watermark_age_seconds",
    Gauge.PARTITIONS: "nightjar_partitions_ahead_days",
}


def count(redis: "Redis", amounts: Mapping[Count, int]) -> None:
    """Add to the counters."""
    with redis.pipeline(transaction=False) as pipeline:
        for name, amount in amounts.items():
            if amount:
                pipeline.hincrby(STATS, name, amount)
        pipeline.execute()


def counted(redis: "Redis") -> dict[Count, int]:
    """The counters as they stand."""
    stored = redis.hgetall(STATS)
    return {name: int(stored.get(name.encode(), 0)) for name in Count}
