"""Storing records once: staged, locked, inserted; effects from the new rows only; all in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import DataError, connection, transaction

from observability.telemetry import grains, partitions
from observability.telemetry.records import Appended, Invocation, Record
from observability.telemetry.stores.postgres import rolling, staging
from observability.telemetry.stores.postgres.shapes import FAULT, INVOCATION, LOG_LINE


def append(records: Sequence[Record], *, now: datetime) -> Appended:
    """See ``Store.append``."""
    if not records:
        return Appended()
    joined = connection.in_atomic_block
    with transaction.atomic():
        _make_room(records, now=now)
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


def _make_room(records: Sequence[Record], *, now: datetime) -> None:
    """Late events may need a partition that maintenance has not made, or has dropped since."""
    days = grains.days(records)
    if grains.outside(days, now=now, kept_days=settings.RETENTION_RAW_DAYS):
        raise DataError("a record is older than its retention, or far in the future")
    if missing := partitions.missing(days):
        partitions.ensure(missing)


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
