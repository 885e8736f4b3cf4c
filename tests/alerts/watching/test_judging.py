"""What of the kernel's surprise is kept: only changes that matter to somebody and are no matter of chance."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import nan

import numpy as np
import pytest

from alerts.watching import judging, surprise
from alerts.watching.frames import Frame, frame
from alerts.watching.judging import Sight
from alerts.watching.series import BY_NAME, METRICS, Metric, key_of
from alerts.watching.shards import Shard

BEGAN = datetime(2026, 11, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)
DAY = timedelta(days=1)
THRESHOLD = 30.0


class Series:
    """The series of one resource, and where in time it is."""

    def __init__(self, *names: str) -> None:
        self.metrics = [BY_NAME[name] for name in names]
        self.shard = Shard(
            0, np.array([key_of(1, each) for each in self.metrics], np.int64), surprise.fresh(len(names))
        )
        self.at = BEGAN
        self.random = np.random.default_rng(5)

    def see(self, *values: float, of: float = nan, steps: int = 1, noise: float = 0.0) -> list[Sight]:
        """The same values in so many steps, each with some noise (a share of it)."""
        return judging.judge(self.shard, [self._next(values, of, noise) for _ in range(steps)], threshold=THRESHOLD)

    def _next(self, values: Sequence[float], of: float, noise: float) -> Frame:
        told = np.maximum(0.0, np.array(values) * (1 + noise * self.random.standard_normal(len(values))))
        found = {key_of(1, metric): (float(value), of) for metric, value in zip(self.metrics, told, strict=True)}
        self.at += STEP
        return frame(self.at, found)


def learnt(*values: float, of: float = nan, names: Sequence[str] = ("duration_p50",), days: int = 8) -> Series:
    series = Series(*names)
    series.see(*values, of=of, steps=days * 288, noise=0.05)
    return series


def test_a_value_far_out_is_a_sight_with_what_was_usual() -> None:
    (sight,) = learnt(100.0).see(1500.0)
    assert (sight.resource_id, sight.metric.name, sight.value, sight.side) == (1, "duration_p50", 1500.0, 1)
    assert sight.low < sight.expected < sight.high < 200
    assert sight.surprise >= THRESHOLD
    assert sight.fresh


def test_what_lasts_is_seen_again_but_fresh_only_once() -> None:
    series = learnt(100.0)
    sights = series.see(1500.0, steps=3)
    assert [sight.fresh for sight in sights] == [True, False, False]


@pytest.mark.parametrize(
    ("name", "usual", "value"),
    [
        ("duration_p50", 2.0, 25.0),  # Twelve times as long, but 23 ms are nothing.
        ("duration_p50", 1000.0, 1400.0),  # 400 ms more, but not half as much again.
        ("duration_p50", 1000.0, 10.0),  # Nobody minds what is quick.
        ("memory", 400.0, 490.0),
        ("cost", 0.001, 0.015),
    ],
)
def test_what_does_not_matter_is_no_sight(name: str, usual: float, value: float) -> None:
    assert learnt(usual, names=[name]).see(value, steps=3) == []


def test_of_invocations_too_few_matter_as_well() -> None:
    (sight,) = learnt(400.0, names=["invocations"]).see(0.0)
    assert sight.side == -1
    assert sight.value == 0


def test_a_few_errors_among_few_runs_are_chance() -> None:
    series = learnt(1.0, of=10, names=["errors"])
    assert series.see(10.0, of=10) == []
    assert len(series.see(60.0, of=500)) == 1


def test_a_count_near_zero_is_judged_by_chance() -> None:
    series = learnt(0.0, names=["throttles"])
    assert series.see(5.0) == []
    assert len(series.see(80.0)) == 1


def test_the_first_day_is_for_learning() -> None:
    series = learnt(100.0, days=1)
    series.shard.states = surprise.fresh(1)
    assert series.see(100.0, steps=20) == []
    assert series.see(9000.0, steps=3) == []


def test_in_the_first_week_a_surprise_counts_less() -> None:
    def counted(days: int) -> float:
        series = learnt(100.0, days=days)
        of = np.full(1, nan)
        at_s = (series.at + STEP).timestamp()
        traits = judging.traits(series.shard.keys)
        judged = judging.look(series.shard.states.copy(), traits, np.array([400.0]), of, at_s=at_s)
        plain = surprise.update(series.shard.states.copy(), np.array([400.0]), at_s=at_s, step_s=300)
        return float(judged.surprise[0] / plain.surprise[0])

    assert 0.5 < counted(2) < 0.75
    assert counted(9) == 1


def test_the_same_step_twice_is_judged_once() -> None:
    series = learnt(100.0)
    odd = series._next([1500.0], nan, 0.0)
    assert len(judging.judge(series.shard, [odd], threshold=THRESHOLD)) == 1
    before = series.shard.states.tobytes()
    assert judging.judge(series.shard, [odd], threshold=THRESHOLD) == []
    assert series.shard.states.tobytes() == before


def test_a_step_of_which_nothing_is_known_changes_nothing() -> None:
    series = learnt(100.0)
    before = series.shard.states.tobytes()
    series.at += DAY
    assert judging.judge(series.shard, [frame(series.at, {})], threshold=THRESHOLD) == []
    assert series.shard.states.tobytes() == before


def test_the_other_metrics_of_the_resource_stand_beside_it() -> None:
    series = learnt(100.0, 400.0, names=["duration_p50", "invocations"])
    (sight,) = (each for each in series.see(1500.0, 410.0) if each.metric.name == "duration_p50")
    value, expected = sight.beside["invocations"]
    assert value == 410
    assert expected == pytest.approx(400, rel=0.1)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_no_value_of_any_metric_breaks_it(metric: Metric) -> None:
    series = Series(metric.name)
    with np.errstate(all="raise", under="ignore"):
        for value in (0.0, 0.0, 1e-9, 1e12, 0.0, 100.0):
            series.see(value, of=0.0, steps=2)
            series.see(value, of=1e9, steps=2)
    assert np.isfinite(series.shard.states["means"]).all()
