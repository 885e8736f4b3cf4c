"""Raw facts into PostgreSQL: binary COPY into a temporary table, then INSERT … ON CONFLICT DO NOTHING.

The temporary tables write no WAL and live as long as the connection. psycopg writes a row in about half a microsecond
when it is told the types; ``event_id`` goes over the wire as the 16 bytes it already is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
from django.db import DataError, connection
from psycopg.types.string import BytesBinaryDumper

from observability.telemetry.records import Fault, Invocation, LogLine, Record

Row = tuple[Any, ...]
UUID_OID = 2950


class EventId(bytes):
    """Marks the type that ``EventIdDumper`` is registered for; the bytes themselves stay plain ``bytes``."""


class EventIdDumper(BytesBinaryDumper):
    oid = UUID_OID


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of record is laid out as a row."""

    table: str
    columns: dict[str, str]
    row: Callable[[Any], Row]

    @property
    def staging(self) -> str:
        return f"staging_{self.table}"

    @property
    def names(self) -> str:
        return ", ".join(self.columns)


def shape(table: str, columns: dict[str, str]) -> Shape:
    return Shape(table, columns, attrgetter(*columns))


INVOCATION = shape(
    "telemetry_invocation",
    {
        "organization_id": "int8", "resource_id": "int8", "started_at": "timestamptz", "event_id": "uuid",
        "duration_ms": "float8", "init_ms": "float8", "cost_usd": "float8", "day": "date", "billed_ms": "int4",
        "memory_mb": "int4", "max_memory_mb": "int4", "cold_start": "bool", "outcome": "text", "request_id": "text",
        "version": "text", "error_type": "text", "trace_id": "text",
    },
)  # fmt: skip
LOG_LINE = shape(
    "telemetry_log_line",
    {
        "organization_id": "int8", "resource_id": "int8", "at": "timestamptz", "event_id": "uuid", "day": "date",
        "level": "text", "request_id": "text", "message": "text", "attributes": "text",
    },
)  # fmt: skip
FAULT_HEAD = attrgetter("organization_id", "resource_id", "at", "event_id", "day")
FAULT_TAIL = attrgetter("kind", "request_id", "version", "type", "message")


def fault_row(fault: Fault) -> Row:
    frames = msgspec.json.encode(fault.frames).decode()
    return (*FAULT_HEAD(fault), *FAULT_TAIL(fault), frames)


FAULT = Shape(
    "telemetry_fault",
    {
        "organization_id": "int8", "resource_id": "int8", "at": "timestamptz", "event_id": "uuid", "day": "date",
        "kind": "text", "request_id": "text", "version": "text", "type": "text", "message": "text", "frames": "text",
    },
    fault_row,
)  # fmt: skip
SHAPES = (INVOCATION, LOG_LINE, FAULT)

CREATE = ";".join(
    f"CREATE TEMP TABLE IF NOT EXISTS {shape.staging} "
    f"({', '.join(f'{name} {kind}' for name, kind in shape.columns.items())}) ON COMMIT DELETE ROWS"
    for shape in SHAPES
)
EMPTY = "TRUNCATE " + ", ".join(shape.staging for shape in SHAPES)


def prepare() -> None:
    """Make sure that the staging tables exist, and are empty even if this transaction has used them before."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL client_min_messages = warning; {CREATE}; {EMPTY}")


def stage(shape: Shape, records: Sequence[Record]) -> None:
    """COPY records into the staging table. Raises ``DataError`` when a value cannot be written as its column's type."""
    if not records:
        return
    with connection.cursor() as cursor, connection.wrap_database_errors:
        raw = cursor.cursor
        raw.adapters.register_dumper(EventId, EventIdDumper)
        with raw.copy(f"COPY {shape.staging} ({shape.names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(shape.columns.values()))
            write = copy.write_row
            try:
                for row in map(shape.row, records):
                    write(row)
            except (ValueError, TypeError, OverflowError) as error:
                raise DataError(f"{shape.table}: {error}") from error


def store(shape: Shape) -> int:
    """Insert the staged rows that are not there yet; answers how many were new."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {shape.table} ({shape.names}) "
            f"SELECT {shape.names} FROM {shape.staging} ON CONFLICT DO NOTHING"
        )
        return int(cursor.rowcount)


def store_faults() -> int:
    """As ``store``, stamped with the batch that the organization's watermark has just reached."""
    names = ", ".join(f"s.{name}" + ("::jsonb" if name == "frames" else "") for name in FAULT.columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {FAULT.table} ({FAULT.names}, batch) SELECT {names}, w.batch FROM {FAULT.staging} s "
            "JOIN telemetry_watermark w USING (organization_id) ON CONFLICT DO NOTHING"
        )
        return int(cursor.rowcount)


def store_invocations(invocations: Sequence[Invocation]) -> Sequence[Invocation]:
    """As ``store``; answers the new ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {INVOCATION.table} ({INVOCATION.names}) SELECT {INVOCATION.names} FROM {INVOCATION.staging} "
            "ON CONFLICT DO NOTHING RETURNING organization_id, event_id"
        )
        if cursor.rowcount == len(invocations):
            return invocations
        new = {(organization_id, event_id.bytes) for organization_id, event_id in cursor.fetchall()}
    first = {(i.organization_id, i.event_id): i for i in reversed(invocations)}
    return [first[key] for key in first if key in new]


def split(records: Iterable[Any]) -> tuple[list[Invocation], list[LogLine], list[Fault]]:
    """Records by kind, in their order."""
    kinds: dict[type, list[Any]] = {Invocation: [], LogLine: [], Fault: []}
    for record in records:
        kinds[type(record)].append(record)
    return kinds[Invocation], kinds[LogLine], kinds[Fault]
