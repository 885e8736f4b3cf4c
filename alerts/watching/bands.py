"""What was usual at each time in the past, for charts: the stored readings taken through the kernel once more.

Nothing of it is kept, so that the band of a year ago needs no room, and a better kernel draws better bands.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from alerts.watching import judging, surprise
from alerts.watching.frames import NAN, Values, measured, told
from alerts.watching.series import BY_NAME, FUNCTION, STEP, Metric, Source, key_of
from observability.inventory.models import Resource
from observability.telemetry.grains import floor, steps
from observability.telemetry.records import Bucket, Standing, Window
from observability.telemetry.sketch import quantile
from observability.telemetry.store import Store

WARMUP = timedelta(days=3)
"""So much before a window the kernel learns from: enough to know a day."""

LONGEST = timedelta(days=8)
"""Of longer windows no band is worked out: it would take too long, and nobody could see it."""


@dataclass(frozen=True, slots=True)
class Course:
    """A metric step by step from ``window.start`` on: what it was, and between what it was usual. NaN is unknown."""

    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def courses(store: Store, resource: Resource, metrics: Iterable[Metric], window: Window) -> dict[str, Course]:
    """The courses of some metrics of one resource, by name; without bands where the window is too long."""
    chosen = list(metrics)
    is_short = window.end - window.start <= LONGEST
    start = floor(window.start, STEP)
    whole = Window(start - WARMUP, window.end) if is_short else Window(start, window.end)
    numbers = _numbers(store, resource, chosen, whole)
    shown = len(steps(Window(start, window.end), STEP))
    low, high = _bands(resource, chosen, numbers, whole) if is_short else (np.full(numbers.shape[:2], NAN),) * 2
    return {
        metric.name: Course(numbers[-shown:, place, 0], low[-shown:, place], high[-shown:, place])
        for place, metric in enumerate(chosen)
    }


def _numbers(store: Store, resource: Resource, metrics: Sequence[Metric], window: Window) -> NDArray[np.float64]:
    """[step, metric, (value, of)]."""
    starts = steps(window, STEP)
    found = np.full((len(starts), len(metrics), 2), NAN)
    if any(metric.source is Source.ROLLUP for metric in metrics) and resource.type == FUNCTION:
        buckets = store.series(resource.organization_id, window, STEP, [resource.pk])
        first = next((place for place, bucket in enumerate(buckets) if bucket.rollup.invocations), len(buckets))
        for place, bucket in list(enumerate(buckets))[first:]:
            values = dict(told(_standing(bucket)))
            for column, metric in enumerate(metrics):
                found[place, column] = values.get(metric, found[place, column])
    for column, metric in enumerate(metrics):
        if metric.source is Source.POINT:
            for place, pair in enumerate(_points(store, resource, metric, window, len(starts))):
                found[place, column] = pair or (NAN, NAN)
    return found


def _standing(bucket: Bucket) -> Standing | None:
    rollup = bucket.rollup
    if not rollup.invocations:
        return None
    p50, p95 = (quantile(rollup.durations, q) for q in (0.5, 0.95))
    return Standing(rollup, p95, None, p50)


def _points(store: Store, resource: Resource, metric: Metric, window: Window, count: int) -> Iterable[Values | None]:
    measures = [*metric.measures, *metric.of]
    read = store.measured(resource.organization_id, window, resource_id=resource.pk, metrics=measures, step=STEP)
    return measured({key: {resource.pk: readings} for key, readings in read.items()}, metric, resource.pk, count)


def _bands(
    resource: Resource, metrics: Sequence[Metric], numbers: NDArray[np.float64], window: Window
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    keys = np.array([key_of(resource.pk, metric) for metric in metrics], np.int64)
    states, known = surprise.fresh(len(keys)), judging.traits(keys)
    low, high = (np.full(numbers.shape[:2], NAN) for _ in range(2))
    for place, start in enumerate(steps(window, STEP)):
        values, of = numbers[place, :, 0], numbers[place, :, 1]
        if np.isfinite(values).any():
            judged = judging.look(states, known, values, of, at_s=start.timestamp())
            sure = ~judged.learning
            low[place] = np.where(sure, np.maximum(0.0, judged.low), NAN)
            high[place] = np.where(sure, judged.high, NAN)
    return low, high


def gathered(course: Course, metric: Metric, factor: int) -> Mapping[str, list[float | None]]:
    """The course in buckets of ``factor`` steps: counts are added up, of others the largest is shown."""
    fold = np.nansum if metric.statistic == "sum" else np.nanmax
    return {
        "y": _fold(course.values, factor, fold),
        "low": _fold(course.low, factor, np.nansum if metric.statistic == "sum" else np.nanmin),
        "high": _fold(course.high, factor, fold),
    }


def _fold(values: NDArray[np.float64], factor: int, fold: object) -> list[float | None]:
    assert callable(fold)
    found: list[float | None] = []
    for start in range(0, len(values), factor):
        part = values[start : start + factor]
        known = part[np.isfinite(part)]
        found.append(round(float(fold(known)), 6) if known.size else None)
    return found


def all_of(resource: Resource) -> list[Metric]:
    """The metrics that are watched of a resource."""
    return [metric for metric in BY_NAME.values() if resource.type in metric.types]
