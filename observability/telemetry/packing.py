"""Sketches as bytes: pairs of (bucket uint16, count uint32), little-endian; many of them at once with numpy.

Pairs of the same bucket add up, so joining two packed sketches end to end merges them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from observability.telemetry.sketch import value

PAIR = np.dtype([("bucket", "<u2"), ("count", "<u4")])
BUCKET_BITS = 16
BUCKET_MASK = (1 << BUCKET_BITS) - 1
MOST = (1 << 32) - 1
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sketches:
    """Many sketches, column-wise: which one (``row``), bucket, count."""

    row: Ints
    bucket: Ints
    count: Ints


def merge(parts: Sequence[Sketches]) -> Sketches:
    """Add up counts of the same row and bucket; the answer is in order of row, then bucket."""
    keys = np.concatenate([part.row << BUCKET_BITS | part.bucket for part in parts])
    unique, place = np.unique(keys, return_inverse=True)
    counts = np.bincount(place, np.concatenate([part.count for part in parts]), len(unique)).astype(np.int64)
    return Sketches(unique >> BUCKET_BITS, unique & BUCKET_MASK, counts)


def unpack(stored: Mapping[int, bytes]) -> Sketches:
    """Packed sketches, by row, as columns."""
    blobs = list(stored.values())
    pairs = np.frombuffer(b"".join(blobs), PAIR)
    lengths = [len(blob) // PAIR.itemsize for blob in blobs]
    row = np.repeat(np.fromiter(stored.keys(), np.int64, len(blobs)), lengths)
    return Sketches(row, pairs["bucket"].astype(np.int64), pairs["count"].astype(np.int64))


def pack(sketches: Sketches, rows: int) -> list[bytes]:
    """One packed sketch for each row from 0; ``sketches`` must be merged. A count stops at 2³²-1."""
    pairs = np.empty(len(sketches.row), PAIR)
    pairs["bucket"] = sketches.bucket
    pairs["count"] = np.minimum(sketches.count, MOST)
    data = pairs.tobytes()
    ends = (np.searchsorted(sketches.row, np.arange(rows), side="right") * PAIR.itemsize).tolist()
    return [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def quantiles(stored: Sequence[bytes], *qs: float) -> list[list[float | None]]:
    """For each quantile ``q`` (0 to 1) that of every packed sketch in ms, or None when nothing was counted in it."""
    seen = np.cumsum(_counts(stored), axis=1)
    total = seen[:, -1]
    places = [np.count_nonzero(seen <= (q * (total - 1))[:, None], axis=1) for q in qs]
    return [
        [value(index) if count else None for index, count in zip(place.tolist(), total.tolist(), strict=True)]
        for place in places
    ]


def _counts(stored: Sequence[bytes]) -> Ints:
    """A row for each sketch, a column for each bucket: adding up is ten times faster than sorting."""
    pairs = np.frombuffer(b"".join(stored), PAIR)
    lengths = [len(blob) // PAIR.itemsize for blob in stored]
    span = int(pairs["bucket"].max(initial=0)) + 1
    cells = np.repeat(np.arange(len(stored)) * span, lengths) + pairs["bucket"]
    return np.bincount(cells, pairs["count"], len(stored) * span).astype(np.int64).reshape(len(stored), span)


def dictionaries(stored: Sequence[bytes]) -> list[dict[int, int]]:
    """Each packed sketch as bucket → count, in order of bucket."""
    counts = _counts(stored)
    span, sums = counts.shape[1], counts.ravel()
    filled = np.flatnonzero(sums)
    bounds = np.searchsorted(filled, np.arange(len(stored) + 1) * span).tolist()
    bucket, count = (filled % span).tolist(), sums[filled].tolist()
    return [dict(zip(bucket[a:b], count[a:b], strict=True)) for a, b in pairwise(bounds)]
