"""Reading rollups: whole rows of the largest grain that fits, summed by PostgreSQL, sketches joined end to end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from observability.telemetry import packing
from observability.telemetry.grains import EPOCH, Segment, segments, steps
from observability.telemetry.records import PEAKS, SUMS, Bucket, Rollup, Window
from observability.telemetry.stores.postgres.rolling import FLOATS

WHOLE = 0
"""The ``resource_id`` of the rows that sum up an organization."""

Row = tuple[Any, ...]
COUNTERS = ", ".join(
    [f"sum({name})" + ("" if name in FLOATS else "::bigint") for name in SUMS] + [f"max({name})" for name in PEAKS]
)
SKETCHES = "string_agg(durations, ''::bytea)"


def total(organization_id: int, window: Window, resource_ids: Sequence[int] | None) -> Rollup:
    rows = _read(organization_id, segments(window), _only(resource_ids), keys=())
    return _rollups(rows, keys=0)[0] if rows and rows[0][0] is not None else Rollup()


def by_resource(organization_id: int, window: Window) -> dict[int, Rollup]:
    rows = _read(organization_id, segments(window), "resource_id <> 0", keys=("resource_id",))
    return {row[0]: rollup for row, rollup in zip(rows, _rollups(rows, keys=1), strict=True)}


def series(organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int] | None) -> list[Bucket]:
    rows = _read(organization_id, segments(window, step), _only(resource_ids), keys=(_step(step),))
    found = {EPOCH + step * row[0]: rollup for row, rollup in zip(rows, _rollups(rows, keys=1), strict=True)}
    return [Bucket(start, found.get(start) or Rollup()) for start in steps(window, step)]


def series_by_resource(
    organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int]
) -> dict[int, list[Bucket]]:
    keys = ("resource_id", _step(step))
    rows = _read(organization_id, segments(window, step), _only(resource_ids), keys=keys, sketches=False)
    found = {(row[0], row[1]): Rollup(*row[2:]) for row in rows}
    starts = [(start, (start - EPOCH) // step) for start in steps(window, step)]
    return {
        resource_id: [Bucket(start, found.get((resource_id, index)) or Rollup()) for start, index in starts]
        for resource_id in resource_ids
    }


def _only(resource_ids: Sequence[int] | None) -> str:
    if resource_ids is None:
        return f"resource_id = {WHOLE}"
    return f"resource_id = ANY('{{{','.join(str(int(i)) for i in resource_ids)}}}'::bigint[])"


def _step(step: timedelta) -> str:
    """The number of the bucket since the epoch, as SQL."""
    return f"extract(epoch FROM start)::bigint / {int(step.total_seconds())}"


def _read(
    organization_id: int, parts: Sequence[Segment], where: str, *, keys: Sequence[str], sketches: bool = True
) -> list[Row]:
    if not parts:
        return []
    columns = ", ".join(["resource_id", "start", *SUMS, *PEAKS, *(["durations"] if sketches else [])])
    source = " UNION ALL ".join(
        f"SELECT {columns} FROM {part.grain.table} "
        f"WHERE organization_id = %s AND start >= %s AND start < %s AND {where}"
        for part in parts
    )
    parameters: list[int | datetime] = [v for part in parts for v in (organization_id, part.start, part.end)]
    chosen = ", ".join([*keys, COUNTERS, *([SKETCHES] if sketches else [])])
    grouping = f" GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}" if keys else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {chosen} FROM ({source}) AS part{grouping}", parameters)
        rows: list[Row] = cursor.fetchall()
        return rows


def _rollups(rows: Sequence[Row], *, keys: int) -> list[Rollup]:
    sketches = packing.dictionaries([row[-1] for row in rows])
    return [_rollup((*row[keys:-1], sketch)) for row, sketch in zip(rows, sketches, strict=True)]


def _rollup(fields: Row) -> Rollup:
    return Rollup(*fields)
