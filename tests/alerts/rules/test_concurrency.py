"""Advice about how many runs of functions may go on at once, and what is kept warm for them."""

from typing import Any

import pytest

from alerts.finding import Severity
from alerts.rule import Advice, Confidence, Subject
from alerts.rules.account_concurrency import AccountConcurrency
from alerts.rules.provisioned_idle import ProvisionedIdle
from alerts.rules.reserved_nearly_used import ReservedNearlyUsed
from alerts.rules.reserved_zero import ReservedZero
from alerts.rules.throttled import Throttled
from observability.telemetry.records import Reading, Rollup
from tests.alerts.rules.cases import DAYS, NOW, REGION, case, daily, function, subject, twins


def points(peak: float = 4, **more: float) -> dict[tuple[str, str], list[Reading]]:
    return daily(
        Invocations_Sum=20_000 / DAYS, Duration_Maximum=2_000, ConcurrentExecutions_Maximum=peak, **more
    )  # fmt: skip


def account(limit: int = 1_000) -> Subject:
    told = {"concurrency_limit": limit, "unreserved_concurrency": limit, "code_storage_bytes": 5 << 30,
            "code_storage_limit_bytes": 75 << 30, "functions": 3}  # fmt: skip
    return subject("aws_account", "", {REGION: told})


def warm(used: float, requested: int = 10) -> Subject:
    return function(
        config={"provisioned": [{"qualifier": "live", "requested": requested}], "aliases": {
            "live": {"version": "7", "weights": {}}}},
        points=points(ProvisionedConcurrencyUtilization_Maximum=used),
    )  # fmt: skip


hog = function("thumbnails", points=points(900))
twins(
    Throttled(),
    problem=case(function(points=points(Throttles_Sum=10)), hog),
    clean=case(function(), hog),
)
twins(ReservedZero(), problem=function(config={"reserved_concurrency": 0}), clean=function())
twins(
    ReservedNearlyUsed(),
    problem=function(config={"reserved_concurrency": 10}, points=points(9)),
    clean=function(config={"reserved_concurrency": 10}, points=points(7)),
)
twins(AccountConcurrency(), problem=case(account(), hog), clean=case(account(), function()))
twins(ProvisionedIdle(), problem=warm(0.2), clean=warm(0.7))


class TestThrottled:
    def test_names_who_holds_the_pool_and_throttles_nobody_else(self) -> None:
        small = function("rare", points=points(2))
        (advice,) = case(function(points=points(Throttles_Sum=10)), small, hog).advice(Throttled())
        assert ("Holds most of the rest", "thumbnails, up to 900") in advice.evidence
        assert "If thumbnails can wait, reserve fewer for it than the 900 it took" in advice.fixes[-1].text
        assert not any("thumbnails" in fix.text for fix in advice.fixes if fix.way == "cli")

    def test_blames_nobody_for_a_limit_of_its_own(self) -> None:
        own = function(config={"reserved_concurrency": 5}, points=points(5, Throttles_Sum=10))
        (advice,) = case(own, hog).advice(Throttled())
        assert "its own 5 executions" in advice.text
        assert not any("thumbnails" in value for _, value in advice.evidence)

    def test_blames_nobody_elsewhere_or_with_a_share_of_their_own(self) -> None:
        apart = function("apart", config={"reserved_concurrency": 500}, points=points(500))
        abroad = function("abroad", points=points(800), region="us-east-1")
        (advice,) = case(function(points=points(Throttles_Sum=10)), apart, abroad).advice(Throttled())
        assert not any(label == "Holds most of the rest" for label, _ in advice.evidence)

    def test_is_a_warning_from_a_tenth_on(self) -> None:
        (many,) = case(function(points=points(Throttles_Sum=200))).advice(Throttled())
        (few,) = case(function(points=points(Throttles_Sum=100))).advice(Throttled())
        assert (many.severity, few.severity) == (Severity.WARNING, None)

    def test_leaves_what_is_switched_off_to_another_rule(self) -> None:
        off = function(config={"reserved_concurrency": 0}, points=points(0, Throttles_Sum=10))
        assert not case(off).advice(Throttled())


class TestReserved:
    def test_zero_is_a_warning_while_somebody_calls(self) -> None:
        (called,) = _zero(points=points(0, Throttles_Sum=10))
        (quiet,) = _zero()
        assert (called.severity, quiet.severity) == (Severity.WARNING, None)

    def test_zero_may_stand_for_a_day_or_two_after_somebody_pulled_the_brake(self) -> None:
        assert not _zero(deployed_at=NOW.replace(day=22))
        assert not _zero(first_seen_at=NOW.replace(day=22), deployed_at=None)

    def test_nearly_used_is_silent_where_calls_are_throttled_already(self) -> None:
        full = function(config={"reserved_concurrency": 10}, points=points(10, Throttles_Sum=5))
        assert not case(full).advice(ReservedNearlyUsed())


class TestAccountConcurrency:
    def test_is_not_sure_when_only_the_sum_is_high(self) -> None:
        many = [function(f"each-{number}", points=points(90)) for number in range(10)]
        (advice,) = case(account(), *many).advice(AccountConcurrency())
        assert advice.confidence == Confidence.LOW
        assert advice.severity is None
        assert advice.topic == REGION

    def test_counts_each_region_of_its_own(self) -> None:
        assert not case(account(), function("abroad", points=points(999), region="us-east-1")).advice(
            AccountConcurrency()
        )

    def test_can_be_told_to_mind_only_more(self) -> None:
        assert not case(account(), hog).advice(AccountConcurrency(), used=95)


class TestProvisionedIdle:
    def test_reckons_what_the_unused_ones_cost(self) -> None:
        (advice,) = case(warm(0.2)).advice(ProvisionedIdle())
        each = 0.5 * 0.0000046460 * 0.8 * 30.4 * 86_400
        assert advice.usd_month == pytest.approx((each * 7, each * 7))
        assert "--provisioned-concurrent-executions 3" in advice.fixes[0].text

    def test_removes_all_where_nothing_runs(self) -> None:
        asleep = function(
            config={"provisioned": [{"qualifier": "live", "requested": 10}]}, rollup=Rollup(), points={}
        )  # fmt: skip
        (advice,) = case(asleep, function("other")).advice(ProvisionedIdle())
        assert "delete-provisioned-concurrency-config" in advice.fixes[0].text

    def test_does_not_know_what_nobody_measured(self) -> None:
        busy = function(config={"provisioned": [{"qualifier": "live", "requested": 10}]})
        assert not case(busy).advice(ProvisionedIdle())
        unheard = function(
            config={"provisioned": [{"qualifier": "live", "requested": 10}]}, rollup=Rollup(), points={}
        )  # fmt: skip
        assert not case(unheard).advice(ProvisionedIdle())
        counted = function(config={"provisioned": [{"qualifier": "live", "requested": 10}]}, rollup=Rollup())
        assert not case(counted, function("other")).advice(ProvisionedIdle())


def _zero(**fields: Any) -> list[Advice]:
    return case(function(config={"reserved_concurrency": 0}, **fields)).advice(ReservedZero())
