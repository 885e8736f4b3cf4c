"""What a month costs is told from what is known of the window, and not where that is too little."""

from datetime import timedelta

import pytest

from alerts.saving import cpu_share, mean_init_ms, measured_days, per_month, stepped, time_month
from tests.alerts.rules.cases import NOW, case, daily, function, rollup


def test_two_weeks_are_stretched_to_a_month() -> None:
    subject = function()
    assert per_month(14.0, subject, case(subject).estate) == pytest.approx(30.4)


def test_a_day_is_too_little_to_tell() -> None:
    young = function(first_seen_at=NOW - timedelta(days=1), points={})
    assert per_month(14.0, young, case(young).estate) is None


def test_what_was_measured_before_it_was_first_seen_counts() -> None:
    backfilled = function(first_seen_at=NOW - timedelta(hours=1), points=daily(Invocations_Sum=(5.0,) * 10))
    assert measured_days(backfilled, case(backfilled).estate) == pytest.approx(10)


def test_running_time_is_priced_by_memory_region_and_architecture() -> None:
    subject = function(config={"memory_mb": 1_024, "architecture": "x86_64"}, rollup=rollup(duration_ms=1_000))
    told = time_month(subject, case(subject).estate)
    assert told == pytest.approx(20_000 * 0.0000166667 * 30.4 / 14)


@pytest.mark.parametrize(("mb", "step"), [(1, 128), (128, 128), (129, 192), (330 * 1.3, 448), (1_769, 1_792)])
def test_memory_is_set_in_steps(mb: float, step: int) -> None:
    assert stepped(mb) == step


def test_nothing_divides_by_zero() -> None:
    empty = function(rollup=rollup(0), points=daily(cpu_total_time_Sum=5, extension_invocations_Sum=0))
    assert cpu_share(empty) is None
    assert mean_init_ms(empty) == 0
