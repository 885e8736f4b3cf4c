"""What every function did on every day, as one array: few bytes for what would be a million objects."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from observability.telemetry.grains import EPOCH, ceil, floor
from observability.telemetry.records import Window

DAY = timedelta(days=1)
COUNTERS = ("invocations", "cold_starts", "billed_ms", "cost_usd", "duration_ms", "init_ms")
DAILY = np.dtype([("resource_id", "i8"), ("day", "i8"), *((name, "f8") for name in COUNTERS), ("memory_mb", "i8")])
"""One function on one day that it ran; ``day`` counts from the epoch (UTC), ``memory_mb`` is the largest of the day."""

Daily = NDArray[np.void]
"""Entries of ``DAILY``, in order of day and function."""


def number(day: date | datetime) -> int:
    """The day as it stands in ``Daily``."""
    moment = day.astimezone(UTC).date() if isinstance(day, datetime) else day
    return (moment - EPOCH.date()).days


def whole(window: Window) -> Window:
    """All of the days (UTC) that the window touches."""
    return Window(floor(window.start, DAY), ceil(window.end, DAY))
