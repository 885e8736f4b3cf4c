"""What is asked of CloudWatch, how often, and what becomes of its answers."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from ingest.collector import Function, Harvest, Scope
from ingest.collectors.lambda_metrics import LambdaMetrics
from ingest.metric_data import Metric
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import RoleRegion, Target
from observability.telemetry.records import Point
from tests.ingest.cloudwatch import CloudWatch

if TYPE_CHECKING:
    from demo.aws.server import Account, SimulatedAws

OURS = "905418337712"
NOW = datetime(2026, 11, 25, 12, 0, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def function(number: int, name: str) -> Function:
    return Function(number, f"arn:aws:lambda:eu-west-1:123456789012:function:{name}", name, {}, None)


def scope(*names: str, now: datetime = NOW, cursor: Any = None) -> Scope:
    functions = {name: function(number, name) for number, name in enumerate(names, start=1)}
    return Scope(7, "123456789012", "aws", "eu-west-1", now, cursor or {}, functions)


class Counted(CloudWatch):
    """CloudWatch's metrics of functions."""

    def put(self, name: str, metric: str, value: float, at: datetime, statistic: str = "Sum") -> None:
        self.count(Metric("AWS/Lambda", metric, frozenset({("FunctionName", name)})), value, at, statistic)

    def ran(self, name: str, at: datetime, times: int = 1) -> None:
        self.put(name, "Invocations", times, at)
        self.put(name, "Errors", 0, at)
        self.put(name, "Throttles", 0, at)
        self.put(name, "Duration", 120.5, at, "Average")
        self.put(name, "Duration", 300.0, at, "Maximum")
        self.put(name, "ConcurrentExecutions", 2, at, "Maximum")

    @property
    def asked_of(self) -> list[tuple[str, str]]:
        return [(dict(metric.dimensions)["FunctionName"], metric.name) for metric in self.asked]


def run(cloudwatch: Counted, scope: Scope) -> Harvest:
    collector = LambdaMetrics()
    cloudwatch.calls.clear()
    return collector.transform(collector.fetch(cloudwatch, scope), scope)


def at(minutes_ago: int) -> datetime:
    return NOW.replace(second=0) - minutes_ago * MINUTE


class TestSweep:
    def test_it_works(self) -> None:
        cloudwatch = Counted()
        cloudwatch.ran("a", at(2), times=5)
        alias = frozenset({("FunctionName", "a"), ("Resource", "a:live")})
        cloudwatch.count(Metric("AWS/Lambda", "Invocations", alias), 4, at(2))
        harvest = run(cloudwatch, scope("a"))
        point = Point(7, 1, "Invocations", "Sum", 60, at(2), 5)
        assert set(harvest.points) == {
            point,
            replace_point(point, metric="Duration", statistic="Average", value=120.5),
            replace_point(point, metric="Duration", statistic="Maximum", value=300.0),
            replace_point(point, metric="ConcurrentExecutions", statistic="Maximum", value=2),
        }
        assert harvest.active == {"a"}
        assert cloudwatch.calls[0]["RecentlyActive"] == "PT3H"

    def test_zeros_of_failures_are_not_kept_but_failures_are(self) -> None:
        cloudwatch = Counted()
        cloudwatch.ran("a", at(2))
        cloudwatch.put("a", "Errors", 3, at(1))
        kept = {(p.metric, p.at, p.value) for p in run(cloudwatch, scope("a")).points if p.metric == "Errors"}
        assert kept == {("Errors", at(1), 3)}

    def test_functions_that_are_not_watched_or_did_nothing_cost_nothing_more(self) -> None:
        cloudwatch = Counted()
        cloudwatch.ran("busy", at(2))
        cloudwatch.ran("quiet", at(2), times=0)
        cloudwatch.ran("foreign", at(2))
        run(cloudwatch, scope("busy", "quiet"))
        assert {name for name, _ in cloudwatch.asked_of} == {"busy", "quiet"}
        assert [metric for name, metric in cloudwatch.asked_of if name == "quiet"] == ["Invocations", "Throttles"]
        assert "AsyncEventsDropped" not in {metric for _, metric in cloudwatch.asked_of}

    def test_a_function_that_is_only_throttled_is_seen(self) -> None:
        cloudwatch = Counted()
        cloudwatch.put("a", "Throttles", 9, at(3))
        harvest = run(cloudwatch, scope("a"))
        assert [(p.metric, p.value) for p in harvest.points] == [("Throttles", 9)]
        assert not harvest.active

    def test_limits_of_a_call_are_kept_after_a_long_outage(self) -> None:
        cloudwatch = Counted()
        names = [f"f{number}" for number in range(600)]
        for name in names:
            cloudwatch.put(name, "Invocations", 1, at(600))
        cursor = {"swept": (NOW - timedelta(hours=30)).isoformat(), "until": NOW.isoformat(), "ran": {}}
        harvest = run(cloudwatch, scope(*names, cursor=cursor))
        assert len(harvest.points) == 600
        assert "RecentlyActive" not in cloudwatch.calls[0]
        for call in cloudwatch.calls[1:]:
            minutes = (call["EndTime"] - call["StartTime"]) / MINUTE
            assert len(call["MetricDataQueries"]) <= 500
            assert len(call["MetricDataQueries"]) * minutes <= 100_800
        assert min(call["StartTime"] for call in cloudwatch.calls[1:]) == at(24 * 60)

    def test_what_came_late_is_read_again(self) -> None:
        cloudwatch = Counted()
        first = run(cloudwatch, scope("a"))
        cloudwatch.ran("a", at(14))  # An invocation of a quarter of an hour counts when it has ended.
        later = run(cloudwatch, scope("a", now=NOW + 5 * MINUTE, cursor=first.cursor))
        assert ("Invocations", at(14)) in {(p.metric, p.at) for p in later.points}

    @pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
    def test_half_an_answer_is_none(self, status: str) -> None:
        cloudwatch = Counted(status=status)
        cloudwatch.ran("a", at(2))
        with pytest.raises(AwsError) as raised:
            run(cloudwatch, scope("a"))
        assert raised.value.trouble == Trouble.UNREACHABLE


