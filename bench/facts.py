"""The fact tables, seen from outside the store: how many rows, how large, and how fast PostgreSQL takes them raw."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection

TABLES = ("telemetry_invocation", "telemetry_log_line", "telemetry_fault")


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything in one fact table, ready for a binary COPY."""

    table: str
    columns: tuple[str, ...]
    types: tuple[int, ...]
    rows: list[tuple[Any, ...]]


def counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")  # A constant of this module.
            found[table] = int(cursor.fetchone()[0])
        return found


def bytes_per_row(table: str, rows: int) -> float:
    """Heap and indexes of all partitions, per row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = %s::regclass", [table]
        )
        return float(cursor.fetchone()[0]) / max(rows, 1)


def take(table: str) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")  # A constant of this module.
        description = cursor.cursor.description
        return Rows(
            table, tuple(c.name for c in description), tuple(c.type_code for c in description), cursor.fetchall()
        )


def truncate() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}")


def copy(everything: list[Rows]) -> float:
    """Seconds that plain binary COPYs of these rows into their tables take, in one transaction."""
    connection.ensure_connection()
    raw = connection.connection
    began = time.monotonic()
    with raw.transaction(), raw.cursor() as cursor:
        for part in everything:
            names = ", ".join(part.columns)
            with cursor.copy(f"COPY {part.table} ({names}) FROM STDIN (FORMAT BINARY)") as writer:
                writer.set_types(list(part.types))
                for row in part.rows:
                    writer.write_row(row)
    return time.monotonic() - began
