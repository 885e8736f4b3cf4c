"""Advice about timeouts, memory and failing runs of functions."""

from typing import Any

import pytest

from alerts.finding import Severity
from alerts.rule import Advice, Rule, Subject
from alerts.rules.cpu_bound import CpuBound
from alerts.rules.default_memory import DefaultMemory
from alerts.rules.default_timeout import DefaultTimeout
from alerts.rules.error_rate import ErrorRate
from alerts.rules.memory_idle import MemoryIdle
from alerts.rules.memory_nearly_full import MemoryNearlyFull
from alerts.rules.near_timeout import NearTimeout
from alerts.rules.out_of_memory_seen import OutOfMemorySeen
from alerts.rules.timeout_too_long import TimeoutTooLong
from alerts.rules.timeouts_seen import TimeoutsSeen
from alerts.rules.visibility_timeout import VisibilityTimeout
from observability.telemetry.records import Reading
from tests.alerts.rules.cases import DAYS, case, daily, function, rollup, subject, twins

STACK = {"aws:cloudformation:stack-name": "shop"}


def points(**more: float) -> dict[tuple[str, str], list[Reading]]:
    return daily(Invocations_Sum=20_000 / DAYS, ConcurrentExecutions_Maximum=4, **more)


def queue(visible_s: float = 180) -> Subject:
    return subject("sqs_queue", "orders", {"visibility_timeout_s": visible_s})


def fed(**mapping: object) -> Subject:
    source = {"source": queue().arn, "uuid": "6d68ca91", "qualifier": "$LATEST", "enabled": True, **mapping}
    return function(config={"event_sources": [source]})


twins(ErrorRate(), problem=function(rollup=rollup(errors=500)), clean=function(rollup=rollup(errors=200)))
twins(
    NearTimeout(),
    problem=function(p99_ms=25_000.0, points=points(Duration_Maximum=27_000)),
    clean=function(p99_ms=23_000.0, points=points(Duration_Maximum=28_000)),
)
twins(TimeoutsSeen(), problem=function(rollup=rollup(errors=3, timeouts=3)), clean=function())
twins(
    DefaultTimeout(),
    problem=function(config={"timeout_s": 3}, p99_ms=1_400.0),
    clean=function(config={"timeout_s": 3}, p99_ms=400.0, points=points(Duration_Maximum=1_000)),
)
twins(
    TimeoutTooLong(),
    problem=function(config={"timeout_s": 900}),
    clean=function(config={"timeout_s": 900}, points=points(Duration_Maximum=180_000)),
)
twins(VisibilityTimeout(), problem=case(fed(), queue(60)), clean=case(fed(), queue(180)))
twins(
    MemoryNearlyFull(),
    problem=function(rollup=rollup(max_memory_mb=450)),
    clean=function(rollup=rollup(max_memory_mb=430)),
)
twins(OutOfMemorySeen(), problem=function(rollup=rollup(out_of_memory=1, errors=1)), clean=function())
twins(
    MemoryIdle(),
    problem=function(config={"memory_mb": 3_008}, rollup=rollup(400_000, memory_mb=3_008)),
    clean=function(config={"memory_mb": 512}, rollup=rollup(400_000)),
)
twins(
    DefaultMemory(),
    problem=function(config={"memory_mb": 128}, rollup=rollup(duration_ms=900, memory_mb=128, max_memory_mb=70)),
    clean=function(config={"memory_mb": 128}, rollup=rollup(duration_ms=40, memory_mb=128, max_memory_mb=70)),
)
twins(
    CpuBound(),
    problem=function(points=points() | daily(cpu_total_time_Sum=5_500, extension_invocations_Sum=100)),
    clean=function(points=points() | daily(cpu_total_time_Sum=1_000, extension_invocations_Sum=100)),
)


class TestErrorRate:
    def test_is_critical_when_every_tenth_run_fails(self) -> None:
        runs = 20_000 / DAYS
        assert _severity(ErrorRate(), points=points(Errors_Sum=runs * 0.105)) == Severity.CRITICAL
        assert _severity(ErrorRate(), points=points(Errors_Sum=runs * 0.095)) is None

    def test_wakes_nobody_for_what_failed_some_time_in_two_weeks(self) -> None:
        assert _severity(ErrorRate(), rollup=rollup(errors=2_100)) is None

    def test_needs_runs_enough_to_tell(self) -> None:
        rare = case(function(rollup=rollup(49, errors=20)))
        assert not rare.advice(ErrorRate())
        assert rare.advice(ErrorRate(), invocations=10)

    def test_looks_at_the_last_days_where_cloudwatch_tells(self) -> None:
        over = daily(Errors_Sum=(900.0,) * 9 + (0.0,) * 5) | points()
        assert not case(function(rollup=rollup(errors=8_100), points=over)).advice(ErrorRate())
        still = daily(Errors_Sum=(0.0,) * 11 + (200.0,) * 3) | points()
        (advice,) = case(function(rollup=rollup(errors=600), points=still)).advice(ErrorRate())
        assert advice.severity == Severity.CRITICAL
        assert advice.evidence[0] == ("Failed in the last 3 days", "600 of 4,286 runs")

    def test_tells_what_failed_runs_cost(self) -> None:
        (advice,) = case(function(rollup=rollup(errors=2_000))).advice(ErrorRate())
        assert advice.usd_month is not None
        assert advice.usd_month[1] == pytest.approx(2_000 * rollup().cost_usd / 20_000 * 30.4 / 14, rel=0.01)


