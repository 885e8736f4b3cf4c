"""What was usual in the past, replayed from what is stored."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from alerts.watching import bands
from alerts.watching.series import BY_NAME
from observability.inventory.models import Resource
from observability.telemetry.records import Window
from observability.telemetry.sketch import bucket
from tests.alerts.watching.numbers import Numbers, healthy

pytestmark = pytest.mark.django_db
END = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Sketched(Numbers):
    """With sketches of durations, and the metrics of one resource."""

    def series(self, *told: object, **named: object):  # type: ignore[no-untyped-def]
        buckets = super().series(*told, **named)  # type: ignore[arg-type]
        for each in buckets:
            runs = each.rollup.invocations
            each.rollup.durations = {bucket(each.rollup.duration_ms / runs): runs} if runs else {}
        return buckets

    def measured(self, organization_id: int, window: Window, *, resource_id: int, metrics: object, step: timedelta):  # type: ignore[no-untyped-def]
        read = self.measured_by_resource(organization_id, window, metrics=metrics, step=step)  # type: ignore[arg-type]
        return {measure: found[resource_id] for measure, found in read.items() if resource_id in found}


def test_the_band_lies_around_what_was_usual(checkout: Resource) -> None:
    store = Sketched({checkout.pk: healthy(ms=200)})
    metric = BY_NAME["duration_p50"]
    course = bands.courses(store, checkout, [metric], Window(END - DAY, END))["duration_p50"]  # type: ignore[arg-type]
    assert len(course.values) == len(course.low) == len(course.high) == 288
    assert np.isfinite(course.high).all()
    assert ((course.values >= course.low) & (course.values <= course.high)).mean() > 0.95
    assert (course.high < 500).all()


def test_points_have_bands_as_well(checkout: Resource) -> None:
    measure = ("ConcurrentExecutions", "Maximum")
    store = Sketched(points={measure: {checkout.pk: lambda at: 40.0 + at.minute / 10}})
    metric = BY_NAME["concurrency"]
    course = bands.courses(store, checkout, [metric], Window(END - DAY, END))["concurrency"]  # type: ignore[arg-type]
    assert np.isfinite(course.low).all()
    assert course.values.max() == 45.5


def test_of_long_windows_only_the_values_are_told(checkout: Resource) -> None:
    store = Sketched({checkout.pk: healthy()})
    window = Window(END - 10 * DAY, END)
    course = bands.courses(store, checkout, [BY_NAME["cost"]], window)["cost"]  # type: ignore[arg-type]
    assert np.isfinite(course.values).any()
    assert np.isnan(course.high).all()


def test_counts_are_added_up_and_of_levels_the_largest_is_shown() -> None:
    nan = float("nan")
    course = bands.Course(np.array([1.0, 2.0, nan, nan, 5.0]), np.array([1.0] * 5), np.array([3.0] * 5))
    assert bands.gathered(course, BY_NAME["invocations"], 2) == {
        "y": [3.0, None, 5.0], "low": [2.0, 2.0, 1.0], "high": [6.0, 6.0, 3.0]
    }  # fmt: skip
    assert bands.gathered(course, BY_NAME["duration_p50"], 2)["y"] == [2.0, None, 5.0]


def test_nothing_stored_is_nothing_known(checkout: Resource) -> None:
    course = bands.courses(Sketched(), checkout, [BY_NAME["cost"]], Window(END - DAY, END))["cost"]  # type: ignore[arg-type]
    assert not np.isfinite(course.low).any()


def test_what_is_watched_of_a_resource(checkout: Resource) -> None:
    assert {"cost", "throttles"} <= {metric.name for metric in bands.all_of(checkout)}
