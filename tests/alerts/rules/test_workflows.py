"""Advice about state machines, and about rules and schedules of EventBridge."""

from datetime import UTC, datetime

import pytest

from alerts.finding import Severity
from alerts.rules.executions_failing import ExecutionsFailing
from alerts.rules.executions_throttled import ExecutionsThrottled
from alerts.rules.executions_timed_out import ExecutionsTimedOut
from alerts.rules.rule_invocations_failed import RuleInvocationsFailed
from alerts.rules.rule_switched_off import RuleSwitchedOff
from alerts.rules.rule_throttled import RuleThrottled
from alerts.rules.rule_without_dead_letters import RuleWithoutDeadLetters
from alerts.rules.state_machine_could_be_express import StateMachineCouldBeExpress
from alerts.rules.state_machine_without_logs import StateMachineWithoutLogs
from alerts.rules.state_machine_without_tracing import StateMachineWithoutTracing
from observability.telemetry.records import Reading
from tests.alerts.rules.cases import arn, case, clock, daily, machine, twins

LEDGER = arn("lambda_function", "ledger")
BUSY = {"ExecutionsStarted_Sum": 20_000, "ExecutionTime_Average": 2_000, "ExecutionTime_Maximum": 9_000}


def ran(**values: float | tuple[float, ...]) -> dict[tuple[str, str], list[Reading]]:
    return daily(ExecutionsStarted_Sum=40, ExecutionTime_Average=40_000, ExecutionTime_Maximum=90_000) | daily(**values)


FAILING = twins(
    ExecutionsFailing(),
    problem=machine(points=ran(ExecutionsFailed_Sum=(0, 0, 6))),
    clean=machine(points=ran(ExecutionsFailed_Sum=(6, 0, 0))),
)
TIMED_OUT = twins(
    ExecutionsTimedOut(),
    problem=machine(points=ran(ExecutionsTimedOut_Sum=1)),
    clean=machine(points=ran(ExecutionsTimedOut_Sum=(1, 0, 0))),
)
THROTTLED = twins(ExecutionsThrottled(), problem=machine(points=ran(ExecutionThrottled_Sum=7)), clean=machine())
LOGS = twins(StateMachineWithoutLogs(), problem=machine(config={"log_level": "OFF"}), clean=machine())
TRACING = twins(StateMachineWithoutTracing(), problem=machine(config={"tracing": False}), clean=machine())
EXPRESS = twins(
    StateMachineCouldBeExpress(),
    problem=machine(points=daily(**BUSY)),
    clean=machine(points=daily(**BUSY | {"ExecutionTime_Maximum": 400_000})),
)
RULE_FAILED = twins(
    RuleInvocationsFailed(),
    problem=clock(points=daily(Invocations_Sum=24, FailedInvocations_Sum=(0, 2))),
    clean=clock(points=daily(Invocations_Sum=24, FailedInvocations_Sum=(2, 0, 0))),
)
RULE_DEAD_LETTERS = twins(
    RuleWithoutDeadLetters(), problem=clock(config={"unguarded": [LEDGER], "dead_letters": []}), clean=clock()
)
RULE_OFF = twins(
    RuleSwitchedOff(),
    problem=clock(config={"state": "DISABLED"}, points=daily(Invocations_Sum=(24, 24, 24, 0, 0))),
    clean=clock(config={"state": "DISABLED"}, points={}),
)
RULE_THROTTLED = twins(
    RuleThrottled(), problem=clock(points=daily(Invocations_Sum=24, ThrottledRules_Sum=3)), clean=clock()
)


def test_few_failures_of_many_can_be_expected() -> None:
    many = machine(points=ran(ExecutionsStarted_Sum=10_000, ExecutionsFailed_Sum=20))
    assert not case(many).advice(ExecutionsFailing())
    assert case(many).advice(ExecutionsFailing(), share=0.1)


def test_express_workflows_without_logs_leave_nothing() -> None:
    (advice,) = case(machine(config={"log_level": "OFF", "type": "EXPRESS"})).advice(StateMachineWithoutLogs())
    assert advice.severity is Severity.WARNING
    assert "no history" in advice.text


def test_what_express_saves() -> None:
    """608,000 executions a month with five states: 76 USD by the step, 1.87 as Express ones of 2 s and 64 MB."""
    (advice,) = EXPRESS.problem.advice(StateMachineCouldBeExpress())
    assert advice.usd_month == pytest.approx((38 - 1.875, 76 - 1.875), abs=0.01)
    assert not case(machine()).advice(StateMachineCouldBeExpress()), "Few executions save nothing."


def test_a_schedule_has_other_commands() -> None:
    schedule = clock(config={"kind": "schedule", "unguarded": [LEDGER]})
    (advice,) = case(schedule).advice(RuleWithoutDeadLetters())
    assert "aws scheduler get-schedule" in advice.fixes[0].text
    assert not case(clock(config={"unguarded": [LEDGER], "state": "DISABLED"})).advice(RuleWithoutDeadLetters())


def test_tells_when_a_rule_last_ran() -> None:
    (advice,) = RULE_OFF.problem.advice(RuleSwitchedOff())
    assert f"{datetime(2026, 11, 20, tzinfo=UTC):%d %B}" in advice.text
