"""What CloudWatch counted of each function: the measure that coverage is held against, and what wakes log reading.

ListMetrics is free and says which functions ran in the last three hours; idle ones are not asked about at all. What is
asked costs by the metric, however many minutes it has, so each reading reaches back far enough for late points, and a
function that did nothing is asked for few metrics. https://aws.amazon.com/cloudwatch/pricing/
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.collector import Harvest, Permission, Scope
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region
from observability.telemetry.records import Point

NAMESPACE = "AWS/Lambda"
MINUTE = timedelta(minutes=1)
PER_CALL = 500
LONGEST = timedelta(minutes=200)
"""Of one call: 500 metrics times 200 minutes stay below the 100,800 points that an answer may hold."""

OVERLAP = timedelta(minutes=5)
SWEEP_EVERY = timedelta(minutes=5)
SWEEP_OVERLAP = timedelta(minutes=20)
"""An invocation counts in the minute in which it began, but only once it has ended, up to 15 minutes later."""

WARM = timedelta(minutes=30)
"""Who ran so lately is asked about every minute; others that are active only with each sweep."""

FIRST, FURTHEST = timedelta(minutes=179), timedelta(hours=24)
"""How far back the very first sweep looks, and one after an outage at most."""

RECENTLY = timedelta(hours=2, minutes=30)
"""Up to here the list of recently active metrics, which is one of three hours, misses nobody."""

INVOCATIONS = ("Invocations", "Sum")
SIGNS = (
    INVOCATIONS,
    ("Throttles", "Sum"),
    ("AsyncEventsReceived", "Sum"),
    ("AsyncEventsDropped", "Sum"),
    ("DeadLetterErrors", "Sum"),
)
"""Something of these is above zero wherever anything happened."""

DETAILS = (
    ("Errors", "Sum"),
    ("Duration", "Average"),
    ("Duration", "Maximum"),
    ("ConcurrentExecutions", "Maximum"),
    ("IteratorAge", "Maximum"),
    ("AsyncEventAge", "Maximum"),
    ("ProvisionedConcurrencyUtilization", "Maximum"),
)
SPARSE = {"Errors", "Throttles", "AsyncEventsReceived", "AsyncEventsDropped", "DeadLetterErrors"}
"""Their zeros are not kept: they say no more than that the function ran."""

A_LONG_TIME_AGO = {"StartTime": "2020-01-01T00:00:00Z", "EndTime": "2020-01-01T00:01:00Z"}


@dataclass(frozen=True, slots=True)
class Query:
    """One metric of one function."""

    function: str
    metric: str
    statistic: str


@dataclass(frozen=True, slots=True)
class Answer:
    """CloudWatch's answer to up to 500 queries; its result ``m7`` is that of the eighth."""

    queries: Sequence[Query]
    pages: Sequence[Mapping[str, Any]]

    def results(self) -> Iterator[tuple[Query, Mapping[str, Any]]]:
        for page in self.pages:
            for result in page["MetricDataResults"]:
                yield self.queries[int(result["Id"][1:])], result


@dataclass(frozen=True, slots=True)
class Raw:
    answers: Sequence[Answer]
    swept: bool


class LambdaMetrics:
    """Invocations of busy functions every minute, everything about active ones every five."""

    kind = "lambda_metrics"
    title = "Function metrics"
    every = MINUTE
    permissions: tuple[Permission, ...] = (
        Permission(
            action="cloudwatch:ListMetrics",
            why="Says which functions ran lately, so that no others are asked about.",
            without="Metrics cannot be read, and coverage cannot be told.",
            probe=("cloudwatch", "list_metrics", {"Namespace": NAMESPACE, "MetricName": "Invocations"}),
            wild="CloudWatch has no resources for metrics.",
        ),
        Permission(
            action="cloudwatch:GetMetricData",
            why="Reads how often functions ran, failed, were throttled and how long they took, as AWS counted it.",
            without="Nobody notices invocations that are missing here, throttles, or schedules that did not run.",
            probe=(
                "cloudwatch",
                "get_metric_data",
                {"MetricDataQueries": [{"Id": "m0", "MetricStat": {
                    "Metric": {"Namespace": NAMESPACE, "MetricName": "Invocations"}, "Period": 60, "Stat": "Sum"}}],
                 **A_LONG_TIME_AGO},
            ),
            wild="CloudWatch has no resources for metrics.",
        ),
    )  # fmt: skip

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        swept = _moment(scope.cursor.get("swept"))
        if swept is None or scope.now - swept >= SWEEP_EVERY - MINUTE / 2:
            return Raw(list(_sweep(aws, scope, swept)), swept=True)
        until = _moment(scope.cursor.get("until")) or swept
        warm = [Query(name, *INVOCATIONS) for name in scope.cursor.get("ran", {}) if name in scope.functions]
        return Raw(list(_read(aws, warm, min(until, scope.now) - OVERLAP, scope.now)), swept=False)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        points = [point for answer in raw.answers for point in _points(answer, scope)]
        names = {function.resource_id: function.name for function in scope.functions.values()}
        before = scope.cursor.get("ran", {})
        ran = dict(before)
        for point in sorted(points, key=lambda point: point.at):
            if point.metric == "Invocations" and point.value > 0:
                ran[names[point.resource_id]] = [int(point.at.timestamp()), point.value]
        warm_since = (scope.now - WARM).timestamp()
        cursor = {
            "until": scope.now.isoformat(),
            "swept": scope.now.isoformat() if raw.swept else scope.cursor["swept"],
            "ran": {name: last for name, last in ran.items() if last[0] >= warm_since},
        }
        active = frozenset(name for name, last in ran.items() if last != before.get(name))
        return Harvest(points=points, cursor=cursor, active=active)


