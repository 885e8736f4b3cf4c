"""Metrics of CloudWatch: which there are, and their values in as few calls as its limits allow.

ListMetrics is free and says what was active in the last three hours; nothing else is asked about. What is asked costs
by the metric, however many minutes it has, so each reading reaches back far enough for late points, and whoever did
nothing is asked for few metrics. https://aws.amazon.com/cloudwatch/pricing/
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.collector import Permission
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region

MINUTE = timedelta(minutes=1)
PERIOD_S = 60
PER_CALL = 500
LONGEST = timedelta(minutes=200)
"""Of one call: 500 metrics times 200 minutes stay below the 100,800 points that an answer may hold."""

OVERLAP = timedelta(minutes=20)
"""An invocation counts in the minute in which it began, but only once it has ended, up to 15 minutes later."""

FIRST, FURTHEST = timedelta(minutes=179), timedelta(hours=24)
"""How far back the very first reading looks, and one after an outage at most."""

RECENTLY = timedelta(hours=2, minutes=30)
"""Up to here the list of recently active metrics, which is one of three hours, misses nobody."""

WILD = "CloudWatch has no resources for metrics."
LIST_METRICS = Permission(
    action="cloudwatch:ListMetrics",
    why="Says which functions and other resources were active lately, so that no others are asked about.",
    without="Metrics cannot be read, and coverage cannot be told.",
    probe=("cloudwatch", "list_metrics", {"Namespace": "AWS/Lambda", "MetricName": "Invocations"}),
    wild=WILD,
)
GET_METRIC_DATA = Permission(
    action="cloudwatch:GetMetricData",
    why="Reads how often functions ran, failed, were throttled and how long they took, as AWS counted it, and how busy "
        "the queues, tables, APIs and other resources around them are.",
    without="Nobody notices invocations that are missing here, throttles, or schedules that did not run, and other "
            "resources have no charts.",
    probe=(
        "cloudwatch",
        "get_metric_data",
        {"MetricDataQueries": [{"Id": "m0", "MetricStat": {
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": "Invocations"}, "Period": PERIOD_S, "Stat": "Sum"}}],
         "StartTime": "2020-01-01T00:00:00Z", "EndTime": "2020-01-01T00:01:00Z"},
    ),
    wild=WILD,
)  # fmt: skip

Dimensions = frozenset[tuple[str, str]]
"""How CloudWatch tells whose a metric is: names and values."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric in CloudWatch's own words."""

    namespace: str
    name: str
    dimensions: Dimensions


@dataclass(frozen=True, slots=True)
class Query:
    """One statistic of a metric, by the minute, and the resource that it is of."""

    resource_id: int
    metric: Metric
    statistic: str


@dataclass(frozen=True, slots=True)
class Answer:
    """CloudWatch's answer to up to 500 queries; its result ``m7`` is that of the eighth."""

    queries: Sequence[Query]
    pages: Sequence[Mapping[str, Any]]

    def values(self) -> Iterator[tuple[Query, datetime, float]]:
        """What each query's metric was in each minute that has a value."""
        for page in self.pages:
            for result in page["MetricDataResults"]:
                query = self.queries[int(result["Id"][1:])]
                for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                    yield query, at.astimezone(UTC), value


def reach(read_until: datetime | None, *, now: datetime) -> tuple[datetime, bool]:
    """Where the next reading begins, and whether a list of what was active recently is enough for it."""
    start = (min(read_until, now) if read_until else now - FIRST) - OVERLAP
    recently = read_until is None or now - read_until < RECENTLY
    return max(start, now - FURTHEST), recently


def listed(aws: Region, namespace: str, dimension: str, *, recently: bool) -> list[Metric]:
    """The metrics that there are with this dimension."""
    narrow = {"RecentlyActive": "PT3H"} if recently else {}
    pages = aws.pages("cloudwatch", "list_metrics", Namespace=namespace, Dimensions=[{"Name": dimension}], **narrow)
    found = {
        Metric(namespace, each["MetricName"], frozenset((pair["Name"], pair["Value"]) for pair in each["Dimensions"]))
        for page in pages
        for each in page["Metrics"]
    }
    return sorted(found, key=lambda metric: (metric.name, sorted(metric.dimensions)))


def sweep(
    aws: Region, signs: Sequence[Query], details: Iterable[Query], start: datetime, end: datetime
) -> Iterator[Answer]:
    """First the signs of life, then the details of whoever shows any."""
    awake = set()
    for answer in read(aws, signs, start, end):
        awake |= {query.resource_id for query, _, value in answer.values() if value}
        yield answer
    yield from read(aws, [query for query in details if query.resource_id in awake], start, end)


def read(aws: Region, queries: Sequence[Query], start: datetime, end: datetime) -> Iterator[Answer]:
    """Ask in as few calls as the limits of one allow. Half an answer raises ``AwsError``, as any other trouble does."""
    start = start.replace(second=0, microsecond=0)
    while queries and start < end:
        stop = min(start + LONGEST, end)
        for first in range(0, len(queries), PER_CALL):
            some = queries[first : first + PER_CALL]
            yield Answer(some, _asked(aws, some, start, stop))
        start = stop


def _asked(aws: Region, queries: Sequence[Query], start: datetime, end: datetime) -> list[dict[str, Any]]:
    asked = [_written(number, query) for number, query in enumerate(queries)]
    pages = list(aws.pages("cloudwatch", "get_metric_data", MetricDataQueries=asked, StartTime=start, EndTime=end))
    broken = {result["StatusCode"] for page in pages for result in page["MetricDataResults"]} - {
        "Complete",
        "PartialData",
    }
    if broken:
        raise AwsError(Trouble.UNREACHABLE, "cloudwatch:GetMetricData", f"CloudWatch answered {', '.join(broken)}.")
    return pages


def _written(number: int, query: Query) -> dict[str, Any]:
    metric = {
        "Namespace": query.metric.namespace,
        "MetricName": query.metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(query.metric.dimensions)],
    }
    return {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": PERIOD_S, "Stat": query.statistic}}
