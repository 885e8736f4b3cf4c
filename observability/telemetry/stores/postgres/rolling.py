"""Writing rollups: new invocations become deltas per function and grain, added to the rows that are there.

The caller holds the watermark locks of these organizations, so nobody else touches their rollups: reading a sketch,
adding to it and writing it back is safe. ``resource_id`` 0 is the sum over an organization's functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import DataError, connection
from numpy.typing import NDArray

from observability.telemetry import packing
from observability.telemetry.grains import EPOCH, GRAINS, MINUTE, Grain
from observability.telemetry.records import PEAKS, SUMS, Invocation, Outcome
from observability.telemetry.sketch import buckets

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FLOATS = {"cost_usd", "duration_ms", "init_ms"}
KEYS = {"organization_id": "int8", "resource_id": "int8", "start": "timestamptz"}
COLUMNS = (
    KEYS
    | {name: "float8" if name in FLOATS else "int8" for name in SUMS}
    | dict.fromkeys(PEAKS, "int4")
    | {"durations": "bytea"}
)
NAMES = ", ".join(COLUMNS)
CREATE = (
    "SET LOCAL client_min_messages = warning; CREATE TEMP TABLE IF NOT EXISTS staging_rollup "
    f"({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())}) ON COMMIT DELETE ROWS; TRUNCATE staging_rollup"
)
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
    by_minute, pairs = deltas(invocations)
    with connection.cursor() as cursor:
        cursor.execute(CREATE)
    finest, *others = GRAINS
    _write(finest, by_minute, pairs)
    for grain in others:
        by_minute = by_minute.coarser(grain.minutes)
        _write(grain, by_minute, pairs)


def _write(grain: Grain, deltas: Deltas, pairs: list[tuple[int, int]]) -> None:
    starts = {m: EPOCH + MINUTE * m for m in set(deltas.minute.tolist())}
    start = [starts[m] for m in deltas.minute.tolist()]
    owner = [pairs[p] for p in deltas.pair.tolist()]
    stored = _stored(grain, owner, start)
    sketches = packing.pack(packing.merge([deltas.sketch, packing.unpack(stored)]), len(start))
    counts = [v.tolist() if name in FLOATS else v.astype(np.int64).tolist() for name, v in deltas.sums.items()]
    peaks = [v.tolist() for v in deltas.peaks.values()]
    rows = [(*key, *rest) for key, *rest in zip(owner, start, *counts, *peaks, sketches, strict=True)]
    _upsert(grain, rows)


def _stored(grain: Grain, owner: list[tuple[int, int]], start: list[datetime]) -> dict[int, bytes]:
    """The sketches that are there already, by position."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.i - 1, r.durations FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[]) "
            f"WITH ORDINALITY AS k(o, r, s, i) JOIN {grain.table} r "
            "ON r.organization_id = k.o AND r.resource_id = k.r AND r.start = k.s WHERE r.start BETWEEN %s AND %s",
            [[o for o, _ in owner], [r for _, r in owner], start, min(start), max(start)],
        )
        return dict(cursor.fetchall())


def _upsert(grain: Grain, rows: list[tuple[Any, ...]]) -> None:
    sums = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in SUMS)
    peaks = ", ".join(f"{name} = greatest(t.{name}, excluded.{name})" for name in PEAKS)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        with cursor.cursor.copy(f"COPY staging_rollup ({NAMES}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(COLUMNS.values()))
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO {grain.table} AS t ({NAMES}) SELECT {NAMES} FROM staging_rollup "
            "ON CONFLICT (organization_id, resource_id, start) DO UPDATE SET "
            f"{sums}, {peaks}, durations = excluded.durations; TRUNCATE staging_rollup"
        )