class TestNearTimeout:
    def test_looks_at_the_longest_run_as_well(self) -> None:
        (advice,) = case(function(points=points(Duration_Maximum=29_000))).advice(NearTimeout())
        assert "longest run took 96.7%" in advice.text

    def test_is_silent_once_runs_time_out_which_another_rule_tells(self) -> None:
        assert not case(function(p99_ms=29_900.0, rollup=rollup(timeouts=2))).advice(NearTimeout())

    def test_gives_twice_the_99th_percentile(self) -> None:
        (advice,) = case(function(p99_ms=26_000.0)).advice(NearTimeout())
        assert advice.fixes[0].text == (
            "aws lambda update-function-configuration --region eu-west-1 \\\n  --function-name checkout \\\n"
            "  --timeout 52"
        )

    def test_knows_that_there_is_no_longer_one(self) -> None:
        (advice,) = case(function(config={"timeout_s": 900}, p99_ms=850_000.0)).advice(NearTimeout())
        assert [fix.way for fix in advice.fixes] == ["steps"]

    def test_names_the_template_first_where_a_stack_deployed_it(self) -> None:
        (advice,) = case(function(config={"tags": STACK}, p99_ms=26_000.0)).advice(NearTimeout())
        assert advice.fixes[0].way == "sam"


class TestTimeoutsSeen:
    def test_reckons_what_stopped_runs_cost(self) -> None:
        (advice,) = case(function(rollup=rollup(timeouts=10_000))).advice(TimeoutsSeen())
        assert advice.usd_month is not None
        assert advice.usd_month[1] == pytest.approx(10_000 * 30 * 0.5 * 0.0000133334 * 30.4 / 14)

    def test_can_be_told_to_mind_only_many(self) -> None:
        assert not case(function(rollup=rollup(timeouts=3))).advice(TimeoutsSeen(), timeouts=4)


class TestVisibilityTimeout:
    def test_adds_the_wait_for_a_batch(self) -> None:
        (advice,) = case(fed(window_s=60), queue(180)).advice(VisibilityTimeout())
        assert '"VisibilityTimeout": "240"' in advice.fixes[0].text

    def test_offers_a_shorter_timeout_where_runs_are_short(self) -> None:
        (advice,) = case(fed(), queue(60)).advice(VisibilityTimeout())
        assert "--timeout 10" in advice.fixes[-1].text

    def test_does_not_mind_a_trigger_that_is_off_or_a_queue_it_cannot_see(self) -> None:
        assert not case(fed(enabled=False), queue(60)).advice(VisibilityTimeout())
        assert not case(fed()).advice(VisibilityTimeout())


class TestMemory:
    def test_nearly_full_is_a_warning_above_95_percent(self) -> None:
        assert _severity(MemoryNearlyFull(), rollup=rollup(max_memory_mb=490)) == Severity.WARNING

    def test_nearly_full_ignores_what_was_measured_before_memory_grew(self) -> None:
        grown = function(config={"memory_mb": 512}, rollup=rollup(max_memory_mb=900, memory_mb=1_024))
        assert not case(grown).advice(MemoryNearlyFull())

    def test_idle_saves_nothing_at_worst_where_nobody_measured_the_cpu(self) -> None:
        (advice,) = _idle()
        assert advice.usd_month is not None
        low, high = advice.usd_month
        cost = 400_000 * 0.2 * 3_008 / 1024 * 0.0000133334 * 30.4 / 14
        assert low == 0
        assert high == pytest.approx(cost * (1 - 448 / 3_008))

    def test_idle_knows_the_saving_where_the_cpu_was_measured(self) -> None:
        waits = daily(cpu_total_time_Sum=1_000, extension_invocations_Sum=100)
        (advice,) = _idle(points=points() | waits)
        assert advice.usd_month is not None
        assert advice.usd_month[0] == pytest.approx(advice.usd_month[1])

    def test_idle_leaves_time_for_the_slowest_run(self) -> None:
        (advice,) = _idle(p99_ms=12_000.0)
        assert "--memory-size 1536" in advice.fixes[0].text

    def test_idle_minds_no_cents(self) -> None:
        seldom = function(config={"memory_mb": 3_008}, rollup=rollup(500, memory_mb=3_008))
        assert not case(seldom).advice(MemoryIdle())
        assert case(seldom).advice(MemoryIdle(), usd=0.001)

    def test_idle_says_nothing_of_a_function_that_is_a_day_old(self) -> None:
        first = function().first_seen_at.replace(month=11, day=22)
        assert not _idle(first_seen_at=first, points={})

    def test_default_gives_way_to_a_measured_cpu(self) -> None:
        measured = points() | daily(cpu_total_time_Sum=500, extension_invocations_Sum=100)
        small = rollup(duration_ms=900, memory_mb=128, max_memory_mb=70)
        assert not case(function(config={"memory_mb": 128}, rollup=small, points=measured)).advice(DefaultMemory())

    def test_cpu_bound_says_how_much_sooner(self) -> None:
        busy = points() | daily(cpu_total_time_Sum=5_700, extension_invocations_Sum=100)
        (advice,) = case(function(points=busy)).advice(CpuBound())
        assert "about 100 ms instead of 200 ms" in advice.text
        assert advice.saved_ms == 100


def _idle(**fields: Any) -> list[Advice]:
    large = rollup(400_000, memory_mb=3_008)
    return case(function(config={"memory_mb": 3_008}, **({"rollup": large} | fields))).advice(MemoryIdle())


def _severity(rule: Rule, **fields: Any) -> Severity | None:
    (advice,) = case(function(**fields)).advice(rule)
    return advice.severity