def complete_until(cursor: Mapping[str, Any]) -> datetime | None:
    """Up to when everybody who is known to be active has been asked about; None before the first time."""
    return _moment(cursor.get("swept"))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _sweep(aws: Region, scope: Scope, swept: datetime | None) -> Iterator[Answer]:
    """First the signs of life of whoever is active, then all else about those that show any."""
    start = (min(swept, scope.now) if swept else scope.now - FIRST) - SWEEP_OVERLAP
    start = max(start, scope.now - FURTHEST)
    recently = swept is None or scope.now - swept < RECENTLY
    known = [query for query in _listed(aws, recently=recently) if query[0] in scope.functions]
    awake = set()
    for answer in _read(aws, _queries(known, SIGNS), start, scope.now):
        awake |= {query.function for query, result in answer.results() if any(result["Values"])}
        yield answer
    yield from _read(aws, _queries([each for each in known if each[0] in awake], DETAILS), start, scope.now)


def _listed(aws: Region, *, recently: bool) -> list[tuple[str, str]]:
    """Functions and the metrics that there are of them; those of single versions and aliases are left out."""
    narrow = {"RecentlyActive": "PT3H"} if recently else {}
    pages = aws.pages(
        "cloudwatch", "list_metrics", Namespace=NAMESPACE, Dimensions=[{"Name": "FunctionName"}], **narrow
    )
    metrics = [metric for page in pages for metric in page["Metrics"] if len(metric["Dimensions"]) == 1]
    return sorted({(metric["Dimensions"][0]["Value"], metric["MetricName"]) for metric in metrics})


def _queries(known: Iterable[tuple[str, str]], wanted: Sequence[tuple[str, str]]) -> list[Query]:
    return [Query(name, metric, statistic) for name, metric in known for each, statistic in wanted if each == metric]


def _read(aws: Region, queries: Sequence[Query], start: datetime, end: datetime) -> Iterator[Answer]:
    """Ask in as few calls as the limits of one allow."""
    start = start.replace(second=0, microsecond=0)
    while queries and start < end:
        stop = min(start + LONGEST, end)
        for first in range(0, len(queries), PER_CALL):
            some = queries[first : first + PER_CALL]
            yield Answer(some, _asked(aws, some, start, stop))
        start = stop


def _asked(aws: Region, queries: Sequence[Query], start: datetime, end: datetime) -> list[dict[str, Any]]:
    asked = [_query(number, query) for number, query in enumerate(queries)]
    pages = list(aws.pages("cloudwatch", "get_metric_data", MetricDataQueries=asked, StartTime=start, EndTime=end))
    broken = {result["StatusCode"] for page in pages for result in page["MetricDataResults"]} - {
        "Complete",
        "PartialData",
    }
    if broken:
        raise AwsError(Trouble.UNREACHABLE, "cloudwatch:GetMetricData", f"CloudWatch answered {', '.join(broken)}.")
    return pages


def _query(number: int, query: Query) -> dict[str, Any]:
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": query.metric,
        "Dimensions": [{"Name": "FunctionName", "Value": query.function}],
    }
    period = int(MINUTE.total_seconds())
    return {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": query.statistic}}


def _points(answer: Answer, scope: Scope) -> Iterator[Point]:
    for query, result in answer.results():
        resource_id = scope.functions[query.function].resource_id
        for at, value in zip(result["Timestamps"], result["Values"], strict=True):
            if value or query.metric not in SPARSE:
                yield Point(
                    scope.organization_id, resource_id, query.metric, query.statistic, 60, at.astimezone(UTC), value
                )
