"""The kernel: what surprises and what does not, and what it learns from people."""

from dataclasses import dataclass

import numpy as np
import pytest

from alerts.watching import surprise
from alerts.watching.surprise import STATE, State

STEP = 300.0
A_DAY = 288
ZERO = 1_767_225_600.0
"""A Thursday at midnight."""

THRESHOLD = 20.0


@dataclass
class Run:
    """What a course of numbers [step, series] led to, in the same shape; ``alarms`` are [step, series]."""

    state: State
    surprise: np.ndarray
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    learning: np.ndarray
    side: np.ndarray
    alarms: np.ndarray


def watch(values: np.ndarray, state: State | None = None, begin: int = 0) -> Run:
    values = values.reshape(len(values), -1)
    state = surprise.fresh(values.shape[1]) if state is None else state
    told, alarms = [], []
    for step, row in enumerate(values, begin):
        at_s = ZERO + step * STEP
        judged = surprise.update(state, row.astype(float), at_s=at_s, step_s=STEP)
        alarms.append(surprise.alarm(state, judged, at_s=at_s, threshold=THRESHOLD))
        told.append((judged.surprise, judged.expected, judged.low, judged.high, judged.learning, judged.side))
    columns = [np.array(column) for column in (*zip(*told, strict=True), alarms)]
    return Run(state, *columns)


