"""Whether something grows: the slope that half of all pairs of points exceed, which a few wild ones do not move.

https://en.wikipedia.org/wiki/Theil%E2%80%93Sen_estimator
"""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import median

from bench.quantile import quantile

Point = tuple[float, float]
BLOCKS = 40
SIGMAS = 1.96
"""95 percent of a normal distribution are so near to its middle."""


def trend(points: Sequence[Point]) -> tuple[float, float, float]:
    """The slope, and between which slopes it is with 95 % confidence (Sen 1968)."""
    few = blocks(points)
    slopes = sorted((y - b) / (x - a) for (a, b), (x, y) in combinations(few, 2) if x > a)
    if not slopes:
        return 0.0, -math.inf, math.inf
    n = len(few)
    margin = SIGMAS * math.sqrt(n * (n - 1) * (2 * n + 5) / 18) / 2 / len(slopes)
    return quantile(slopes, 0.5), quantile(slopes, max(0.0, 0.5 - margin)), quantile(slopes, min(1.0, 0.5 + margin))


def blocks(points: Sequence[Point]) -> list[Point]:
    """The middle of each of a few stretches: neighbours are too alike to count as points of their own."""
    size = max(1, len(points) // BLOCKS)
    parts = [points[first : first + size] for first in range(0, len(points), size)]
    return [(median(x for x, _ in part), median(y for _, y in part)) for part in parts]
