"""A mergeable sketch of durations: logarithmic buckets, at most 2 % relative error (as DDSketch does it).

Bucket ``i`` holds durations in ``(GAMMA**(i-1), GAMMA**i]`` ms; bucket 0 holds everything up to 1 ms.
Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

ERROR = 0.02
GAMMA = (1 + ERROR) / (1 - ERROR)
LOG_GAMMA = math.log(GAMMA)


def bucket(duration_ms: float) -> int:
    """The bucket of a duration in milliseconds."""
    return math.ceil(math.log(duration_ms) / LOG_GAMMA) if duration_ms > 1 else 0


def value(index: int) -> float:
    """The duration in ms that stands for a bucket: within 2 % of everything in it."""
    return 2 * GAMMA**index / (GAMMA + 1) if index else 1.0


def quantile(counts: Mapping[int, int], q: float) -> float | None:
    """The ``q`` quantile (0 to 1) in ms, or None when nothing was counted."""
    total = sum(counts.values())
    if not total:
        return None
    rank = q * (total - 1)
    seen = 0
    for index in sorted(counts):
        seen += counts[index]
        if seen > rank:
            return value(index)
    return value(max(counts))


def buckets(durations_ms: NDArray[np.float64]) -> NDArray[np.int64]:
    """The buckets of many durations at once."""
    return np.ceil(np.log(np.maximum(durations_ms, 1)) / LOG_GAMMA).astype(np.int64)
