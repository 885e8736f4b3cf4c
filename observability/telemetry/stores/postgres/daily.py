"""Reading the rollups of days column-wise: a binary COPY that numpy takes as it comes, ten times as fast as rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import connection

from observability.telemetry.daily import COUNTERS, DAILY, Daily, whole
from observability.telemetry.records import Window

COLUMNS = ["resource_id", "extract(epoch FROM start)::bigint / 86400", *(f"{name}::float8" for name in COUNTERS)]
QUERY = (
    f"COPY (SELECT {', '.join([*COLUMNS, 'memory_mb::bigint'])} FROM telemetry_rollup_day "
    "WHERE organization_id = %s AND start >= %s AND start < %s AND {only} ORDER BY start, resource_id) "
    "TO STDOUT (FORMAT BINARY)"
)
WIRE = np.dtype(
    [("fields", ">i2")]
    + [part for name in DAILY.names or () for part in ((f"{name}_size", ">i4"), (name, DAILY[name].newbyteorder(">")))]
)
"""A row: how many fields, and of each its size and value. None is ever NULL, so all rows have one length."""

HEADER, TRAILER = 19, 2


def read(organization_id: int, window: Window, resource_ids: Sequence[int] | None) -> Daily:
    days = whole(window)
    parameters: list[Any] = [organization_id, days.start, days.end]
    only = "resource_id <> 0"
    if resource_ids is not None:
        only = "resource_id = ANY(%s)"
        parameters.append(list(resource_ids))
    with connection.cursor() as cursor, cursor.cursor.copy(QUERY.format(only=only), parameters) as copy:
        answer = b"".join(copy)
    wire = np.frombuffer(answer, WIRE, offset=HEADER, count=(len(answer) - HEADER - TRAILER) // WIRE.itemsize)
    found = np.empty(len(wire), DAILY)
    for name in DAILY.names or ():
        found[name] = wire[name]
    return found
