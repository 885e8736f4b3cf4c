"""What CloudWatch measured of the queues, tables, APIs, state machines, streams, topics and rules around functions.

Only those are asked about that are known and watched and were active in the last three hours. Of counts, zeros are not
kept: they say no more than that nothing happened. Of sizes and ages they are, for they tell that a queue is empty.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ingest.collector import Harvest, Neighbour, Permission, Scope
from ingest.metric_data import (
    GET_METRIC_DATA,
    LIST_METRICS,
    PERIOD_S,
    Answer,
    Dimensions,
    Metric,
    Query,
    listed,
    reach,
    sweep,
)
from observability.aws.sessions import Region
from observability.telemetry.records import Point


class Measure(NamedTuple):
    """``apart`` is a further dimension by which AWS counts; what it counts apart adds up here."""

    metric: str
    statistic: str = "Sum"
    apart: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """How one type is measured: the dimension that names it, and what is above zero wherever anything happened."""

    namespace: str
    dimension: str
    signs: tuple[Measure, ...]
    details: tuple[Measure, ...] = ()


MEASURED = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    "sqs_queue": Measured(
        "AWS/SQS",
        "QueueName",
        (
            Measure("ApproximateNumberOfMessagesVisible", "Maximum"),
            Measure("ApproximateNumberOfMessagesNotVisible", "Maximum"),
            Measure("NumberOfMessagesSent"),
        ),
        (
            Measure("ApproximateAgeOfOldestMessage", "Maximum"),
            Measure("NumberOfMessagesReceived"),
            Measure("NumberOfMessagesDeleted"),
        ),
    ),
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    "dynamodb_table": Measured(
        "AWS/DynamoDB",
        "TableName",
        (
            Measure("ConsumedReadCapacityUnits"),
            Measure("ConsumedWriteCapacityUnits"),
            Measure("ReadThrottleEvents"),
            Measure("ReadThrottleEvents", apart="GlobalSecondaryIndexName"),
            Measure("WriteThrottleEvents"),
            Measure("WriteThrottleEvents", apart="GlobalSecondaryIndexName"),
            Measure("SystemErrors", apart="Operation"),
        ),
    ),
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
    "rest_api": Measured(
        "AWS/ApiGateway",
        "ApiName",
        (Measure("Count"), Measure("4XXError"), Measure("5XXError")),
        (Measure("Latency", "Average"), Measure("Latency", "Maximum"), Measure("IntegrationLatency", "Average")),
    ),
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    "http_api": Measured(
        "AWS/ApiGateway",
        "ApiId",
        (Measure("Count"), Measure("4xx"), Measure("5xx")),
        (Measure("Latency", "Average"), Measure("Latency", "Maximum"), Measure("IntegrationLatency", "Average")),
    ),
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    "state_machine": Measured(
        "AWS/States",
        "StateMachineArn",
        (
            Measure("ExecutionsStarted"),
            Measure("ExecutionsSucceeded"),
            Measure("ExecutionsFailed"),
            Measure("ExecutionsTimedOut"),
            Measure("ExecutionsAborted"),
            Measure("ExecutionThrottled"),
        ),
        (Measure("ExecutionTime", "Average"), Measure("ExecutionTime", "Maximum")),
    ),
    # https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
    "kinesis_stream": Measured(
        "AWS/Kinesis",
        "StreamName",
        (
            Measure("IncomingRecords"),
            Measure("GetRecords.IteratorAgeMilliseconds", "Maximum"),
            Measure("ReadProvisionedThroughputExceeded"),
            Measure("WriteProvisionedThroughputExceeded"),
        ),
        (Measure("IncomingBytes"),),
    ),
    # https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
    "sns_topic": Measured(
        "AWS/SNS",
        "TopicName",
        (Measure("NumberOfMessagesPublished"), Measure("NumberOfNotificationsFailed")),
        (Measure("NumberOfNotificationsDelivered"),),
    ),
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    "schedule_rule": Measured(
        "AWS/Events",
        "RuleName",
        (Measure("Invocations"), Measure("FailedInvocations"), Measure("ThrottledRules")),
    ),
}


class ResourceMetrics:
    kind = "resource_metrics"
    title = "Metrics of other resources"
    every = timedelta(minutes=5)
    permissions: tuple[Permission, ...] = (LIST_METRICS, GET_METRIC_DATA)

    def fetch(self, aws: Region, scope: Scope) -> Sequence[Answer]:
        start, recently = _reach(scope)
        signs: list[Query] = []
        details: list[Query] = []
        for type_, measured in MEASURED.items():
            named = _named(each for each in scope.neighbours if each.type == type_)
            there = listed(aws, measured.namespace, measured.dimension, recently=recently) if named else []
            signs += _queries(there, named, measured.signs)
            details += _queries(there, named, measured.details)
        return list(sweep(aws, signs, details, start, scope.now))

    def transform(self, raw: Sequence[Answer], scope: Scope) -> Harvest:
        totals: dict[tuple[int, str, str, datetime], float] = defaultdict(float)
        for answer in raw:
            for query, at, value in answer.values():
                if value or query.statistic != "Sum":
                    totals[query.resource_id, query.metric.name, query.statistic, at] += value
        points = [
            Point(scope.organization_id, resource_id, metric, statistic, PERIOD_S, at, value)
            for (resource_id, metric, statistic, at), value in totals.items()
        ]
        return Harvest(points=points, cursor={"until": scope.now.isoformat(), "types": _types(scope)})


def _reach(scope: Scope) -> tuple[datetime, bool]:
    """As far back as the last reading demands, or as the first one goes where a type is new: minutes are free."""
    until = scope.cursor.get("until")
    usual = reach(datetime.fromisoformat(until) if until else None, now=scope.now)
    fresh = set(_types(scope)) - set(scope.cursor.get("types", ()))
    return min(usual, reach(None, now=scope.now)) if fresh else usual


def _types(scope: Scope) -> list[str]:
    return sorted({each.type for each in scope.neighbours})


def _queries(there: Iterable[Metric], named: Mapping[Dimensions, int], wanted: Sequence[Measure]) -> Iterator[Query]:
    """What is wanted of the metrics that there are."""
    for metric in there:
        for measure in wanted:
            apart = frozenset(pair for pair in metric.dimensions if pair[0] == measure.apart)
            resource_id = named.get(metric.dimensions - apart)
            if resource_id and metric.name == measure.metric and len(apart) == bool(measure.apart):
                yield Query(resource_id, metric, measure.statistic)


def _named(neighbours: Iterable[Neighbour]) -> dict[Dimensions, int]:
    """Whose metrics are whose. REST APIs may share a name, and then CloudWatch does not tell them apart."""
    known = [(_dimensions(each), each.resource_id) for each in neighbours]
    shared = Counter(dimensions for dimensions, _ in known)
    return {dimensions: resource_id for dimensions, resource_id in known if dimensions and shared[dimensions] == 1}


def _dimensions(neighbour: Neighbour) -> Dimensions:
    """How CloudWatch names it; nothing where it does not, such as schedules of EventBridge Scheduler."""
    dimension, last = MEASURED[neighbour.type].dimension, re.split("[:/]", neighbour.arn)[-1]
    match neighbour.type:
        case "rest_api":
            return frozenset({(dimension, neighbour.name)})
        case "state_machine":
            return frozenset({(dimension, neighbour.arn)})
        case "schedule_rule":
            return _rule(neighbour.arn)
        case _:
            return frozenset({(dimension, last)})


def _rule(arn: str) -> Dimensions:
    """``rule/name`` on the default event bus, ``rule/bus/name`` on any other, whose own name may have slashes."""
    _, rule, path = arn.partition(":rule/")
    bus, _, name = path.rpartition("/")
    return frozenset({("RuleName", name), *({("EventBusName", bus)} if bus else ())}) if rule else frozenset()
