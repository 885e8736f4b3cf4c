"""Advice about DynamoDB tables."""

from datetime import timedelta

import pytest

from alerts.rules.table_capacity_idle import TableCapacityIdle
from alerts.rules.table_system_errors import TableSystemErrors
from alerts.rules.table_throttled import TableThrottled
from alerts.rules.table_unprotected import TableUnprotected
from alerts.rules.table_unused import TableUnused
from alerts.rules.table_without_recovery import TableWithoutRecovery
from tests.alerts.rules.cases import NOW, case, daily, function, table, twins

PROVISIONED = {"billing": "PROVISIONED", "read_capacity": 100, "write_capacity": 100}
USED = daily(ConsumedReadCapacityUnits_Sum=3_000_000, ConsumedWriteCapacityUnits_Sum=2_900_000)

THROTTLED = twins(
    TableThrottled(),
    problem=table(config=PROVISIONED, points={**USED, **daily(WriteThrottleEvents_Sum=400)}),
    clean=table(points={**table().points, **daily(WriteThrottleEvents_Sum=(500, 400, 0, 0, 1))}),
)
IDLE = twins(
    TableCapacityIdle(), problem=table(config=PROVISIONED), clean=table(config=PROVISIONED, points=USED)
)  # fmt: skip
UNUSED = twins(
    TableUnused(),
    problem=case(table(config={"size_bytes": 40 << 30}, points={}), function()),
    clean=table(points=daily(ConsumedReadCapacityUnits_Sum=(1, 0, 0, 0))),
)
RECOVERY = twins(TableWithoutRecovery(), problem=table(config={"recovery": False}), clean=table())
UNPROTECTED = twins(TableUnprotected(), problem=table(config={"deletion_protection": False}), clean=table())
ERRORS = twins(
    TableSystemErrors(),
    problem=table(points={**table().points, **daily(SystemErrors_Sum=(0, 3))}),
    clean=table(points={**table().points, **daily(SystemErrors_Sum=(3, 0, 0))}),
)


def test_throttling_on_demand_is_no_matter_of_capacity() -> None:
    points = daily(ReadThrottleEvents_Sum=400)
    (advice,) = case(table(points=points)).advice(TableThrottled())
    assert {fix.way for fix in advice.fixes} == {"steps"}
    assert not case(table(points=points)).advice(TableThrottled(), requests=1_000)


def test_what_idle_capacity_costs() -> None:
    """100 and 100 units are USD 56.94 a month; 40,000 reads and 9,000 writes a day are 0.32; 25 of each are free."""
    (advice,) = IDLE.problem.advice(TableCapacityIdle())
    assert advice.usd_month == pytest.approx((56.94 - 0.323 - 14.235, 56.94 - 0.323), abs=0.01)
    assert "0.28%" in advice.text


def test_idle_capacity_needs_a_week_to_tell() -> None:
    new = table(config=PROVISIONED, first_seen_at=NOW - timedelta(days=5))
    assert not case(new).advice(TableCapacityIdle())
    assert not IDLE.problem.advice(TableCapacityIdle(), usd=100)


def test_unused_tables_cost_their_storage() -> None:
    (advice,) = UNUSED.problem.advice(TableUnused())
    assert advice.usd_month == (0.0, 10.0)
    assert not case(table(points={}, first_seen_at=NOW - timedelta(days=3)), function()).advice(TableUnused())


def test_where_nothing_was_measured_nobody_knows_what_is_unused() -> None:
    assert not case(table(points={})).advice(TableUnused())


def test_an_empty_table_needs_no_recovery() -> None:
    assert not case(table(config={"recovery": False, "items": 0})).advice(TableWithoutRecovery())
    assert not case(table(config={"deletion_protection": False, "items": 5})).advice(TableUnprotected())
