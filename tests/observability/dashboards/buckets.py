"""Rollups and buckets for tests of plain figures, charts and rows."""

from datetime import UTC, datetime, timedelta

from observability.telemetry.records import Bucket, Rollup, Window
from observability.telemetry.sketch import bucket as sketched

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STEP = timedelta(minutes=15)


def rollup(invocations: int = 0, errors: int = 0, *, ms: float = 100, **more: int) -> Rollup:
    """That many invocations, each of the same duration."""
    durations = {sketched(ms): invocations} if invocations else {}
    return Rollup(invocations=invocations, errors=errors, durations=durations, **more)


def buckets(*rollups: Rollup) -> list[Bucket]:
    return [Bucket(START + STEP * index, each) for index, each in enumerate(rollups)]


def window(*rollups: Rollup) -> Window:
    return Window(START, START + STEP * len(rollups))
