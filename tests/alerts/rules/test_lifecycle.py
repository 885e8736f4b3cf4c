"""Advice about functions that grow old, lie idle or stopped halfway, and about what their code takes."""

from datetime import timedelta
from typing import Any

import pytest

from alerts.finding import Severity
from alerts.rule import Advice, Subject
from alerts.rules.canary_left_over import CanaryLeftOver
from alerts.rules.code_storage import CodeStorage
from alerts.rules.deprecated_runtime import DeprecatedRuntime
from alerts.rules.function_not_ready import FunctionNotReady
from alerts.rules.stale_layer import StaleLayer
from alerts.rules.trigger_off import TriggerOff
from alerts.rules.unused_function import UnusedFunction
from observability.telemetry.records import Rollup
from tests.alerts.rules.cases import NOW, REGION, arn, case, daily, function, subject, twins

LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:shared"


def version(number: int, *, runtime: str = "python3.13", days: int = 100, size: int = 50 << 20) -> dict[str, Any]:
    published = (NOW - timedelta(days=days)).isoformat()
    return {"version": str(number), "code_sha256": f"{number:044}", "code_bytes": size, "runtime": runtime,
            "last_modified": published}  # fmt: skip


def alias(number: int, **weights: float) -> dict[str, Any]:
    return {
        "live": {"version": str(number), "weights": {name.removeprefix("v"): part for name, part in weights.items()}}
    }


def layered(number: int, name: str = "checkout") -> Subject:
    return function(name, config={"layers": [{"arn": f"{LAYER}:{number}", "code_bytes": 1_000}]})


def idle(**fields: Any) -> Subject:
    nothing: dict[str, Any] = {"rollup": Rollup(), "points": {}, "p95_ms": None, "p99_ms": None}
    return function(**(nothing | fields))


def account(used_gb: float) -> Subject:
    told = {"concurrency_limit": 1_000, "unreserved_concurrency": 1_000, "code_storage_bytes": int(used_gb * (1 << 30)),
            "code_storage_limit_bytes": 75 << 30, "functions": 3}  # fmt: skip
    return subject("aws_account", "", {REGION: told})


def off(**fields: Any) -> Subject:
    source = {"source": arn("sqs_queue", "orders"), "uuid": "6d68ca91", "qualifier": "$LATEST", "enabled": False}
    return function(config={"event_sources": [source]}, **fields)


deployer = function(
    "deployer", config={"versions": [version(n, days=60 - n) for n in range(9, 0, -1)], "aliases": alias(2)}
)
twins(
    DeprecatedRuntime(),
    problem=function(config={"runtime": "python3.9"}),
    clean=function(config={"runtime": "python3.12"}),
)
twins(UnusedFunction(), problem=case(idle(), function("other")), clean=function())
twins(StaleLayer(), problem=case(layered(3), layered(7, "other")), clean=case(layered(7), layered(3, "other")))
twins(
    CanaryLeftOver(),
    problem=function(config={"versions": [version(8), version(7)], "aliases": alias(7, v8=0.1)}),
    clean=function(config={"versions": [version(8), version(7)], "aliases": alias(8)}),
)
twins(
    FunctionNotReady(),
    problem=function(config={"state": "Failed", "state_reason": "The role cannot be assumed."}),
    clean=function(),
)
twins(CodeStorage(), problem=case(account(70), deployer), clean=case(account(40), function()))
twins(TriggerOff(), problem=off(), clean=off(deployed_at=NOW - timedelta(days=1)))


class TestDeprecatedRuntime:
    def test_tells_traffic_owner_and_dates(self) -> None:
        (advice,) = case(function(config={"runtime": "python3.9"})).advice(DeprecatedRuntime())
        told = dict(advice.evidence)
        assert told["Security patches end"] == "15 December 2025, 343 days ago"
        assert told["Changes are refused from"] == "3 March 2027, in 100 days"
        assert told["Runs in two weeks"] == "20.0k"
        assert told["Owner"] == "payments"
        assert advice.fixes[0].way == "steps"
        assert "--runtime python3.14" in advice.fixes[1].text

    def test_is_only_a_hint_before_the_end(self) -> None:
        soon = case(function(config={"runtime": "nodejs22.x"}))
        assert not soon.advice(DeprecatedRuntime(), days=100)
        (advice,) = soon.advice(DeprecatedRuntime(), days=200)
        assert advice.severity == Severity.INFO

    def test_says_when_nothing_can_be_changed_any_more(self) -> None:
        (advice,) = case(function(config={"runtime": "python3.6", "tags": {}})).advice(DeprecatedRuntime())
        assert "AWS refuses every change" in advice.text
        assert ("Owner", "no tag tells") in advice.evidence

    def test_finds_published_versions_that_are_still_called(self) -> None:
        versions = [version(9), version(3, runtime="python3.8"), version(2, runtime="python3.7")]
        (advice,) = case(function(config={"versions": versions, "aliases": alias(9, v3=0.5)})).advice(
            DeprecatedRuntime()
        )
        assert advice.topic == "versions"
        assert ("Versions in use", "3 on python3.8") in advice.evidence
        assert ("Aliases that lead there", "live") in advice.evidence

    def test_does_not_mind_what_it_does_not_know(self) -> None:
        assert not case(function(config={"runtime": "cobol74"})).advice(DeprecatedRuntime())
        assert not case(function(config={"runtime": None, "package_type": "Image"})).advice(DeprecatedRuntime())


