"""The product's detector in the shape that scorers of the Numenta Anomaly Benchmark ask for.

https://github.com/numenta/NAB. It sees one value at a time, and neither the future nor how long the file is.
"""

from datetime import UTC, datetime

import numpy as np

from alerts.watching import surprise

STEP_S = 300.0
LEAST = 1.0
"""Of surprise. Whoever scores chooses the threshold, so anything above it that is new is told here."""

HALF = 10.0
"""The surprise whose score is one half."""


class Detector:
    """One series through the kernel that the worker runs, refractory time included."""

    def __init__(self, probation: int, n: int) -> None:
        """``n`` would be a look ahead, and the kernel knows itself how long it has to learn: neither is used."""
        self.state = surprise.fresh(1)

    def update(self, timestamp: datetime, value: float) -> float:
        """The score of the next value, from 0 to 1; 0 where nobody would be told."""
        at_s = timestamp.replace(tzinfo=UTC).timestamp()
        judged = surprise.update(self.state, np.array([value], float), at_s=at_s, step_s=STEP_S)
        told = float(judged.surprise[0])
        if told < LEAST or not surprise.alarm(self.state, judged, at_s=at_s, threshold=LEAST)[0]:
            return 0.0
        return told / (told + HALF)
