"""Rollups of days, column-wise: PostgreSQL joins those of a day end to end, and numpy takes them as they come."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from observability.telemetry.daily import COUNTERS, DAILY, Daily, whole
from observability.telemetry.records import Window
from observability.telemetry.stores.postgres.rollups import binary_cursor

ENTRY = " || ".join(
    ["int8send(resource_id)", *(f"float8send({name}::float8)" for name in COUNTERS), "int8send(memory_mb::bigint)"]
)
QUERY = (
    f"SELECT extract(epoch FROM start)::bigint / 86400, string_agg({ENTRY}, ''::bytea ORDER BY resource_id) "
    "FROM telemetry_rollup_day WHERE organization_id = %s AND start >= %s AND start < %s AND {only} GROUP BY start "
    "ORDER BY start"
)
WIRE = np.dtype([(name, DAILY[name].newbyteorder(">")) for name in DAILY.names or () if name != "day"])
"""One entry as PostgreSQL sends it: eight bytes for each column, most significant first."""


def read(organization_id: int, window: Window, resource_ids: Sequence[int] | None) -> Daily:
    days = whole(window)
    parameters: list[Any] = [organization_id, days.start, days.end]
    only = "resource_id <> 0"
    if resource_ids is not None:
        only = "resource_id = ANY(%s)"
        parameters.append(list(resource_ids))
    with binary_cursor() as cursor:
        cursor.execute(QUERY.format(only=only), parameters)
        rows = cursor.fetchall()
    parts = [_entries(day, np.frombuffer(packed, WIRE)) for day, packed in rows]
    return np.concatenate(parts) if parts else np.zeros(0, DAILY)


def _entries(day: int, wire: Daily) -> Daily:
    found = np.empty(len(wire), DAILY)
    found["day"] = day
    for name in WIRE.names or ():
        found[name] = wire[name]
    return found