def noise(days: float, n: int = 1, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(100.0, 5.0, (int(days * A_DAY), n))


def seasonal(days: float, seed: int = 3) -> np.ndarray:
    step = np.arange(int(days * A_DAY))
    wave = 500 + 400 * np.sin(2 * np.pi * step / A_DAY)
    return np.random.default_rng(seed).poisson(wave).astype(float)


def weekly(days: int, seed: int = 3) -> np.ndarray:
    """Half as much on Saturdays and Sundays. Begins on a Thursday."""
    step = np.arange(days * A_DAY)
    wave = 500 + 250 * np.sin(2 * np.pi * step / A_DAY)
    rest = np.isin(step // A_DAY % 7, (2, 3))
    return np.random.default_rng(seed).poisson(np.where(rest, wave / 2, wave)).astype(float)


class TestSurprise:
    def test_nothing_surprises_on_the_first_day(self) -> None:
        values = noise(0.9)
        values[200] = 5_000
        seen = watch(values)
        assert seen.surprise.max() == 0
        assert seen.learning.all()

    def test_a_jump_surprises_and_noise_does_not(self) -> None:
        values = noise(10)
        values[9 * A_DAY : 9 * A_DAY + 6] = 200
        seen = watch(values)
        assert np.flatnonzero(seen.alarms[:, 0])[0] == 9 * A_DAY
        assert seen.surprise[2 * A_DAY : 9 * A_DAY].max() < THRESHOLD
        assert seen.side[9 * A_DAY, 0] == 1

    def test_a_drop_is_below(self) -> None:
        values = noise(10)
        values[9 * A_DAY :] = 5
        seen = watch(values)
        first = np.flatnonzero(seen.alarms[:, 0])[0]
        assert first == 9 * A_DAY
        assert seen.side[first, 0] == -1

    def test_what_is_further_out_surprises_more(self) -> None:
        values = np.repeat(noise(8), 3, axis=1)
        values[-1] = 150, 250, 1_000
        last = watch(values).surprise[-1]
        assert last[0] < last[1] <= last[2]

    def test_a_usual_size_at_an_unusual_hour_surprises(self) -> None:
        values = seasonal(13)
        low = 12 * A_DAY + 3 * A_DAY // 4
        values[low : low + 12] = 800
        seen = watch(values)
        assert seen.surprise[low] > 2 * seen.surprise[2 * A_DAY : low].max()
        assert not seen.alarms[:low].any()

    def test_a_single_count_where_all_was_zero_does_not_surprise_much(self) -> None:
        values = np.zeros((8 * A_DAY, 1))
        values[7 * A_DAY] = 1
        values[7 * A_DAY + 100] = 40
        seen = watch(values)
        assert not seen.alarms[7 * A_DAY]
        assert seen.alarms[7 * A_DAY + 100]

    def test_sparse_traffic_is_quiet(self) -> None:
        seen = watch(np.random.default_rng(4).poisson(0.05, (14 * A_DAY, 20)))
        assert seen.alarms.sum() == 0

    def test_a_constant_is_quiet_and_its_end_is_not(self) -> None:
        values = np.full((8 * A_DAY, 1), 0.25)
        values[-1] = 0.5
        seen = watch(values)
        assert not seen.alarms[:-1].any()
        assert seen.alarms[-1]


class TestLearning:
    def test_a_level_shift_is_told_and_then_the_new_normal(self) -> None:
        values = noise(21)
        values[10 * A_DAY :] += 200
        seen = watch(values)
        assert np.flatnonzero(seen.alarms[:, 0])[0] == 10 * A_DAY
        assert seen.alarms[10 * A_DAY : 11 * A_DAY].sum() <= 2
        assert not seen.alarms[11 * A_DAY :].any()
        assert seen.low[-1, 0] < 300 < seen.high[-1, 0]

    def test_the_band_goes_with_the_hour(self) -> None:
        seen = watch(seasonal(14))
        peak, trough = 13 * A_DAY + A_DAY // 4, 13 * A_DAY + 3 * A_DAY // 4
        assert seen.expected[peak, 0] == pytest.approx(900, rel=0.15)
        assert seen.expected[trough, 0] == pytest.approx(100, abs=90)
        inside = (seen.low[-A_DAY:] < seasonal(14)[-A_DAY:, None]) & (seasonal(14)[-A_DAY:, None] < seen.high[-A_DAY:])
        assert inside.mean() > 0.95

    def test_a_weekend_is_known_and_a_working_day_like_one_is_not(self) -> None:
        values = weekly(5 * 7)
        tuesday = 4 * 7 * A_DAY + 5 * A_DAY + A_DAY // 4
        values[tuesday : tuesday + 12] /= 2
        seen = watch(values)
        saturday = slice(3 * 7 * A_DAY + 2 * A_DAY, 3 * 7 * A_DAY + 3 * A_DAY)
        off = np.abs(seen.expected[:, 0] - values)
        assert off[saturday].mean() < off[2 * A_DAY + 7 * A_DAY :][:A_DAY].mean() / 2
        inside = (seen.low[saturday, 0] < values[saturday]) & (values[saturday] < seen.high[saturday, 0])
        assert inside.mean() > 0.95
        assert seen.surprise[saturday].max() < THRESHOLD / 2
        assert not seen.alarms[3 * 7 * A_DAY : tuesday].any()
        assert seen.surprise[tuesday : tuesday + 12].max() > 2 * seen.surprise[3 * 7 * A_DAY : tuesday].max()

    def test_days_differ_where_the_series_does(self) -> None:
        together = np.stack([weekly(3 * 7), seasonal(3 * 7)], axis=1)
        assert watch(together).state["differs"].tolist() == [True, False]

    def test_one_bad_day_makes_no_weekday(self) -> None:
        values = seasonal(5 * 7)
        values[4 * 7 * A_DAY - A_DAY :][:A_DAY] /= 2
        seen = watch(values)
        assert not seen.state["differs"].any()
        assert not seen.alarms[4 * 7 * A_DAY + A_DAY :].any()

    def test_what_is_missing_changes_nothing_and_is_not_judged(self) -> None:
        before = watch(noise(3)).state
        after = before.copy()
        gap = watch(np.full(50, np.nan), after, begin=3 * A_DAY)
        assert after.tobytes() == before.tobytes()
        assert gap.surprise.max() == 0
        assert np.isnan(gap.expected).all()

    def test_it_goes_on_after_a_gap(self) -> None:
        values = noise(12)
        values[8 * A_DAY : 10 * A_DAY] = np.nan
        assert not watch(values).alarms.any()

    def test_an_old_incident_does_not_raise_the_bar_for_ever(self) -> None:
        values = noise(45)
        values[5 * A_DAY : 5 * A_DAY + 24] = 2_000
        values[44 * A_DAY : 44 * A_DAY + 3] = 160
        assert watch(values).alarms[44 * A_DAY : 44 * A_DAY + 3].any()


class TestFeedback:
    def again(self, judge: object) -> float:
        """The surprise of an incident like the first, some days later."""
        values = noise(12)
        values[8 * A_DAY : 8 * A_DAY + 12] = 180
        state = watch(values[: 9 * A_DAY]).state
        if judge is not None:
            judge(state, np.array([True]))  # type: ignore[operator]
        seen = watch(values[9 * A_DAY :], state, begin=9 * A_DAY)
        assert not seen.alarms.any()
        return float(watch(np.array([180.0]), state, begin=12 * A_DAY).surprise[0, 0])

    def test_what_was_expected_surprises_no_more(self) -> None:
        assert self.again(surprise.absorb) < min(THRESHOLD, self.again(None))

    def test_a_confirmed_incident_hides_no_other(self) -> None:
        assert self.again(surprise.forget) > self.again(None)

    def test_nobody_is_told_twice_a_day_of_what_is_no_worse(self) -> None:
        values = noise(11)
        values[9 * A_DAY : 9 * A_DAY + 150 : 30] = 200
        assert watch(values).alarms.sum() == 1


class TestState:
    def test_it_is_small(self) -> None:
        assert STATE.itemsize <= 1_024

    def test_many_at_once_are_as_one_by_one(self) -> None:
        values = np.hstack([noise(6, 3), np.random.default_rng(1).poisson(0.4, (6 * A_DAY, 2))])
        values[300:310, 1] = np.nan
        values[5 * A_DAY + 7, 2] = 900
        together = watch(values)
        alone = [watch(values[:, series]) for series in range(values.shape[1])]
        assert np.allclose(together.surprise, np.hstack([run.surprise for run in alone]), atol=1e-3)
        assert np.array_equal(together.alarms, np.hstack([run.alarms for run in alone]))

    def test_it_can_be_kept_as_bytes(self) -> None:
        values = noise(6)
        values[5 * A_DAY] = 900
        half = watch(values[: 4 * A_DAY]).state
        kept = np.frombuffer(half.tobytes(), STATE).copy()
        rest = watch(values[4 * A_DAY :], kept, begin=4 * A_DAY)
        assert np.array_equal(rest.surprise, watch(values).surprise[4 * A_DAY :])

    def test_the_future_changes_no_past(self) -> None:
        values = seasonal(6)
        other = values.copy()
        other[4 * A_DAY :] = 7
        assert np.array_equal(watch(values).surprise[: 4 * A_DAY], watch(other).surprise[: 4 * A_DAY])
