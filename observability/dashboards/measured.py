"""Charts of what CloudWatch measured: only of metrics that have something to show, only for those who are pulled."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from observability.dashboards.charts import Panel
from observability.inventory.models import Resource
from observability.telemetry.records import Reading, Window
from observability.telemetry.store import get_store
from observability.ui.range import TimeRange


class Line(NamedTuple):
    """``metric`` and ``statistic`` in CloudWatch's words; the rest is how ``<nj-chart>`` draws it."""

    label: str
    metric: str
    colour: str
    statistic: str = "Sum"
    kind: str = "bar"


class Chart(NamedTuple):
    """Lines of one unit, those behind first. ``scale`` makes CloudWatch's unit that of the chart."""

    title: str
    lines: tuple[Line, ...]
    unit: str = "count"
    quiet: bool = False
    """Whether zeros alone are not worth a chart."""
    scale: float = 1


def api(client_errors: str, server_errors: str) -> tuple[Chart, ...]:
    """REST and HTTP APIs count the same under other names."""
    requests = Line("Requests", "Count", "c1")
    latency = (
        Line("Maximum", "Latency", "c4", "Maximum", "line"),
        Line("Average", "Latency", "c2", "Average", "line"),
        Line("Integration", "IntegrationLatency", "c3", "Average", "line"),
    )
    errors = Line("4XX", client_errors, "warn"), Line("5XX", server_errors, "err")
    return Chart("Requests", (requests, *errors)), Chart("Latency", latency, "ms")


CHARTS: Mapping[str, tuple[Chart, ...]] = {
    "lambda_function": (
        Chart("Throttles", (Line("Throttles", "Throttles", "warn"),), quiet=True),
        Chart(
            "Concurrent executions",
            (Line("Concurrent executions", "ConcurrentExecutions", "c4", "Maximum", "area"),),
        ),
        Chart("Iterator age", (Line("Iterator age", "IteratorAge", "c5", "Maximum", "line"),), "ms"),
    ),
    "sqs_queue": (
        Chart(
            "Messages in the queue",
            (
                Line("Waiting", "ApproximateNumberOfMessagesVisible", "c3", "Maximum", "area"),
                Line("Being handled", "ApproximateNumberOfMessagesNotVisible", "c1", "Maximum", "line"),
            ),
        ),
        Chart(
            "Age of the oldest message",
            (Line("Oldest message", "ApproximateAgeOfOldestMessage", "c5", "Maximum", "line"),),
            "ms",
            quiet=True,
            scale=1000,
        ),
        Chart("Messages sent", (Line("Sent", "NumberOfMessagesSent", "c1"),)),
        Chart(
            "Messages received",
            (
                Line("Received", "NumberOfMessagesReceived", "c6"),
                Line("Done and deleted", "NumberOfMessagesDeleted", "ok"),
            ),
        ),
    ),
    "dynamodb_table": (
        Chart("Read capacity used", (Line("Read units", "ConsumedReadCapacityUnits", "c1"),)),
        Chart("Write capacity used", (Line("Write units", "ConsumedWriteCapacityUnits", "c2"),)),
        Chart(
            "Throttled requests",
            (Line("Writes", "WriteThrottleEvents", "err"), Line("Reads", "ReadThrottleEvents", "warn")),
        ),
        Chart("Errors of DynamoDB", (Line("System errors", "SystemErrors", "err"),)),
    ),
    "rest_api": api("4XXError", "5XXError"),
    "http_api": api("4xx", "5xx"),
    "state_machine": (
        Chart(
            "Executions",
            (
                Line("Started", "ExecutionsStarted", "c1"),
                Line("Failed", "ExecutionsFailed", "err"),
                Line("Timed out", "ExecutionsTimedOut", "warn"),
            ),
        ),
        Chart(
            "Duration of executions",
            (
                Line("Maximum", "ExecutionTime", "c4", "Maximum", "line"),
                Line("Average", "ExecutionTime", "c2", "Average", "line"),
            ),
            "ms",
        ),
        Chart("Executions succeeded", (Line("Succeeded", "ExecutionsSucceeded", "ok"),)),
        Chart(
            "Executions stopped or throttled",
            (Line("Stopped", "ExecutionsAborted", "c5"), Line("Throttled", "ExecutionThrottled", "warn")),
        ),
    ),
    "kinesis_stream": (
        Chart("Records written", (Line("Records", "IncomingRecords", "c1"),)),
        Chart(
            "Iterator age",
            (Line("Iterator age", "GetRecords.IteratorAgeMilliseconds", "c5", "Maximum", "line"),),
            "ms",
        ),
        Chart("Data written", (Line("Data", "IncomingBytes", "c2"),), "mb", scale=1e-6),
        Chart(
            "Throughput exceeded",
            (
                Line("Writes", "WriteProvisionedThroughputExceeded", "err"),
                Line("Reads", "ReadProvisionedThroughputExceeded", "warn"),
            ),
        ),
    ),
    "sns_topic": (
        Chart("Messages published", (Line("Published", "NumberOfMessagesPublished", "c1"),)),
        Chart(
            "Deliveries",
            (
                Line("Delivered", "NumberOfNotificationsDelivered", "c2"),
                Line("Failed", "NumberOfNotificationsFailed", "err"),
            ),
        ),
    ),
    "schedule_rule": (
        Chart("Invocations", (Line("Invocations", "Invocations", "c1"), Line("Failed", "FailedInvocations", "err"))),
        Chart("Throttled", (Line("Throttled", "ThrottledRules", "warn"),)),
    ),
}


