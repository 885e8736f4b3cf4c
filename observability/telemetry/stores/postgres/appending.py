"""Storing records once: staged, locked, inserted; effects from the new rows only; all in one transaction."""

from collections.abc import Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import DataError, connection, transaction

from observability.telemetry import grains, partitions
from observability.telemetry.records import Appended, Invocation, Record
from observability.telemetry.stores.postgres import rolling, staging
from observability.telemetry.stores.postgres.shapes import FAULT, INVOCATION, LOG_LINE


class Days:
    """Days whose partitions this process has seen; late events may need one that maintenance does not make."""

    def __init__(self) -> None:
        self.known: set[date] = set()

    def ensure(self, records: Sequence[Record], *, now: datetime) -> None:
        days = grains.days(records)
        if days <= self.known:
            return
        if grains.outside(records, now=now, kept_days=settings.RETENTION_RAW_DAYS):
            raise DataError("a record is older than its retention, or far in the future")
        partitions.ensure(days)
        # Only once it is committed is it known: a rollback takes the partition away again.
        transaction.on_commit(lambda: self.known.update(days))


def append(records: Sequence[Record], days: Days, *, now: datetime) -> Appended:
    """See ``Store.append``."""
    if not records:
        return Appended()
    joined = connection.in_atomic_block
    with transaction.atomic():
        days.ensure(records, now=now)
        invocations, log_lines, faults = staging.split(records)
        staging.prepare()
        staging.stage(INVOCATION, invocations)
        staging.stage(LOG_LINE, log_lines)
        staging.stage(FAULT, faults)
        _advance(records, now=now)
        new = staging.store_invocations(invocations) if invocations else []
        rolling.add(new)
        stored_lines = staging.store(LOG_LINE) if log_lines else 0
        stored_faults = staging.store_faults() if faults else 0
        if joined:
            staging.clear()
    duplicates = len(records) - len(new) - stored_lines - stored_faults
    return Appended(len(new), stored_lines, stored_faults, duplicates)


def _advance(records: Sequence[Record], *, now: datetime) -> None:
    """Lock the watermark of each organization, always in the same order, and count one batch more."""
    latest: dict[int, datetime] = {}
    for record in records:
        at = record.started_at if type(record) is Invocation else record.at  # type: ignore[union-attr]  # type() narrows.
        if at > latest.get(record.organization_id, at) or record.organization_id not in latest:
            latest[record.organization_id] = at
    ids = sorted(latest)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO telemetry_watermark AS w (organization_id, batch, stored_at, latest_event_at) "
            "SELECT o, 1, %s, at FROM unnest(%s::bigint[], %s::timestamptz[]) AS n(o, at) ORDER BY o "
            "ON CONFLICT (organization_id) DO UPDATE SET batch = w.batch + 1, "
            "stored_at = greatest(w.stored_at, excluded.stored_at), "
            "latest_event_at = greatest(w.latest_event_at, excluded.latest_event_at)",
            [now, ids, [latest[i] for i in ids]],
        )
