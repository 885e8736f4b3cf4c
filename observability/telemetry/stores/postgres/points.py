"""Points of CloudWatch metrics: written with a correcting upsert, read as series per resource."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import Any

from django.conf import settings
from django.db import DataError, connection, transaction

from observability.telemetry import grains, partitions
from observability.telemetry.grains import EPOCH
from observability.telemetry.records import AGGREGATES, Point, Reading, Window

Key = tuple[int, date, int, str, str, int, datetime]
COLUMNS = {
    "organization_id": "bigint", "day": "date", "resource_id": "bigint", "metric": "text", "statistic": "text",
    "period_s": "int", "at": "timestamptz", "value": "float8",
}  # fmt: skip
NAMES = ", ".join(COLUMNS)
ARRAYS = ", ".join(f"%s::{kind}[]" for kind in COLUMNS.values())
UPSERT = (
    f"INSERT INTO telemetry_point AS t ({NAMES}) SELECT {NAMES} FROM unnest({ARRAYS}) AS p({NAMES}) "
    "ON CONFLICT (organization_id, day, resource_id, metric, statistic, period_s, at) "
    "DO UPDATE SET value = excluded.value WHERE t.value IS DISTINCT FROM excluded.value"
)
CHUNK = 10_000
STATISTICS = tuple(AGGREGATES)


def append(points: Sequence[Point], *, now: datetime) -> int:
    """See ``Store.append_points``."""
    if not points:
        return 0
    latest = {_key(point): float(point.value) for point in points}
    _check(points, {key[1] for key in latest}, now=now)
    # Always in the order of their keys, so that two writers of the same points cannot block each other for good.
    rows = [(*key, latest[key]) for key in sorted(latest)]
    with transaction.atomic():
        if missing := partitions.missing({row[1] for row in rows}):
            partitions.ensure(missing)
        return sum(_upsert(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK))


def _key(point: Point) -> Key:
    at = point.at.astimezone(UTC)
    return (point.organization_id, at.date(), point.resource_id, point.metric, point.statistic, point.period_s, at)


def _check(points: Sequence[Point], days: Iterable[date], *, now: datetime) -> None:
    if not all(isfinite(point.value) for point in points):
        raise DataError("the value of a point is not a number")
    if grains.outside(days, now=now, kept_days=settings.RETENTION_RAW_DAYS):
        raise DataError("a point is older than its retention, or far in the future")


def _upsert(rows: Sequence[tuple[Any, ...]]) -> int:
    with connection.cursor() as cursor:
        try:
            cursor.execute(UPSERT, [list(column) for column in zip(*rows, strict=True)])
        except (ValueError, OverflowError) as error:
            raise DataError(f"telemetry_point: {error}") from error
        return int(cursor.rowcount)


def read(
    organization_id: int,
    window: Window,
    *,
    metric: str,
    statistic: str,
    resource_ids: Sequence[int] | None,
    step: timedelta | None,
) -> dict[int, list[Reading]]:
    """See ``Store.points``."""
    shown, aggregate, grouping = "at", "value", ""
    if step is not None:
        shown = f"extract(epoch FROM at)::bigint / {int(step.total_seconds())}"
        aggregate, grouping = f"{AGGREGATES[statistic]}(value)", " GROUP BY 1, 2"
    conditions = "organization_id = %s AND metric = %s AND statistic = %s AND at >= %s AND at < %s"
    parameters: list[Any] = [organization_id, metric, statistic, window.start, window.end]
    conditions += " AND day BETWEEN %s AND %s"  # So that other partitions are not even opened.
    parameters += [window.start.astimezone(UTC).date(), window.end.astimezone(UTC).date()]
    if resource_ids is not None:
        conditions += " AND resource_id = ANY(%s)"
        parameters.append(list(resource_ids))
    sql = f"SELECT resource_id, {shown}, {aggregate} FROM telemetry_point WHERE {conditions}{grouping} ORDER BY 1, 2"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[int, Any, float]] = cursor.fetchall()
    found: dict[int, dict[Any, float]] = {resource_id: {} for resource_id in resource_ids or ()}
    for resource_id, place, value in rows:
        found.setdefault(resource_id, {})[place] = value
    return {resource_id: _series(values, window, step) for resource_id, values in found.items()}


def measured(
    organization_id: int, window: Window, *, resource_id: int, metrics: Sequence[tuple[str, str]], step: timedelta
) -> dict[tuple[str, str], list[Reading]]:
    """See ``Store.measured``: one query, along the primary key."""
    aggregates = ", ".join(f"{AGGREGATES[statistic]}(value)" for statistic in STATISTICS)
    sql = (
        f"SELECT metric, statistic, floor(extract(epoch FROM at) / {int(step.total_seconds())})::bigint, {aggregates} "
        "FROM telemetry_point WHERE organization_id = %s AND day BETWEEN %s AND %s AND resource_id = %s "
        "AND metric = ANY(%s) AND at >= %s AND at < %s GROUP BY 1, 2, 3"
    )
    days = [moment.astimezone(UTC).date() for moment in (window.start, window.end)]
    names = sorted({metric for metric, _ in metrics})
    with connection.cursor() as cursor:
        cursor.execute(sql, [organization_id, *days, resource_id, names, window.start, window.end])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    found: dict[tuple[str, str], dict[Any, float]] = {}
    for metric, statistic, place, *values in rows:
        if (metric, statistic) in metrics:
            found.setdefault((metric, statistic), {})[place] = values[STATISTICS.index(statistic)]
    return {key: _series(values, window, step) for key, values in found.items()}


def measured_by_resource(
    organization_id: int, window: Window, *, metrics: Sequence[tuple[str, str]], step: timedelta
) -> dict[tuple[str, str], dict[int, list[Reading]]]:
    """See ``Store.measured_by_resource``: one query, along the index of what is recent."""
    aggregates = ", ".join(f"{AGGREGATES[statistic]}(value)" for statistic in STATISTICS)
    sql = (
        "SELECT metric, statistic, resource_id, floor(extract(epoch FROM at) / "
        f"{int(step.total_seconds())})::bigint, {aggregates} FROM telemetry_point WHERE organization_id = %s "
        "AND day BETWEEN %s AND %s AND metric = ANY(%s) AND at >= %s AND at < %s GROUP BY 1, 2, 3, 4"
    )
    days = [moment.astimezone(UTC).date() for moment in (window.start, window.end)]
    names = sorted({metric for metric, _ in metrics})
    with connection.cursor() as cursor:
        cursor.execute(sql, [organization_id, *days, names, window.start, window.end])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    wanted = set(metrics)
    found: dict[tuple[str, str], dict[int, dict[Any, float]]] = {}
    for metric, statistic, resource_id, place, *values in rows:
        if (metric, statistic) in wanted:
            series = found.setdefault((metric, statistic), {}).setdefault(resource_id, {})
            series[place] = values[STATISTICS.index(statistic)]
    return {
        key: {resource_id: _series(values, window, step) for resource_id, values in resources.items()}
        for key, resources in found.items()
    }


def _series(values: Mapping[Any, float], window: Window, step: timedelta | None) -> list[Reading]:
    if step is None:
        return [Reading(at, value) for at, value in values.items()]
    return [Reading(start, values.get((start - EPOCH) // step)) for start in grains.steps(window, step)]
