"""Key figures: what they read, compare and draw."""

from datetime import timedelta

import pytest

from observability.dashboards.figures import Figure, change, figures, merged, monthly
from observability.telemetry.records import Rollup, Window
from tests.observability.dashboards.buckets import START, buckets, rollup, window


def of(rollups: list[Rollup], before: Rollup | None = None, *, partial: bool = False) -> dict[str, Figure]:
    total = Rollup()
    for each in rollups:
        total.merge(each)
    found = figures(total, before, buckets(*rollups), window(*rollups), partial=partial)
    return {figure.label: figure for figure in found}


class TestTrend:
    def test_of_a_rate_weighs_busy_buckets_more(self) -> None:
        points = merged(buckets(rollup(1, 1), rollup(99, 0)), 1)
        assert [point.errors / point.invocations for point in points] == [0.01]

    def test_keeps_every_bucket(self) -> None:
        points = merged(buckets(*[rollup(1)] * 96), 32)
        assert [point.invocations for point in points] == [3] * 32

    def test_of_an_odd_number_ends_with_a_shorter_point(self) -> None:
        assert [p.invocations for p in merged(buckets(*[rollup(1)] * 5), 3)] == [2, 2, 1]

    def test_leaves_out_what_is_still_filling(self) -> None:
        assert of([rollup(50), rollup(50), rollup(1)], partial=True)["Invocations"].trend == [50, 50]

    def test_draws_no_duration_where_nothing_ran(self) -> None:
        assert len(of([rollup(5, ms=80), rollup(0)])["p95 duration"].trend) == 1

    def test_of_nothing_is_empty(self) -> None:
        assert merged([], 32) == []


class TestChange:
    def test_is_relative_to_the_window_before(self) -> None:
        assert of([rollup(150)], rollup(100))["Invocations"].change == 0.5

    def test_is_unknown_where_nobody_watched_before(self) -> None:
        assert of([rollup(150)], None)["Invocations"].change is None

    @pytest.mark.parametrize(("now", "before"), [(None, 1.0), (1.0, None), (1.0, 0.0)])
    def test_needs_both_sides(self, now: float | None, before: float | None) -> None:
        assert change(now, before) is None


class TestMonth:
    def test_is_what_this_pace_costs(self) -> None:
        assert monthly(1.0, Window(START, START + timedelta(days=1))) == "\N{ALMOST EQUAL TO} $30 a month"
        assert monthly(0.01, Window(START, START + timedelta(days=1))) == "\N{ALMOST EQUAL TO} $0.30 a month"

    @pytest.mark.parametrize("length", [timedelta(minutes=15), timedelta(days=30)])
    def test_is_not_told_from_too_little_or_beside_itself(self, length: timedelta) -> None:
        assert monthly(1.0, Window(START, START + length)) == ""


def test_figures_without_invocations_have_no_rates() -> None:
    found = of([rollup()])
    assert found["Error rate"].value is None
    assert found["p95 duration"].value is None
    assert found["Invocations"].value == 0
