"""Which numbers are watched, of which resources, and from what size on a change of each is worth a word.

A series is one metric of one resource. Its key is one integer, so that a shard finds its values with one search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

STEP = timedelta(minutes=5)
METRIC_BITS = 8

Measure = tuple[str, str]
"""A metric and a statistic in CloudWatch's words."""

FUNCTION = "lambda_function"


class Source(StrEnum):
    """Where values come from: what runs told of themselves, or what CloudWatch measured, which settles later."""

    ROLLUP = "rollup"
    POINT = "point"


SETTLED: Mapping[Source, timedelta] = {Source.ROLLUP: timedelta(minutes=3), Source.POINT: timedelta(minutes=10)}
"""So long after its end a step holds all that will come: points are swept every five minutes and come late at AWS."""


class Kind(StrEnum):
    """How a value may be odd: a size by itself, a count by chance, a share of something by chance."""

    LEVEL = "level"
    COUNT = "count"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Metric:
    """``number`` is stored in keys and ``name`` in anomalies: never change either, never use one again.

    ``unit`` is that of charts: count, pct, ms, mb, usd. ``sides`` are the directions that matter. A change is worth
    telling from ``least`` (in the unit) and from the factor ``ratio`` on. ``needs`` is how many invocations a step
    must have before the value means anything. Of points, ``measures`` are added up and ``of`` is what a share is of,
    or what tells that a count that is not stored was zero.
    """

    number: int
    name: str
    words: str
    unit: str
    kind: Kind
    least: float
    ratio: float = 1.5
    sides: tuple[int, ...] = (1,)
    source: Source = Source.ROLLUP
    types: tuple[str, ...] = (FUNCTION,)
    needs: int = 1
    measures: tuple[Measure, ...] = ()
    of: tuple[Measure, ...] = ()
    scale: float = 1.0
    statistic: str = "sum"
    """How values of single minutes make one of a longer time on a chart: sum or max."""


def _point(
    number: int,
    name: str,
    words: str,
    unit: str,
    kind: Kind,
    least: float,
    *,
    types: tuple[str, ...],
    measures: Sequence[Measure],
    of: Sequence[Measure] = (),
    scale: float = 1.0,
) -> Metric:
    statistic = "sum" if kind is Kind.COUNT else "max"
    return Metric(
        number, name, words, unit, kind, least, source=Source.POINT, types=types, measures=tuple(measures),
        of=tuple(of), scale=scale, statistic=statistic,
    )  # fmt: skip


APIS = ("rest_api", "http_api")
LEVEL, COUNT, SHARE = Kind.LEVEL, Kind.COUNT, Kind.SHARE
METRICS: tuple[Metric, ...] = (
    Metric(1, "invocations", "invocations", "count", COUNT, 20, sides=(1, -1), ratio=1.6),
    Metric(2, "errors", "share of errors", "pct", SHARE, 2, statistic="max"),
    Metric(3, "duration_p50", "median duration", "ms", LEVEL, 30, needs=4, statistic="max"),
    Metric(4, "duration_p95", "p95 duration", "ms", LEVEL, 60, needs=20, statistic="max"),
    Metric(5, "memory", "memory used", "mb", LEVEL, 24, ratio=1.25, statistic="max"),
    Metric(6, "cold_starts", "share of cold starts", "pct", SHARE, 10, ratio=2.0, needs=5, statistic="max"),
    Metric(7, "cost", "cost per hour", "usd", LEVEL, 0.02, ratio=1.8, statistic="max"),
    _point(8, "throttles", "throttled invocations", "count", COUNT, 5, types=(FUNCTION,),
           measures=[("Throttles", "Sum")], of=[("Invocations", "Sum")]),
    _point(9, "concurrency", "concurrent executions", "count", LEVEL, 10, types=(FUNCTION,),
           measures=[("ConcurrentExecutions", "Maximum")]),
    _point(10, "iterator_age", "iterator age", "ms", LEVEL, 60_000, types=(FUNCTION,),
           measures=[("IteratorAge", "Maximum")]),
    _point(11, "queue_depth", "messages waiting", "count", LEVEL, 50, types=("sqs_queue",),
           measures=[("ApproximateNumberOfMessagesVisible", "Maximum")]),
    _point(12, "queue_age", "age of the oldest message", "ms", LEVEL, 120_000, types=("sqs_queue",),
           measures=[("ApproximateAgeOfOldestMessage", "Maximum")], scale=1000),
    _point(13, "api_latency", "latency", "ms", LEVEL, 100, types=APIS, measures=[("Latency", "Average")]),
    _point(14, "api_errors", "share of server errors", "pct", SHARE, 1, types=APIS,
           measures=[("5XXError", "Sum"), ("5xx", "Sum")], of=[("Count", "Sum")]),
    _point(15, "stream_age", "iterator age", "ms", LEVEL, 60_000, types=("kinesis_stream",),
           measures=[("GetRecords.IteratorAgeMilliseconds", "Maximum")]),
    _point(16, "failed_executions", "share of failed executions", "pct", SHARE, 5, types=("state_machine",),
           measures=[("ExecutionsFailed", "Sum"), ("ExecutionsTimedOut", "Sum")], of=[("ExecutionsStarted", "Sum")]),
    _point(17, "table_throttles", "throttled requests", "count", COUNT, 10, types=("dynamodb_table",),
           measures=[("ReadThrottleEvents", "Sum"), ("WriteThrottleEvents", "Sum")],
           of=[("ConsumedReadCapacityUnits", "Sum"), ("ConsumedWriteCapacityUnits", "Sum")]),
)  # fmt: skip
BY_NUMBER: Mapping[int, Metric] = {metric.number: metric for metric in METRICS}
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}
TYPES = tuple(dict.fromkeys(name for metric in METRICS for name in metric.types))

DRIVERS: Mapping[str, tuple[str, ...]] = {
    "cost": ("invocations", "duration_p50", "duration_p95", "memory"),
    "duration_p95": ("cold_starts", "invocations"),
    "duration_p50": ("cold_starts", "invocations"),
    "errors": ("duration_p95", "invocations"),
    "concurrency": ("invocations", "duration_p50"),
    "cold_starts": ("invocations",),
}
"""What explains what: the metrics of the same resource that may be behind a change, the likeliest first."""


def key_of(resource_id: int, metric: Metric) -> int:
    return resource_id << METRIC_BITS | metric.number


def resource_of(key: int) -> int:
    return key >> METRIC_BITS


def metric_of(key: int) -> Metric | None:
    """None for a metric that is no longer watched."""
    return BY_NUMBER.get(key & (1 << METRIC_BITS) - 1)


def of_source(source: Source) -> list[Metric]:
    return [metric for metric in METRICS if metric.source is source]
