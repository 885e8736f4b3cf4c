"""Drill-downs: raw rows of one organization, always bounded by a window or by ids, and by a limit."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from observability.telemetry import partitions
from observability.telemetry.grains import EPOCH
from observability.telemetry.records import (
    SKEW_DAY,
    Fault,
    FaultKind,
    Frame,
    Invocation,
    Level,
    LogLine,
    Outcome,
    Window,
)
from observability.telemetry.stores.postgres.shapes import FAULT, INVOCATION, LOG_LINE, Shape

Row = tuple[Any, ...]
Parameter = int | float | str | date | list[str] | list[date] | None
UUID7 = 7
FAR_FUTURE = timedelta(days=365 * 1000)
DRIFT = timedelta(days=2)
"""How far the shown time of an event may lie from the day of its id (clock drift is corrected up to 48 h)."""


class Filter:
    """The WHERE of one query, built up condition by condition; it starts with the organization."""

    def __init__(self, organization_id: int) -> None:
        self.conditions = ["organization_id = %s"]
        self.parameters: list[Parameter] = [organization_id]

    def add(self, condition: str, *parameters: Parameter) -> None:
        self.conditions.append(condition)
        self.parameters.extend(parameters)

    def within(self, column: str, window: Window) -> None:
        """Bound the shown time, and the day too, so that other partitions are not even opened."""
        first, last = (window.start - DRIFT).date(), (window.end + DRIFT).date()
        self.add(f"{column} >= %s AND {column} < %s", window.start, window.end)
        self.add("(day = %s OR day BETWEEN %s AND %s)", SKEW_DAY, first, last)


def select(shape: Shape, filter: Filter, order: str, limit: int | None) -> list[Row]:
    # `limit` None is SQL's own word for no limit.
    sql = f"SELECT {shape.names} FROM {shape.table} WHERE {' AND '.join(filter.conditions)} ORDER BY {order} LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*filter.parameters, limit])
        rows: list[Row] = cursor.fetchall()
        return rows


def hexadecimal(event_ids: Sequence[bytes]) -> list[str]:
    return [event_id.hex() for event_id in event_ids]


def invocation(row: Row) -> Invocation:
    fields = dict(zip(INVOCATION.columns, row, strict=True))
    return Invocation(**fields | {"event_id": fields["event_id"].bytes, "outcome": Outcome(fields["outcome"])})


def log_line(row: Row) -> LogLine:
    fields = dict(zip(LOG_LINE.columns, row, strict=True))
    return LogLine(**fields | {"event_id": fields["event_id"].bytes, "level": Level(fields["level"])})


def fault(row: Row) -> Fault:
    fields = dict(zip(FAULT.columns, row, strict=True))
    frames = msgspec.json.decode(fields["frames"], type=tuple[Frame, ...])
    changed = {"event_id": fields["event_id"].bytes, "kind": FaultKind(fields["kind"]), "frames": frames}
    return Fault(**fields | changed)


def invocations(
    organization_id: int,
    window: Window,
    *,
    resource_id: int | None,
    outcomes: Sequence[Outcome],
    cold_start: bool | None,
    request_id: str | None,
    at_least_ms: float,
    before: tuple[datetime, bytes] | None,
    limit: int,
) -> list[Invocation]:
    filter = Filter(organization_id)
    filter.within("started_at", window)
    if resource_id is not None:
        filter.add("resource_id = %s", resource_id)
    if outcomes:
        filter.add("outcome = ANY(%s)", [str(outcome) for outcome in outcomes])
        if Outcome.SUCCESS not in outcomes:
            filter.add("outcome <> 'success'")  # Lets the partial index answer.
    if cold_start is not None:
        filter.add("cold_start" if cold_start else "NOT cold_start")
    if request_id is not None:
        filter.add("request_id = %s", request_id)
    if at_least_ms:
        filter.add("duration_ms >= %s", at_least_ms)
    if before is not None:
        filter.add("(started_at, event_id) < (%s, %s::uuid)", before[0], before[1].hex())
    return [invocation(row) for row in select(INVOCATION, filter, "started_at DESC, event_id DESC", limit)]


def one_invocation(organization_id: int, event_id: bytes) -> Invocation | None:
    """The id mostly tells the day; only when it does not, every partition is asked."""
    for days in (likely_days(event_id), None):
        filter = Filter(organization_id)
        filter.add("day = ANY(%s)", days if days is not None else stored_days())
        filter.add("event_id = %s::uuid", event_id.hex())
        if rows := select(INVOCATION, filter, "day", 1):
            return invocation(rows[0])
    return None


def likely_days(event_id: bytes) -> list[date]:
    """Where a UUIDv7 belongs."""
    since_epoch = timedelta(milliseconds=int.from_bytes(event_id[:6], "big"))
    is_time = event_id[6] >> 4 == UUID7 and since_epoch < FAR_FUTURE
    return [SKEW_DAY, (EPOCH + since_epoch).date()] if is_time else [SKEW_DAY]


def stored_days() -> list[date]:
    """The days that there are partitions for."""
    invocations = partitions.parents()[0]
    return [day for name in partitions.existing(invocations) if (day := partitions.day_of(name))]


def log_lines(
    organization_id: int,
    window: Window,
    *,
    resource_id: int | None,
    request_id: str | None,
    levels: Sequence[str],
    text: str,
    after: tuple[datetime, bytes] | None,
    limit: int,
    newest_first: bool,
) -> list[LogLine]:
    filter = Filter(organization_id)
    filter.within("at", window)
    if resource_id is not None:
        filter.add("resource_id = %s", resource_id)
    if request_id is not None:
        filter.add("request_id = %s", request_id)
    if levels:
        filter.add("level = ANY(%s)", [str(level) for level in levels])
        if {str(level) for level in levels} <= {"WARN", "ERROR", "FATAL"}:
            filter.add("level IN ('WARN', 'ERROR', 'FATAL')")  # Lets the partial index answer.
    if text:
        filter.add("(message ILIKE %s OR attributes ILIKE %s)", *[f"%{literal(text)}%"] * 2)
    if after is not None:
        filter.add(f"(at, event_id) {'<' if newest_first else '>'} (%s, %s::uuid)", after[0], after[1].hex())
    order = "at DESC, event_id DESC" if newest_first else "at, event_id"
    return [log_line(row) for row in select(LOG_LINE, filter, order, limit)]


def literal(text: str) -> str:
    """The text as a LIKE pattern that matches only itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("\0", "")


def faults(
    organization_id: int,
    window: Window,
    *,
    resource_id: int | None,
    request_id: str | None,
    request_ids: Sequence[str],
    event_ids: Sequence[bytes],
    limit: int,
) -> list[Fault]:
    filter = Filter(organization_id)
    filter.within("at", window)
    if resource_id is not None:
        filter.add("resource_id = %s", resource_id)
    if request_id is not None:
        filter.add("request_id = %s", request_id)
    if request_ids:
        filter.add("request_id = ANY(%s::text[])", list(request_ids))
    if event_ids:
        filter.add("event_id = ANY(%s::uuid[])", hexadecimal(event_ids))
    return [fault(row) for row in select(FAULT, filter, "at DESC, event_id DESC", limit)]


def faults_stored(organization_id: int, *, after_batch: int, up_to_batch: int) -> list[Fault]:
    filter = Filter(organization_id)
    filter.add("batch > %s AND batch <= %s", after_batch, up_to_batch)
    return [fault(row) for row in select(FAULT, filter, "at, event_id", None)]
