"""Budgets of calls: never above, whoever calls; smaller when AWS throttles, whole again later."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from observability.aws import quotas
from observability.aws.problems import Trouble
from observability.aws.quotas import Rate, SpentError

AWS_ALLOWS = {
    "FilterLogEvents": 5,
    "GetLogEvents": 10,
    "log_descriptions": 10,
    "GetMetricData": 50,
    "ListMetrics": 25,
    "lambda_reads": 15,
    "GetFunction": 100,
}
CALLER = """
import sys, time
from observability.aws import quotas
quotas.RATES["test"] = quotas.Rate(30, 5)
sys.stdin.readline()
for _ in range(20):
    quotas.take(account="1", region="eu-west-1", family="test", patience_s=10)
    print(time.time())
"""


def take(
    patience_s: float = 0, *, account: str = "111122223333", region: str = "eu-west-1", family: str = "test"
) -> None:
    quotas.take(account=account, region=region, family=family, patience_s=patience_s)


def taken(within_s: float = 0.0, **where: str) -> int:
    """How many calls are let through right now, or in the next moments."""
    count, until = 0, time.monotonic() + within_s
    while True:
        try:
            take(**where)  # type: ignore[arg-type]  # Only names.
        except SpentError:
            if time.monotonic() >= until:
                return count
            time.sleep(0.001)
        else:
            count += 1


@pytest.fixture
def rate(monkeypatch: pytest.MonkeyPatch) -> Callable[[Rate], None]:
    def set_rate(rate: Rate) -> None:
        monkeypatch.setitem(quotas.RATES, "test", rate)

    return set_rate


@pytest.mark.parametrize("family", AWS_ALLOWS)
def test_in_no_second_is_more_asked_for_than_aws_allows(family: str) -> None:
    rate = quotas.RATES[family]
    assert rate.per_second + rate.burst <= AWS_ALLOWS[family]


@pytest.mark.parametrize(
    ("service", "operation", "family"),
    [
        ("logs", "filter_log_events", "FilterLogEvents"),
        ("logs", "describe_log_groups", "log_descriptions"),
        ("logs", "list_tags_for_resource", "logs"),
        ("cloudwatch", "get_metric_data", "GetMetricData"),
        ("lambda", "list_functions", "lambda_reads"),
        ("lambda", "get_function", "GetFunction"),
        ("stepfunctions", "list_state_machines", "states"),
        ("apigatewayv2", "get_apis", "apigateway"),
        ("resourcegroupstaggingapi", "get_resources", "tagging"),
        ("pipes", "list_pipes", "other"),
    ],
)
def test_calls_that_share_a_quota_share_a_budget(service: str, operation: str, family: str) -> None:
    assert quotas.family(service, operation) == family
    assert family in quotas.RATES


def test_a_burst_goes_through_at_once_and_then_one_at_a_time(rate: Callable[[Rate], None]) -> None:
    rate(Rate(50, 4))
    assert taken() == 4
    time.sleep(0.022)
    assert taken() == 1


def test_budgets_are_separate(rate: Callable[[Rate], None], monkeypatch: pytest.MonkeyPatch) -> None:
    rate(Rate(1, 2))
    monkeypatch.setitem(quotas.RATES, "other test", Rate(1, 2))
    assert [taken(), taken(account="1"), taken(region="us-east-1"), taken(family="other test")] == [2, 2, 2, 2]


def test_a_call_waits_for_its_turn_but_not_longer_than_its_patience(rate: Callable[[Rate], None]) -> None:
    rate(Rate(10))
    take()
    begun = time.monotonic()
    take(1)
    assert 0.08 < time.monotonic() - begun < 0.3
    begun = time.monotonic()
    with pytest.raises(SpentError) as refusal:
        take(0.05)
    assert time.monotonic() - begun < 0.04
    assert refusal.value.trouble == Trouble.THROTTLED
    take(1)  # A refusal took no slot.
    assert time.monotonic() - begun < 0.3


def test_several_processes_together_never_exceed_the_quota() -> None:
    callers = [
        subprocess.Popen([sys.executable, "-c", CALLER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write("go\n")
        caller.stdin.flush()
    calls = sorted(float(line) for caller in callers for line in caller.communicate(timeout=15)[0].split())
    assert len(calls) == 60
    busiest = max(sum(start <= call < start + 1 for call in calls) for start in calls)
    assert busiest <= 36  # 30 a second and a burst of 5, of which the last may just have been late.
    assert calls[-1] - calls[0] >= 55 / 30 - 0.05


def test_throttling_makes_everybody_slower_and_success_faster_again(
    rate: Callable[[Rate], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(Rate(200))
    monkeypatch.setattr(quotas, "REACTION_S", 0)
    monkeypatch.setattr(quotas, "GROWTH_PER_S", 0.001)
    for _ in range(10):
        quotas.slow_down(account="111122223333", region="eu-west-1", family="test")
    assert taken(within_s=0.25) <= 7  # A tenth of the rate, which is the least.
    monkeypatch.setattr(quotas, "GROWTH_PER_S", 100)
    time.sleep(0.05)
    assert taken(within_s=0.1) >= 10


def test_calls_under_way_when_the_first_was_throttled_do_not_count_again(rate: Callable[[Rate], None]) -> None:
    rate(Rate(100))
    for _ in range(10):
        quotas.slow_down(account="111122223333", region="eu-west-1", family="test")
    share = quotas.connection().hget("aws:budget:111122223333:eu-west-1:test", "share")
    assert float(share or 0) == pytest.approx(0.7)


def test_an_idle_budget_is_forgotten(rate: Callable[[Rate], None]) -> None:
    rate(Rate(100))
    take()
    assert 0 < int(quotas.connection().ttl("aws:budget:111122223333:eu-west-1:test")) <= quotas.IDLE_S


def test_nobody_calls_without_a_budget(rate: Callable[[Rate], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise RedisConnectionError

    rate(Rate(100))
    monkeypatch.setattr(quotas, "_script", lambda source: away)
    with pytest.raises(SpentError, match="cannot be read"):
        take()
    quotas.slow_down(account="111122223333", region="eu-west-1", family="test")