def is_measured(resource: Resource) -> bool:
    """Whether CloudWatch may have something to tell: not of what no account is connected for, nor of schedules."""
    return resource.type in CHARTS and resource.listed_at is not None and resource.config.get("kind") != "schedule"


def panels(resource: Resource, time_range: TimeRange, marked: Sequence[dict[str, Any]] = ()) -> list[Panel]:
    """The charts of this resource, with a query for each line."""
    asked = CHARTS[resource.type] if is_measured(resource) else ()
    readings = {line: read(resource, line, time_range) for chart in asked for line in chart.lines}
    return drawn(asked, readings, time_range, marked)


def drawn(
    asked: Sequence[Chart],
    readings: Mapping[Line, Sequence[Reading]],
    time_range: TimeRange,
    marked: Sequence[dict[str, Any]] = (),
) -> list[Panel]:
    """Those of the charts that have something to show."""
    found = []
    for chart in asked:
        told = {line: readings[line] for line in chart.lines if any(each.value is not None for each in readings[line])}
        values = [each.value for readings in told.values() for each in readings]
        if told and (any(values) or not chart.quiet):
            found.append(Panel(chart.title, spec(chart, told, time_range, marked)))
    return found


def read(resource: Resource, line: Line, time_range: TimeRange) -> list[Reading]:
    return get_store().points(
        resource.organization_id,
        Window(*time_range.window),
        metric=line.metric,
        statistic=line.statistic,
        resource_ids=[resource.pk],
        step=time_range.step,
    )[resource.pk]


def spec(
    chart: Chart, told: Mapping[Line, Sequence[Reading]], time_range: TimeRange, marked: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The data of one chart; what is not stored is a gap, because nobody knows that it was 0."""
    first = next(iter(told.values()))[0]
    return {
        "t0": int(first.at.timestamp()),
        "dt": int(time_range.step.total_seconds()),
        "fmt": chart.unit,
        "partial": time_range.live,
        "series": [
            {"l": line.label, "c": line.colour, "k": line.kind, "y": [scaled(each.value, chart) for each in readings]}
            for line, readings in told.items()
        ],
        "marks": list(marked),
        "lines": [],
    }


def scaled(value: float | None, chart: Chart) -> float | None:
    return None if value is None else round(value * chart.scale, 6)
