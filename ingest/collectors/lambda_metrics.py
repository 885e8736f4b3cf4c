"""What CloudWatch counted of each function: the measure that coverage is held against, and what wakes log reading.

Functions that did nothing in the last three hours are not asked about at all, and those that only might have are asked
for few metrics: see ``metric_data`` for what that saves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.collector import Harvest, Permission, Scope
from ingest.metric_data import (
    GET_METRIC_DATA,
    LIST_METRICS,
    MINUTE,
    PERIOD_S,
    Answer,
    Metric,
    Query,
    listed,
    reach,
    read,
    sweep,
)
from observability.aws.sessions import Region
from observability.telemetry.records import Point

NAMESPACE, DIMENSION = "AWS/Lambda", "FunctionName"
OVERLAP = timedelta(minutes=5)
SWEEP_EVERY = timedelta(minutes=5)
WARM = timedelta(minutes=30)
"""Who ran so lately is asked about every minute; others that are active only with each sweep."""

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


@dataclass(frozen=True, slots=True)
class Raw:
    answers: Sequence[Answer]
    swept: bool


class LambdaMetrics:
    """Invocations of busy functions every minute, everything about active ones every five."""

    kind = "lambda_metrics"
    title = "Function metrics"
    every = MINUTE
    permissions: tuple[Permission, ...] = (LIST_METRICS, GET_METRIC_DATA)

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        swept = _moment(scope.cursor.get("swept"))
        if swept is None or scope.now - swept >= SWEEP_EVERY - MINUTE / 2:
            return Raw(list(_sweep(aws, scope, swept)), swept=True)
        until = _moment(scope.cursor.get("until")) or swept
        warm = [
            Query(scope.functions[name].resource_id, _metric(name, INVOCATIONS[0]), INVOCATIONS[1])
            for name in scope.cursor.get("ran", {})
            if name in scope.functions
        ]
        return Raw(list(read(aws, warm, min(until, scope.now) - OVERLAP, scope.now)), swept=False)

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


def _metric(function: str, name: str) -> Metric:
    """Of the function as a whole: those of single versions and aliases have another dimension."""
    return Metric(NAMESPACE, name, frozenset({(DIMENSION, function)}))


def _sweep(aws: Region, scope: Scope, swept: datetime | None) -> Iterator[Answer]:
    start, recently = reach(swept, now=scope.now)
    there = set(listed(aws, NAMESPACE, DIMENSION, recently=recently))
    signs, details = (
        [query for query in _queries(scope, wanted) if query.metric in there] for wanted in (SIGNS, DETAILS)
    )
    return sweep(aws, signs, details, start, scope.now)


def _queries(scope: Scope, wanted: Sequence[tuple[str, str]]) -> Iterator[Query]:
    for name, function in sorted(scope.functions.items()):
        for metric, statistic in wanted:
            yield Query(function.resource_id, _metric(name, metric), statistic)


def _points(answer: Answer, scope: Scope) -> Iterator[Point]:
    for query, at, value in answer.values():
        name = query.metric.name
        if value or name not in SPARSE:
            yield Point(scope.organization_id, query.resource_id, name, query.statistic, PERIOD_S, at, value)