class TestBetweenSweeps:
    @pytest.fixture
    def cloudwatch(self) -> Counted:
        cloudwatch = Counted()
        cloudwatch.ran("warm", at(10), times=4)
        cloudwatch.ran("cool", at(100))
        return cloudwatch

    def test_only_invocations_of_busy_functions_are_read(self, cloudwatch: Counted) -> None:
        first = run(cloudwatch, scope("warm", "cool"))
        cloudwatch.ran("warm", at(0), times=2)
        second = run(cloudwatch, scope("warm", "cool", now=NOW + MINUTE, cursor=first.cursor))
        assert cloudwatch.asked_of == [("warm", "Invocations")]
        assert [(p.at, p.value) for p in second.points] == [(at(0), 2)]
        assert second.active == {"warm"}
        assert second.cursor["swept"] == first.cursor["swept"]

    def test_who_did_nothing_new_is_not_active(self, cloudwatch: Counted) -> None:
        first = run(cloudwatch, scope("warm", "cool"))
        assert first.active == {"warm", "cool"}
        second = run(cloudwatch, scope("warm", "cool", now=NOW + MINUTE, cursor=first.cursor))
        assert not second.active
        cloudwatch.ran("warm", at(10), times=5)
        third = run(cloudwatch, scope("warm", "cool", now=NOW + 5 * MINUTE, cursor=second.cursor))
        assert third.active == {"warm"}

    def test_nothing_is_asked_when_nobody_is_busy(self, cloudwatch: Counted) -> None:
        cursor = {"swept": NOW.isoformat(), "until": NOW.isoformat(), "ran": {}}
        assert run(cloudwatch, scope("warm", now=NOW + MINUTE, cursor=cursor)).points == []
        assert cloudwatch.calls == []

    def test_a_function_that_is_no_longer_watched_is_forgotten(self, cloudwatch: Counted) -> None:
        first = run(cloudwatch, scope("warm", "cool"))
        run(cloudwatch, replace(scope("cool", now=NOW + MINUTE), cursor=first.cursor))
        assert cloudwatch.calls == []


def replace_point(point: Point, **changes: Any) -> Point:
    fields = {name: getattr(point, name) for name in Point.__struct_fields__}
    return Point(**fields | changes)


class TestAgainstAws:
    def test_reads_what_the_simulated_one_counted(self, simulated_aws: "SimulatedAws") -> None:
        customer = simulated_aws.account("720155190031")
        now = timezone.now()
        minute = now.replace(second=0, microsecond=0) - 3 * MINUTE
        data = [
            {"MetricName": metric, "Dimensions": [{"Name": "FunctionName", "Value": name}], "Timestamp": minute,
             "Value": value}
            for name in ("a", "foreign")
            for metric, value in (("Invocations", 1.0), ("Invocations", 1.0), ("Duration", 80.0), ("Duration", 120.0))
        ]  # fmt: skip
        customer.client("cloudwatch", "eu-central-1").put_metric_data(Namespace="AWS/Lambda", MetricData=data)
        region = RoleRegion(Target("720155190031", "aws", made_role(customer), "right", "acme"), "eu-central-1")
        harvest = run_in(region, replace(scope("a", now=now), region="eu-central-1"))
        assert {(p.resource_id, p.metric, p.statistic, p.at, p.value) for p in harvest.points} == {
            (1, "Invocations", "Sum", minute, 2.0),
            (1, "Duration", "Average", minute, 100.0),
            (1, "Duration", "Maximum", minute, 120.0),
        }
        assert harvest.active == {"a"}


def run_in(region: RoleRegion, scope: Scope) -> Harvest:
    collector = LambdaMetrics()
    return collector.transform(collector.fetch(region, scope), scope)


def made_role(customer: "Account") -> str:
    """A role that trusts us and allows what this collector needs, no more."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{OURS}:root"},
             "Condition": {"StringEquals": {"sts:ExternalId": "right"}}}  # fmt: skip
    allow = {"Effect": "Allow", "Action": [each.action for each in LambdaMetrics.permissions], "Resource": "*"}
    iam, version = customer.client("iam"), {"Version": "2012-10-17"}
    made = iam.create_role(RoleName="nightjar-1", AssumeRolePolicyDocument=json.dumps(version | {"Statement": [trust]}))
    policy = json.dumps(version | {"Statement": [allow]})
    iam.put_role_policy(RoleName="nightjar-1", PolicyName="nightjar", PolicyDocument=policy)
    arn: str = made["Role"]["Arn"]
    return arn
