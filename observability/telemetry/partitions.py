"""Daily partitions: made ahead of time, dropped when their retention is over; safe with several maintainers at once.

A new partition is built beside its parent and then attached, which blocks neither readers nor writers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import OperationalError, connection, transaction

from observability.telemetry.grains import AHEAD_DAYS
from observability.telemetry.records import SKEW_DAY

LOCK = 4_719_001
"""Advisory lock: one maintainer at a time changes the partitions."""

LOCK_NOT_AVAILABLE = "55P03"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A parent table. ``key`` is the type of its partition column; only raw facts have a skew partition."""

    table: str
    key: str
    kept_days: int
    skew: bool
    options: str = "autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05"


def parents() -> tuple[Partitioned, ...]:
    raw = [
        Partitioned(f"telemetry_{name}", "date", settings.RETENTION_RAW_DAYS, skew=True)
        for name in ("invocation", "log_line", "fault")
    ]
    raw.append(Partitioned("telemetry_point", "date", settings.RETENTION_RAW_DAYS, skew=False))
    busy = "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05"
    rollups = [
        Partitioned(f"telemetry_rollup_{name}", "timestamptz", settings.RETENTION_MINUTE_DAYS, skew=False, options=busy)
        for name in ("minute", "quarter")
    ]
    return (*raw, *rollups)


def _parents_of(day: date) -> list[Partitioned]:
    return [parent for parent in parents() if parent.skew or day != SKEW_DAY]


def name_of(parent: Partitioned, day: date) -> str:
    return f"{parent.table}_skew" if day == SKEW_DAY else f"{parent.table}_{day:%Y%m%d}"


def day_of(partition: str) -> date | None:
    """The day of a partition by its name; None for the skew partition."""
    suffix = partition.rsplit("_", 1)[-1]
    return datetime.strptime(suffix, "%Y%m%d").replace(tzinfo=UTC).date() if suffix.isdigit() else None


def existing(parent: Partitioned) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [parent.table]
        )
        return {name for (name,) in cursor.fetchall()}


def missing(days: Iterable[date]) -> set[date]:
    """Those of the days that lack a partition somewhere. Asked anew each time: another process may have dropped it."""
    day_by_name = {name_of(parent, day): day for day in days for parent in _parents_of(day)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL", [list(day_by_name)]
        )
        return {day_by_name[name] for (name,) in cursor.fetchall()}


def ensure(days: Iterable[date]) -> None:
    """Create what is missing for these days, in the caller's transaction if there is one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(%s)", [LOCK])
        present = {name for parent in parents() for name in existing(parent)}
        for day in sorted(days):
            for parent in _parents_of(day):
                if name_of(parent, day) not in present:
                    _create(parent, day)


def _create(parent: Partitioned, day: date) -> None:
    name, table = name_of(parent, day), parent.table
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL) WITH ({parent.options})")
        cursor.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)",
            [_bound(parent, day), _bound(parent, day + DAY)],
        )


def _bound(parent: Partitioned, day: date) -> date | datetime:
    return day if parent.key == "date" else datetime.combine(day, time(), tzinfo=UTC)


def maintain(*, now: datetime) -> None:
    """Create partitions 14 days ahead and drop the expired ones. Idempotent; waits for another maintainer."""
    today = now.date()
    ensure([SKEW_DAY, *(today + DAY * i for i in range(-1, AHEAD_DAYS + 1))])
    for parent in parents():
        oldest = today - DAY * parent.kept_days
        for name in sorted(existing(parent)):
            day = day_of(name)
            if day is not None and day < oldest and not _drop(parent, name):
                break  # Somebody reads this table; the next run tries again.
    _forget_old_rollups(now=now)


def _drop(parent: Partitioned, name: str) -> bool:
    """Detach and drop; gives up after a short wait for readers, who in turn wait no longer for it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'; SELECT pg_advisory_xact_lock(%s)", [LOCK])
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
            if cursor.fetchone() == (True,):
                cursor.execute(f"ALTER TABLE {parent.table} DETACH PARTITION {name}; DROP TABLE {name}")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def _forget_old_rollups(*, now: datetime) -> None:
    before = now - DAY * settings.RETENTION_HOUR_DAYS
    with connection.cursor() as cursor:
        for grain in ("hour", "day"):
            cursor.execute(f"DELETE FROM telemetry_rollup_{grain} WHERE start < %s", [before])


def days_ahead(*, now: datetime) -> int:
    """For how many coming days every table has its partition."""
    today, present = now.date(), [existing(parent) for parent in parents()]
    ahead = 0
    while all(name_of(p, today + DAY * (ahead + 1)) in names for p, names in zip(parents(), present, strict=True)):
        ahead += 1
    return ahead
