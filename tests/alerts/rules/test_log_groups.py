"""Advice about log groups."""

import pytest

from alerts.rules.log_group_orphaned import LogGroupOrphaned
from alerts.rules.logs_cost_more_than_compute import LogsCostMoreThanCompute
from alerts.rules.logs_kept_for_ever import LogsKeptForEver
from tests.alerts.rules.cases import case, function, log_group, rollup, twins

GB = 1_000_000_000
CHATTY, SILENT = {"daily_bytes": 5 * GB}, {"daily_bytes": 0}

KEPT = twins(
    LogsKeptForEver(),
    problem=case(log_group(config={"retention_days": None, "stored_bytes": 100 * GB}), function()),
    clean=case(log_group(), function()),
)
COST = twins(
    LogsCostMoreThanCompute(),
    problem=case(log_group(config=CHATTY), function()),
    clean=case(log_group(config=CHATTY), function(rollup=rollup(cost_usd=500.0))),
)
ORPHANED = twins(
    LogGroupOrphaned(),
    problem=case(log_group("/aws/lambda/gone", SILENT), function()),
    clean=case(log_group(config=SILENT), function()),
)


def test_what_is_kept_costs_a_range() -> None:
    """100 GB, of which thirty days at 2 MB stay: USD 3.00 a month uncompressed, 0.45 as AWS reckons."""
    (advice,) = KEPT.problem.advice(LogsKeptForEver())
    assert advice.usd_month == pytest.approx((0.45, 3.0), abs=0.01)
    assert "--retention-in-days 30" in advice.fixes[0].text


def test_only_what_cloudwatch_allows_is_proposed() -> None:
    (advice,) = KEPT.problem.advice(LogsKeptForEver(), days=100)
    assert "--retention-in-days 90" in advice.fixes[0].text


def test_what_logging_costs() -> None:
    """5 GB a day at 0.57 are USD 87 a month."""
    (advice,) = COST.problem.advice(LogsCostMoreThanCompute())
    assert advice.usd_month == pytest.approx((0, 86.64), abs=0.01)
    assert not COST.problem.advice(LogsCostMoreThanCompute(), usd=100)


def test_a_log_group_of_two_functions_is_held_against_both() -> None:
    shared = {"log_group": "/shop"}
    several = case(log_group("/shop", config=CHATTY), *(function(name, shared) for name in ("checkout", "refund")))
    (advice,) = several.advice(LogsCostMoreThanCompute())
    assert "checkout, refund" in advice.text


class TestOrphaned:
    def test_at_the_edge_functions_are_elsewhere(self) -> None:
        edge = log_group("/aws/lambda/us-east-1.headers", SILENT)
        assert not case(edge, function()).advice(LogGroupOrphaned())

    def test_without_functions_nobody_knows(self) -> None:
        assert not case(log_group("/aws/lambda/gone", SILENT)).advice(LogGroupOrphaned())

    def test_what_is_written_to_is_in_use(self) -> None:
        assert not case(log_group("/aws/lambda/gone"), function()).advice(LogGroupOrphaned())
