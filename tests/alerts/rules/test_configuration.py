"""Advice about how functions are set up: storage, logs, traces, variables, network and their queues."""

from typing import Any

import pytest

from alerts.finding import Severity
from alerts.rule import Subject
from alerts.rules.batch_of_one import BatchOfOne
from alerts.rules.debug_logging import DebugLogging
from alerts.rules.environment_nearly_full import EnvironmentNearlyFull
from alerts.rules.queue_overpulls import QueueOverpulls
from alerts.rules.single_subnet import SingleSubnet
from alerts.rules.tmp_idle import TmpIdle
from alerts.rules.tmp_nearly_full import TmpNearlyFull
from alerts.rules.tracing_missing import TracingMissing
from observability.telemetry.records import Reading, Rollup
from tests.alerts.rules.cases import DAYS, NOW, arn, case, daily, function, rollup, twins

MIB = 1 << 20


def points(**more: float) -> dict[tuple[str, str], list[Reading]]:
    return daily(
        Invocations_Sum=20_000 / DAYS, Duration_Maximum=2_000, ConcurrentExecutions_Maximum=4, **more
    )  # fmt: skip


def writing(used_mb: float, ephemeral_mb: int = 512, **fields: Any) -> Subject:
    used = points() | daily(tmp_used_Maximum=used_mb * MIB)
    return function(config={"ephemeral_mb": ephemeral_mb}, points=used, **fields)


def pulled(max_concurrency: int | None, **more: float) -> Subject:
    source = {"source": arn("sqs_queue", "orders"), "uuid": "6d68ca91", "qualifier": "$LATEST", "enabled": True,
              "max_concurrency": max_concurrency}  # fmt: skip
    return function(config={"event_sources": [source], "reserved_concurrency": 10}, points=points(**more))


def connected(*subnets: str) -> Subject:
    return function(config={"vpc": {"id": "vpc-1", "subnets": list(subnets), "security_groups": ["sg-1"]}})


def single(batch: int) -> Subject:
    source = {"source": arn("sqs_queue", "orders"), "uuid": "6d68ca91", "qualifier": "$LATEST", "enabled": True,
              "batch_size": batch}  # fmt: skip
    return function(config={"event_sources": [source]}, rollup=many)


many = rollup(3_000_000, duration_ms=1_000)
twins(TmpNearlyFull(), problem=writing(480), clean=writing(300))
twins(TmpIdle(), problem=writing(200, 10_240, rollup=many), clean=writing(6_000, 10_240, rollup=many))
twins(TracingMissing(), problem=function(config={"tracing": "PassThrough"}), clean=function())
twins(DebugLogging(), problem=function(config={"log_level": "DEBUG"}), clean=function(config={"log_level": "WARN"}))
twins(
    EnvironmentNearlyFull(),
    problem=function(config={"environment_bytes": 3_400}),
    clean=function(config={"environment_bytes": 2_000}),
)
twins(SingleSubnet(), problem=connected("subnet-a"), clean=connected("subnet-a", "subnet-b"))
twins(
    QueueOverpulls(),
    problem=pulled(None, Throttles_Sum=10),
    clean=pulled(10, Throttles_Sum=10),
    beside=("throttled",),
)


twins(BatchOfOne(), problem=single(1), clean=single(10))


class TestBatchOfOne:
    def test_spares_nine_of_ten_requests_and_some_time(self) -> None:
        (advice,) = case(single(1)).advice(BatchOfOne())
        requests, time = 3_000_000 * 0.9 * 0.0000002, 3_000_000 * 0.5 * 0.0000133334
        assert advice.usd_month == pytest.approx((requests * 30.4 / 14, (requests + time / 2) * 30.4 / 14))

    def test_does_not_know_which_of_several_sources_runs_it(self) -> None:
        two = single(1)
        both = [*two.config["event_sources"], {**two.config["event_sources"][0], "uuid": "other"}]
        assert not case(function(config={"event_sources": both}, rollup=many)).advice(BatchOfOne())


class TestTmp:
    def test_is_given_half_as_much_again(self) -> None:
        (advice,) = case(writing(480)).advice(TmpNearlyFull())
        assert "--ephemeral-storage Size=1024" in advice.fixes[1].text

    def test_cannot_grow_beyond_ten_gigabytes(self) -> None:
        (advice,) = case(writing(10_000, 10_240)).advice(TmpNearlyFull())
        assert [fix.way for fix in advice.fixes] == ["steps"]

    def test_what_is_idle_is_paid_by_the_second(self) -> None:
        (advice,) = case(writing(200, 10_240, rollup=many)).advice(TmpIdle())
        usd = 3_000_000 * (10_240 - 512) / 1024 * 0.0000000340 * 30.4 / 14
        assert advice.usd_month == pytest.approx((usd, usd))

    def test_is_not_idle_where_nobody_measured_it(self) -> None:
        assert not case(function(config={"ephemeral_mb": 10_240}, rollup=many)).advice(TmpIdle())


class TestLogging:
    def test_may_be_loud_for_a_day(self) -> None:
        fresh = function(config={"log_level": "DEBUG"}, deployed_at=NOW.replace(day=22))
        assert not case(fresh).advice(DebugLogging())

    def test_does_not_matter_where_nothing_runs(self) -> None:
        assert not case(function(config={"log_level": "DEBUG"}, rollup=Rollup())).advice(DebugLogging())
        assert not case(function(config={"tracing": "PassThrough"}, rollup=Rollup())).advice(TracingMissing())


class TestEnvironmentNearlyFull:
    def test_warns_shortly_before_the_end(self) -> None:
        (advice,) = case(function(config={"environment_bytes": 3_800})).advice(EnvironmentNearlyFull())
        assert advice.severity == Severity.WARNING


class TestQueueOverpulls:
    def test_caps_the_trigger_at_what_is_reserved(self) -> None:
        (advice,) = case(pulled(50, Throttles_Sum=10)).advice(QueueOverpulls())
        assert "--scaling-config MaximumConcurrency=10" in advice.fixes[0].text
        assert "may run checkout 50 times at once" in advice.text

    def test_does_not_mind_a_queue_that_was_never_throttled(self) -> None:
        assert not case(pulled(None)).advice(QueueOverpulls())
