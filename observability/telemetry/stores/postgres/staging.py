"""Raw facts into PostgreSQL: binary COPY into a temporary table, then INSERT … ON CONFLICT DO NOTHING.

The temporary tables write no WAL and live as long as the connection. psycopg writes a row in about half a microsecond
when it is told the types; ``event_id`` goes over the wire as the 16 bytes it already is.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakSet

from django.db import DataError, connection, transaction
from psycopg.types.string import BytesBinaryDumper

from observability.telemetry.records import Fault, Invocation, LogLine, Record
from observability.telemetry.stores.postgres import rolling
from observability.telemetry.stores.postgres.shapes import FAULT, INVOCATION, SHAPES, Shape, columns

UUID_OID = 2950


class EventId(bytes):
    """Marks the type that ``EventIdDumper`` is registered for; the bytes themselves stay plain ``bytes``."""


class EventIdDumper(BytesBinaryDumper):
    oid = UUID_OID


CREATE = "; ".join(
    [f"CREATE TEMP TABLE IF NOT EXISTS {s.staging} ({columns(s.columns)}) ON COMMIT DELETE ROWS" for s in SHAPES]
    + [rolling.CREATE]
)
EMPTY = "; ".join(f"DELETE FROM {name}" for name in [*(s.staging for s in SHAPES), rolling.STAGING])

prepared: WeakSet[object] = WeakSet()
"""The connections that have their staging tables."""


def prepare() -> None:
    """Make sure that this connection has its staging tables."""
    raw = connection.connection
    if raw in prepared:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL client_min_messages = warning; {CREATE}")
    # Only once it is committed is it there to stay.
    transaction.on_commit(lambda: prepared.add(raw))


def clear() -> None:
    """Empty them, for the next ``append`` in the same transaction; a commit does it by itself."""
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)


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
