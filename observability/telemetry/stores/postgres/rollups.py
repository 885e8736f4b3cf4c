"""Reading rollups: whole rows of the largest grain that fits, summed by PostgreSQL, sketches joined end to end."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

from observability.telemetry import packing
from observability.telemetry.grains import EPOCH, Segment, open_segments, segments, steps
from observability.telemetry.records import PEAKS, SUMS, Bucket, Rollup, Standing, Window
from observability.telemetry.stores.postgres.rolling import FLOATS

WHOLE = 0
"""The ``resource_id`` of the rows that sum up an organization."""

Row = tuple[Any, ...]
COUNTERS = ", ".join(
    [f"sum({name})" + ("" if name in FLOATS else "::bigint") for name in SUMS] + [f"max({name})" for name in PEAKS]
)
STATE = (
    "WITH state AS MATERIALIZED (SELECT EXISTS (SELECT FROM telemetry_watermark "
    "WHERE organization_id = %s AND latest_event_at >= %s) AS later)"
)
LATER = "(SELECT later FROM state)"
"""PostgreSQL looks once; the parts of the query that this rules out cost nothing."""

SKETCHES = "string_agg(durations, ''::bytea)"


def total(organization_id: int, window: Window, resource_ids: Sequence[int] | None) -> Rollup:
    rows = _read(organization_id, _parts(window), _only(resource_ids), end=window.end, keys=())
    return _rollups(rows, keys=0)[0] if rows and rows[0][0] is not None else Rollup()


def by_resource(organization_id: int, window: Window) -> dict[int, Standing]:
    rows = _read(organization_id, _parts(window), "resource_id <> 0", end=window.end, keys=("resource_id",))
    quantiles = packing.quantiles([row[-1] for row in rows], 0.95, 0.99, 0.5)
    return {row[0]: Standing(_rollup(row[1:-1]), *told) for row, *told in zip(rows, *quantiles, strict=True)}


def series(organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int] | None) -> list[Bucket]:
    rows = _read(organization_id, _parts(window, step), _only(resource_ids), end=window.end, keys=(_step(step),))
    found = {EPOCH + step * row[0]: rollup for row, rollup in zip(rows, _rollups(rows, keys=1), strict=True)}
    return [Bucket(start, found.get(start) or Rollup()) for start in steps(window, step)]


def series_by_resource(
    organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int]
) -> dict[int, list[Bucket]]:
    keys = ("resource_id", _step(step))
    rows = _read(organization_id, _parts(window, step), _only(resource_ids), end=window.end, keys=keys, sketches=False)
    found = {(row[0], row[1]): Rollup(*row[2:]) for row in rows}
    starts = [(start, (start - EPOCH) // step) for start in steps(window, step)]
    return {
        resource_id: [Bucket(start, found.get((resource_id, index)) or Rollup()) for start, index in starts]
        for resource_id in resource_ids
    }


def _parts(window: Window, step: timedelta | None = None) -> dict[Segment, str]:
    """What to read, and on what condition: whether anything is stored that happened after the window."""
    closed, opened = segments(window, step), open_segments(window, step)
    parts = {part: "" for part in closed if part in opened}
    parts |= {part: f" AND {LATER}" for part in closed if part not in parts}
    return parts | {part: f" AND NOT {LATER}" for part in opened if part not in parts}


def _only(resource_ids: Sequence[int] | None) -> str:
    if resource_ids is None:
        return f"resource_id = {WHOLE}"
    return f"resource_id = ANY('{{{','.join(str(int(i)) for i in resource_ids)}}}'::bigint[])"


def _step(step: timedelta) -> str:
    """The number of the bucket since the epoch, as SQL."""
    return f"extract(epoch FROM start)::bigint / {int(step.total_seconds())}"


def _read(
    organization_id: int,
    parts: Mapping[Segment, str],
    where: str,
    *,
    end: datetime,
    keys: Sequence[str],
    sketches: bool = True,
) -> list[Row]:
    if not parts:
        return []
    columns = ", ".join(["resource_id", "start", *SUMS, *PEAKS, *(["durations"] if sketches else [])])
    source = " UNION ALL ".join(
        f"SELECT {columns} FROM {part.grain.table} "
        f"WHERE organization_id = %s AND start >= %s AND start < %s AND {where}{condition}"
        for part, condition in parts.items()
    )
    parameters: list[int | datetime] = [organization_id, end]
    parameters += [value for part in parts for value in (organization_id, part.start, part.end)]
    chosen = ", ".join([*keys, COUNTERS, *([SKETCHES] if sketches else [])])
    grouping = f" GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}" if keys else ""
    with binary_cursor() as cursor:
        cursor.execute(f"{STATE} SELECT {chosen} FROM ({source}) AS part{grouping}", parameters)
        rows: list[Row] = cursor.fetchall()
        return rows


def binary_cursor() -> CursorWrapper:
    """A third faster than Django's own for these reads: the text of a sketch is twice as long as its bytes."""
    connection.ensure_connection()
    cursor: Any = psycopg.Cursor(connection.connection)
    cursor.format = psycopg.pq.Format.BINARY
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)


def _rollups(rows: Sequence[Row], *, keys: int) -> list[Rollup]:
    """Rows of ``keys`` keys, counters and a sketch."""
    sketches = packing.dictionaries([row[-1] for row in rows])
    return [_rollup((*row[keys:-1], sketch)) for row, sketch in zip(rows, sketches, strict=True)]


def _rollup(fields: Row) -> Rollup:
    return Rollup(*fields)
