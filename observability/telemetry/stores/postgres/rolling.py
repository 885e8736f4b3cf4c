"""Writing rollups: new invocations become deltas per function and grain, added to the rows that are there.

The caller holds the watermark locks of these organizations, so nobody else touches their rollups: reading a sketch,
adding to it and writing it back is safe. ``resource_id`` 0 is the sum over an organization's functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from django.db import DataError, connection
from numpy.typing import NDArray

from observability.telemetry import packing
from observability.telemetry.grains import EPOCH, GRAINS, MINUTE
from observability.telemetry.records import PEAKS, SUMS, Invocation, Outcome
from observability.telemetry.sketch import buckets
from observability.telemetry.stores.postgres.shapes import columns

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Key = tuple[int, int, int, datetime]
"""Grain, organization, resource, start."""

FLOATS = {"cost_usd", "duration_ms", "init_ms"}
KEYS = {"organization_id": "int8", "resource_id": "int8", "start": "timestamptz"}
COLUMNS = (
    KEYS
    | {name: "float8" if name in FLOATS else "int8" for name in SUMS}
    | dict.fromkeys(PEAKS, "int4")
    | {"durations": "bytea"}
)
NAMES = ", ".join(COLUMNS)
STAGING = "staging_rollup"
CREATE = f"CREATE TEMP TABLE IF NOT EXISTS {STAGING} (grain int2, {columns(COLUMNS)}) ON COMMIT DELETE ROWS"
MINUTE_BITS = 28


@dataclass(frozen=True, slots=True)
class Deltas:
    """Column-wise: one entry per function and start; the sketch has one per entry and bucket."""

    pair: Ints
    minute: Ints
    sums: dict[str, Floats]
    peaks: dict[str, Ints]
    sketch: packing.Sketches

    def coarser(self, size: int) -> "Deltas":
        return group(self.pair, self.minute // size * size, self.sums, self.peaks, self.sketch)


def group(
    pair: Ints, minute: Ints, sums: dict[str, Floats], peaks: dict[str, Ints], sketch: packing.Sketches
) -> Deltas:
    """Add up entries of the same pair and minute."""
    keys, place = np.unique(pair << MINUTE_BITS | minute, return_inverse=True)
    top = {}
    for name, values in peaks.items():
        top[name] = np.zeros(len(keys), np.int64)
        np.maximum.at(top[name], place, values)
    return Deltas(
        keys >> MINUTE_BITS,
        keys & ((1 << MINUTE_BITS) - 1),
        {name: np.bincount(place, values, len(keys)).astype(np.float64) for name, values in sums.items()},
        top,
        packing.merge([packing.Sketches(place[sketch.row], sketch.bucket, sketch.count)]),
    )


def deltas(invocations: Sequence[Invocation]) -> tuple[Deltas, list[tuple[int, int]]]:
    """Deltas by minute, and what the pair numbers in them stand for."""
    pairs: dict[tuple[int, int], int] = {}
    number = [pairs.setdefault((i.organization_id, i.resource_id), len(pairs)) for i in invocations]
    whole = [pairs.setdefault((i.organization_id, 0), len(pairs)) for i in invocations]
    outcome = np.array([i.outcome for i in invocations])
    duration = np.array([i.duration_ms for i in invocations], np.float64)
    cost = np.array([i.cost_usd for i in invocations], np.float64)
    init = np.array([i.init_ms or 0 for i in invocations], np.float64)
    if not np.isfinite(duration + cost + init).all():
        raise DataError("a duration or cost is not a number")
    ones = np.ones(len(invocations))
    sums = {
        "invocations": ones,
        "errors": (outcome != Outcome.SUCCESS).astype(np.float64),
        "timeouts": (outcome == Outcome.TIMEOUT).astype(np.float64),
        "out_of_memory": (outcome == Outcome.OUT_OF_MEMORY).astype(np.float64),
        "cold_starts": np.array([i.cold_start for i in invocations], np.float64),
        "throttles": ones * 0,
        "billed_ms": np.array([i.billed_ms for i in invocations], np.float64),
        "cost_usd": cost,
        "duration_ms": duration,
        "init_ms": init,
    }
    peaks = {
        "max_memory_mb": np.array([i.max_memory_mb for i in invocations], np.int64),
        "memory_mb": np.array([i.memory_mb for i in invocations], np.int64),
    }
    minute = np.array([(i.started_at - EPOCH) // MINUTE for i in invocations], np.int64)
    twice = np.arange(2 * len(invocations))
    sketch = packing.Sketches(twice, np.tile(buckets(duration), 2), np.ones(2 * len(invocations), np.int64))
    by_minute = group(
        np.array(number + whole, np.int64),
        np.tile(minute, 2),
        {name: np.tile(values, 2) for name, values in sums.items()},
        {name: np.tile(values, 2) for name, values in peaks.items()},
        sketch,
    )
    return by_minute, list(pairs)


def add(invocations: Sequence[Invocation]) -> None:
    """Add new invocations to the rollups of every grain."""
    if not invocations:
        return
    finest, pairs = deltas(invocations)
    grains = [finest]
    for grain in GRAINS[1:]:
        grains.append(grains[-1].coarser(grain.minutes))
    keys = [key for number, each in enumerate(grains) for key in _keys(number, each, pairs)]
    firsts = np.cumsum([0, *(len(each.minute) for each in grains)])
    new = [replace(each.sketch, row=each.sketch.row + first) for each, first in zip(grains, firsts, strict=False)]
    sketches = packing.pack(packing.merge([*new, packing.unpack(_stored(keys))]), len(keys))
    values = [value for each in grains for value in _values(each)]
    _stage([(*key, *value, sketch) for key, value, sketch in zip(keys, values, sketches, strict=True)])
    _upsert()


def _keys(number: int, deltas: Deltas, pairs: list[tuple[int, int]]) -> list[Key]:
    starts = {minute: EPOCH + MINUTE * minute for minute in set(deltas.minute.tolist())}
    both = zip(deltas.pair.tolist(), deltas.minute.tolist(), strict=True)
    return [(number, *pairs[pair], starts[minute]) for pair, minute in both]


def _values(deltas: Deltas) -> list[tuple[Any, ...]]:
    sums = [v.tolist() if name in FLOATS else v.astype(np.int64).tolist() for name, v in deltas.sums.items()]
    return list(zip(*sums, *(v.tolist() for v in deltas.peaks.values()), strict=True))


def _stored(keys: list[Key]) -> dict[int, bytes]:
    """The sketches that are there already, by position."""
    parts, parameters = [], [list(column) for column in zip(*keys, strict=True)]
    bounds: list[datetime] = []
    for number, grain in enumerate(GRAINS):
        starts = [start for g, _, _, start in keys if g == number]
        bounds += [min(starts), max(starts)]
        parts.append(
            f"SELECT k.i - 1, r.durations FROM k JOIN {grain.table} r "
            f"ON r.organization_id = k.o AND r.resource_id = k.r AND r.start = k.s WHERE k.g = {number} "
            "AND r.start BETWEEN %s AND %s"  # Says at once which partitions to look into.
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH k AS MATERIALIZED (SELECT * FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::timestamptz[]) "
            f"WITH ORDINALITY AS k(g, o, r, s, i)) {' UNION ALL '.join(parts)}",
            [*parameters, *bounds],
        )
        return dict(cursor.fetchall())


def _stage(rows: list[tuple[Any, ...]]) -> None:
    target = f"COPY {STAGING} (grain, {NAMES}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.cursor.copy(target) as copy:
        copy.set_types(["int2", *COLUMNS.values()])
        for row in rows:
            copy.write_row(row)


def _upsert() -> None:
    sums = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in SUMS)
    peaks = ", ".join(f"{name} = greatest(t.{name}, excluded.{name})" for name in PEAKS)
    with connection.cursor() as cursor:
        cursor.execute(
            ";".join(
                f"INSERT INTO {grain.table} AS t ({NAMES}) SELECT {NAMES} FROM {STAGING} WHERE grain = {number} "
                "ON CONFLICT (organization_id, resource_id, start) DO UPDATE SET "
                f"{sums}, {peaks}, durations = excluded.durations"
                for number, grain in enumerate(GRAINS)
            )
        )
