"""Cold starts by package: whether a larger one takes longer to start, as measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from observability.inventory.models import Package, Resource
from observability.inventory.packages import total
from observability.telemetry.records import Bucket, Rollup, Window
from observability.telemetry.store import Store
from observability.ui.units import milliseconds, size

LOOK_BACK = timedelta(days=30)
HOUR = timedelta(hours=1)
FEWEST = 5
"""Cold starts of a package that say something about the next one."""

FEWEST_PACKAGES = 3
FOLLOWS = 0.7
"""From this correlation on, cold starts are said to follow the size."""

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Starts:
    """The cold starts of one package while it was deployed: how many, and how long their init took on average."""

    count: int
    mean_ms: float

    @property
    def telling(self) -> bool:
        return self.count >= FEWEST


def measured(store: Store, resource: Resource, history: Sequence[Package], *, now: datetime) -> list[Starts | None]:
    """One entry for each package (the newest last), None where none was measured. One query."""
    if not history:
        return []
    window = Window(now - LOOK_BACK, now)
    found = store.series_by_resource(resource.organization_id, window, HOUR, [resource.pk])
    return by_package(history, found.get(resource.pk, ()))


def by_package(history: Sequence[Package], buckets: Sequence[Bucket]) -> list[Starts | None]:
    """Buckets of an hour belong to the package that ran all of it."""
    ends = [*(package.deployed_at for package in history[1:]), None]
    found = []
    for package, end in zip(history, ends, strict=True):
        rollup = Rollup()
        for bucket in buckets:
            if bucket.start >= package.deployed_at and (end is None or bucket.start + HOUR <= end):
                rollup.merge(bucket.rollup)
        mean = rollup.init_ms / rollup.cold_starts if rollup.cold_starts else 0.0
        found.append(Starts(rollup.cold_starts, mean) if mean else None)
    return found


def sentence(history: Sequence[Package], starts: Sequence[Starts | None]) -> str:
    """What the measurements say about size and cold starts; empty where they say nothing."""
    both = [
        (used, each)
        for package, each in zip(history, starts, strict=True)
        if each is not None and each.telling and (used := total(package)) is not None
    ]
    if len(both) >= FEWEST_PACKAGES:
        return _over_many([(used / MIB, each.mean_ms) for used, each in both])
    if len(both) == 2 and both[-1][1] is starts[-1]:
        return _before_and_after(*both)
    last = starts[-1] if starts else None
    return f"A cold start takes {milliseconds(last.mean_ms)}, over {last.count:,} of them." if last else ""


def _over_many(points: Sequence[tuple[float, float]]) -> str:
    slope, correlation = _fit(points)
    if correlation >= FOLLOWS:
        return (
            f"Cold starts grow with the package: by about {milliseconds(slope)} for each MB, "
            f"over the last {len(points)} packages."
        )
    return f"Cold starts did not follow the size of the package over the last {len(points)} of them."


def _fit(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope by least squares, and Pearson's correlation; zeros where one of both never changed."""
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    xx = sum((x - mean_x) ** 2 for x, _ in points)
    yy = sum((y - mean_y) ** 2 for _, y in points)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return (xy / xx, xy / sqrt(xx * yy)) if xx and yy else (0.0, 0.0)


def _before_and_after(before: tuple[int, Starts], after: tuple[int, Starts]) -> str:
    grown = after[0] - before[0]
    change = f"{size(abs(grown))} {'larger' if grown > 0 else 'smaller'}" if grown else "as large as before"
    return (
        f"The last package is {change}, and its cold starts take {milliseconds(after[1].mean_ms)} "
        f"instead of {milliseconds(before[1].mean_ms)} ({after[1].count:,} and {before[1].count:,} measured)."
    )
