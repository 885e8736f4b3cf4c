"""What is asked of CloudWatch about queues, tables, APIs and the rest, and what becomes of its answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from demo.aws.server import SimulatedAws
from ingest.collector import Harvest, Neighbour, Scope
from ingest.collectors.resource_metrics import MEASURED, ResourceMetrics
from ingest.metric_data import Metric
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region
from observability.telemetry.records import Point
from tests.aws_region import RootRegion
from tests.ingest.cloudwatch import CloudWatch

ACCOUNT, REGION = "720155190031", "eu-central-1"
NOW = datetime(2026, 11, 25, 12, 0, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUEUE = "sqs_queue", f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
TABLE = "dynamodb_table", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"
MACHINE = "state_machine", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:pay"
REST = "rest_api", f"arn:aws:apigateway:{REGION}::/restapis/r1"
HTTP = "http_api", f"arn:aws:apigateway:{REGION}::/apis/h1"
STREAM = "kinesis_stream", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"
TOPIC = "sns_topic", f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
EVENTS = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/"
RULE = "schedule_rule", f"{EVENTS}clock"


def scope(*neighbours: tuple[str, str], now: datetime = NOW, cursor: Any = None, name: str = "shop") -> Scope:
    known = [Neighbour(number, type_, arn, name) for number, (type_, arn) in enumerate(neighbours, 1)]
    return Scope(7, ACCOUNT, "aws", REGION, now, cursor or {}, neighbours=known)


def run(aws: Region, scope: Scope) -> Harvest:
    collector = ResourceMetrics()
    return collector.transform(collector.fetch(aws, scope), scope)


def at(minutes_ago: int) -> datetime:
    return NOW.replace(second=0) - minutes_ago * MINUTE


def metric(namespace: str, name: str, **dimensions: str) -> Metric:
    return Metric(f"AWS/{namespace}", name, frozenset(dimensions.items()))


def told(harvest: Harvest) -> set[tuple[int, str, str, float]]:
    return {(point.resource_id, point.metric, point.statistic, point.value) for point in harvest.points}


class TestWhoseMetricsAreWhose:
    @pytest.mark.parametrize(
        ("neighbour", "counted"),
        [
            (QUEUE, metric("SQS", "NumberOfMessagesSent", QueueName="orders")),
            (TABLE, metric("DynamoDB", "ConsumedReadCapacityUnits", TableName="orders")),
            (REST, metric("ApiGateway", "5XXError", ApiName="shop")),
            (HTTP, metric("ApiGateway", "5xx", ApiId="h1")),
            (MACHINE, metric("States", "ExecutionsFailed", StateMachineArn=MACHINE[1])),
            (STREAM, metric("Kinesis", "IncomingRecords", StreamName="clicks")),
            (TOPIC, metric("SNS", "NumberOfNotificationsFailed", TopicName="news")),
            (RULE, metric("Events", "FailedInvocations", RuleName="clock")),
            (
                ("schedule_rule", f"{EVENTS}partner/acme/1/clock"),
                metric("Events", "Invocations", RuleName="clock", EventBusName="partner/acme/1"),
            ),
        ],
        ids=lambda given: given[0] if isinstance(given, tuple) and isinstance(given[0], str) else "",
    )
    def test_is_known_by_their_dimensions(self, neighbour: tuple[str, str], counted: Metric) -> None:
        cloudwatch = CloudWatch()
        cloudwatch.count(counted, 3, at(2))
        finer = counted.dimensions | {("Stage", "live")}
        cloudwatch.count(Metric(counted.namespace, counted.name, finer), 2, at(2))
        foreign = frozenset((name, "foreign") for name, _ in counted.dimensions)
        cloudwatch.count(Metric(counted.namespace, counted.name, foreign), 9, at(2))
        harvest = run(cloudwatch, scope(neighbour))
        assert list(harvest.points) == [Point(7, 1, counted.name, "Sum", 60, at(2), 3)]

    def test_is_not_told_of_apis_that_share_a_name(self) -> None:
        cloudwatch = CloudWatch()
        cloudwatch.count(metric("ApiGateway", "Count", ApiName="shop"), 3, at(2))
        assert not run(cloudwatch, scope(REST, ("rest_api", f"arn:aws:apigateway:{REGION}::/restapis/r2"))).points

    def test_is_not_asked_of_schedules(self) -> None:
        cloudwatch = CloudWatch()
        run(cloudwatch, scope(("schedule_rule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/clock")))
        assert cloudwatch.calls == []

    def test_adds_up_over_the_indexes_and_operations_of_a_table(self) -> None:
        cloudwatch = CloudWatch()
        for index, throttled in ((None, 2), ("by_day", 3), ("by_user", 4)):
            further = {"GlobalSecondaryIndexName": index} if index else {}
            cloudwatch.count(metric("DynamoDB", "WriteThrottleEvents", TableName="orders", **further), throttled, at(2))
        for operation in ("PutItem", "GetItem"):
            cloudwatch.count(metric("DynamoDB", "SystemErrors", TableName="orders", Operation=operation), 1, at(2))
        assert told(run(cloudwatch, scope(TABLE))) == {
            (1, "WriteThrottleEvents", "Sum", 9), (1, "SystemErrors", "Sum", 2),
        }  # fmt: skip


class TestReading:
    @pytest.fixture
    def cloudwatch(self) -> CloudWatch:
        cloudwatch = CloudWatch()
        cloudwatch.count(metric("SQS", "ApproximateNumberOfMessagesVisible", QueueName="orders"), 0, at(1), "Maximum")
        cloudwatch.count(metric("SQS", "ApproximateAgeOfOldestMessage", QueueName="orders"), 90, at(2), "Maximum")
        cloudwatch.count(metric("SQS", "NumberOfMessagesSent", QueueName="orders"), 0, at(1))
        return cloudwatch

    def test_keeps_the_zeros_of_sizes_but_not_those_of_counts(self, cloudwatch: CloudWatch) -> None:
        assert told(run(cloudwatch, scope(QUEUE))) == {(1, "ApproximateNumberOfMessagesVisible", "Maximum", 0)}

    def test_asks_for_details_only_where_something_happened(self, cloudwatch: CloudWatch) -> None:
        run(cloudwatch, scope(QUEUE))
        assert "ApproximateAgeOfOldestMessage" not in {each.name for each in cloudwatch.asked}
        cloudwatch.count(metric("SQS", "ApproximateNumberOfMessagesVisible", QueueName="orders"), 4, at(2), "Maximum")
        assert (1, "ApproximateAgeOfOldestMessage", "Maximum", 90) in told(run(cloudwatch, scope(QUEUE)))

    def test_costs_nothing_where_nothing_is_known(self, cloudwatch: CloudWatch) -> None:
        assert run(cloudwatch, scope()).points == []
        assert run(cloudwatch, scope(TOPIC)).points == []
        assert [call["Namespace"] for call in cloudwatch.calls] == ["AWS/SNS"]

    def test_goes_on_where_it_ended(self, cloudwatch: CloudWatch) -> None:
        first = run(cloudwatch, scope(QUEUE))
        cloudwatch.calls.clear()
        run(cloudwatch, scope(QUEUE, now=NOW + 5 * MINUTE, cursor=first.cursor))
        listing, reading = cloudwatch.calls
        assert listing["RecentlyActive"] == "PT3H"
        assert reading["StartTime"] == at(20)
        cloudwatch.calls.clear()
        run(cloudwatch, scope(QUEUE, now=NOW + timedelta(hours=30), cursor=first.cursor))
        assert "RecentlyActive" not in cloudwatch.calls[0]
        assert cloudwatch.calls[1]["StartTime"] == at(-6 * 60)

    def test_looks_further_back_where_a_type_is_new(self, cloudwatch: CloudWatch) -> None:
        topic = metric("SNS", "NumberOfMessagesPublished", TopicName="news")
        cloudwatch.count(topic, 5, at(150))
        first = run(cloudwatch, scope(QUEUE))
        second = run(cloudwatch, scope(QUEUE, TOPIC, now=NOW + 5 * MINUTE, cursor=first.cursor))
        assert (2, "NumberOfMessagesPublished", "Sum", 5) in told(second)
        cloudwatch.calls.clear()
        run(cloudwatch, scope(QUEUE, TOPIC, now=NOW + 10 * MINUTE, cursor=second.cursor))
        assert cloudwatch.calls[-1]["StartTime"] == at(15)

    def test_ends_when_listing_is_denied(self, simulated_aws: SimulatedAws) -> None:
        simulated_aws.deny(ACCOUNT, "cloudwatch:ListMetrics")
        with pytest.raises(AwsError) as raised:
            run(RootRegion(simulated_aws.account(ACCOUNT), REGION), scope(QUEUE))
        assert raised.value.trouble is Trouble.ACCESS_DENIED


def test_reads_what_the_simulated_aws_counted(simulated_aws: SimulatedAws) -> None:
    aws, now = RootRegion(simulated_aws.account(ACCOUNT), REGION), timezone.now()
    minute = now.replace(second=0, microsecond=0) - 3 * MINUTE
    for name, value in (("orders", 5.0), ("orders", 7.0), ("foreign", 9.0)):
        datum = {
            "MetricName": "ApproximateNumberOfMessagesVisible", "Timestamp": minute, "Value": value,
            "Dimensions": [{"Name": "QueueName", "Value": name}],
        }  # fmt: skip
        aws.call("cloudwatch", "put_metric_data", Namespace="AWS/SQS", MetricData=[datum])
    harvest = run(aws, replace(scope(QUEUE), now=now))
    assert list(harvest.points) == [Point(7, 1, "ApproximateNumberOfMessagesVisible", "Maximum", 60, minute, 7.0)]


def test_every_type_has_a_sign_and_no_measure_twice() -> None:
    for measured in MEASURED.values():
        measures = measured.signs + measured.details
        assert measured.signs
        assert len(set(measures)) == len(measures)