class TestUnusedFunction:
    def test_needs_to_have_been_watched_for_long_enough(self) -> None:
        young = idle(first_seen_at=NOW - timedelta(days=10))
        assert not case(young, function("other")).advice(UnusedFunction())
        assert case(young, function("other")).advice(UnusedFunction(), days=7)

    def test_says_nothing_where_cloudwatch_told_nothing_at_all(self) -> None:
        assert not case(idle(), idle(name="other")).advice(UnusedFunction())

    def test_counts_what_was_refused_as_calls(self) -> None:
        assert not case(idle(points=daily(Throttles_Sum=3)), function("other")).advice(UnusedFunction())

    def test_tells_what_is_kept_warm_for_nobody(self) -> None:
        warm = idle(config={"provisioned": [{"qualifier": "live", "requested": 2}]})
        (advice,) = case(warm, function("other")).advice(UnusedFunction())
        assert advice.usd_month is not None
        assert advice.usd_month[0] == pytest.approx(2 * 0.5 * 0.0000046460 * 0.8 * 30.4 * 86_400)


class TestStaleLayer:
    def test_keeps_the_other_layers_in_their_order(self) -> None:
        other = "arn:aws:lambda:eu-west-1:111111111111:layer:agent:2"
        both = function(config={"layers": [{"arn": other, "code_bytes": 1}, {"arn": f"{LAYER}:3", "code_bytes": 1}]})
        (advice,) = case(both, layered(7, "other")).advice(StaleLayer())
        assert f"--layers {other} {LAYER}:7" in advice.fixes[0].text

    def test_can_be_told_to_mind_only_old_ones(self) -> None:
        assert not case(layered(3), layered(7, "other")).advice(StaleLayer(), versions=5)


class TestCanaryLeftOver:
    def test_lets_a_rollout_take_its_time(self) -> None:
        under_way = function(
            config={"versions": [version(8), version(7)], "aliases": alias(7, v8=0.1)},
            deployed_at=NOW - timedelta(hours=3),
        )
        assert not case(under_way).advice(CanaryLeftOver())

    def test_names_alias_and_version(self) -> None:
        shared = function(config={"versions": [version(8), version(7)], "aliases": alias(7, v8=0.1)})
        (advice,) = case(shared).advice(CanaryLeftOver())
        assert advice.topic == "live:8"
        assert "10% of the calls" in advice.text


class TestFunctionNotReady:
    @pytest.mark.parametrize(
        ("config", "severity"),
        [
            ({"state": "Failed"}, Severity.CRITICAL),
            ({"state": "Inactive"}, Severity.INFO),
            ({"update_status": "Failed"}, Severity.WARNING),
        ],
    )
    def test_knows_how_bad_it_is(self, config: dict[str, str], severity: Severity) -> None:
        (advice,) = case(function(config=config)).advice(FunctionNotReady())
        assert advice.severity == severity

    def test_does_not_mind_what_is_being_changed(self) -> None:
        assert not case(function(config={"state": "Pending", "update_status": "InProgress"})).advice(FunctionNotReady())


class TestCodeStorage:
    def test_lists_the_versions_that_nothing_names(self) -> None:
        (advice,) = _storage(70)
        assert ("deployer", "250 MB in 5 versions") in advice.evidence
        assert "for version in 1 3 4 5 6; do" in advice.fixes[0].text
        assert advice.saved_bytes == 5 * (50 << 20)

    def test_is_critical_shortly_before_the_end(self) -> None:
        assert _storage(72)[0].severity == Severity.CRITICAL
        assert _storage(70)[0].severity is None

    def test_foresees_the_day_at_the_pace_of_the_last_month(self) -> None:
        busy = function("busy", config={"versions": [version(n, days=5, size=1 << 30) for n in range(30, 0, -1)]})
        (advice,) = case(account(40), busy).advice(CodeStorage())
        assert "is full about 28 December 2026" in advice.text

    def test_says_nothing_of_an_account_that_has_room(self) -> None:
        assert not _storage(30)


class TestTriggerOff:
    def test_is_a_warning_while_messages_wait(self) -> None:
        waiting = daily(ApproximateNumberOfMessagesVisible_Maximum=400)
        queue = subject("sqs_queue", "orders", {}, points=waiting)
        (advice,) = case(off(), queue).advice(TriggerOff())
        assert advice.severity == Severity.WARNING
        assert ("Messages waiting", "up to 400") in advice.evidence


def _storage(used_gb: float) -> list[Advice]:
    return case(account(used_gb), deployer).advice(CodeStorage())
