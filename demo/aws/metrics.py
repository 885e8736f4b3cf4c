"""CloudWatch's figures as AWS gives them, in one sweep: moto looks at every datum for every query and every minute."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend, MetricAggregatedDatum
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

RECENT = timedelta(hours=3)
MOST_QUERIES = 500

Dimensions = tuple[tuple[str, str], ...]
Key = tuple[str, str, Dimensions]


original_get = CloudWatchBackend.get_metric_data


def get_metric_data(
    backend: Any, queries: list[dict[str, Any]], start_time: datetime, end_time: datetime, scan_by: str = ""
) -> list[dict[str, Any]]:
    """The results of queries that name a metric; whatever computes with others is left to moto."""
    if len(queries) > MOST_QUERIES:
        raise ValidationError(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")
    if any("MetricStat" not in query for query in queries) or start_time >= end_time:
        found: list[dict[str, Any]] = original_get(backend, queries, start_time, end_time, scan_by)
        return found
    start, end = seconds(start_time), seconds(end_time)
    stored = index(datum for datum in list(backend.metric_data) if start <= seconds(datum.timestamp) < end)
    return [result(query, stored, descending=scan_by != "TimestampAscending") for query in queries]


def seconds(moment: datetime) -> float:
    """Unix time; moto's own moments are UTC without saying so."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def index(data: Iterable[Any]) -> dict[Key, list[Any]]:
    """The data of each metric."""
    found = defaultdict(list)
    for datum in data:
        dimensions = tuple(sorted((dimension.name, dimension.value) for dimension in datum.dimensions))
        found[datum.namespace, datum.name, dimensions].append(datum)
    return found


def result(query: dict[str, Any], stored: dict[Key, list[Any]], *, descending: bool) -> dict[str, Any]:
    """What one query's metric was in each period that has data."""
    wanted = query["MetricStat"]
    metric, period = wanted["Metric"], int(wanted["Period"])
    dimensions = tuple(sorted((d["Name"], d["Value"]) for d in metric.get("Dimensions") or ()))
    periods = defaultdict(list)
    for datum in stored.get((metric["Namespace"], metric["MetricName"], dimensions), ()):
        periods[int(seconds(datum.timestamp)) // period * period].append(datum)
    moments = sorted(periods, reverse=descending)
    return {
        "id": query["Id"],
        "label": query.get("Label") or metric["MetricName"],
        "values": [statistic(wanted["Stat"], periods[moment]) for moment in moments],
        "timestamps": [datetime.fromtimestamp(moment, UTC).replace(tzinfo=None) for moment in moments],
        "status_code": "Complete",
    }


def statistic(stat: str, data: Sequence[Any]) -> float:
    """One statistic over single values and sets of statistics; of sets, a percentile is between their extremes."""
    sets = [datum for datum in data if isinstance(datum, MetricAggregatedDatum)]
    single = [datum.value for datum in data if not isinstance(datum, MetricAggregatedDatum)]
    count = len(single) + sum(datum.sample_count for datum in sets)
    if stat == "SampleCount":
        return float(count)
    if stat in {"Sum", "Average"}:
        total = sum(single) + sum(datum.sum for datum in sets)
        return float(total if stat == "Sum" else total / count)
    ends = [*single, *(datum.min for datum in sets), *(datum.max for datum in sets)]
    if stat in {"Minimum", "Maximum"}:
        return float(min(ends) if stat == "Minimum" else max(ends))
    return float(np.percentile(ends, float(stat.removeprefix("p"))))


def list_metrics(response: Any) -> ActionResult:
    """Each metric once, in pages of 500; with ``RecentlyActive`` those with data in the last three hours."""
    backend = response.cloudwatch_backend
    if token := response._get_param("NextToken"):
        following, page = backend.list_metrics(token, None, None, [])
        return ActionResult({"Metrics": page, "NextToken": following})
    wanted = {(d["Name"], d.get("Value")) for d in response._get_params().get("Dimensions", [])}
    namespace, name = response._get_param("Namespace"), response._get_param("MetricName")
    since = seconds(utcnow() - RECENT) if response._get_param("RecentlyActive") else 0
    stored = index(datum for datum in list(backend.metric_data) if seconds(datum.timestamp) >= since)
    found = [
        data[-1]
        for (in_namespace, called, dimensions), data in stored.items()
        if namespace in {None, in_namespace} and name in {None, called} and covers(dimensions, wanted)
    ]
    following, page = backend._get_paginated(found)
    return ActionResult({"Metrics": page, "NextToken": following})


def covers(dimensions: Dimensions, wanted: set[tuple[str, str | None]]) -> bool:
    """Whether a metric has every dimension that is asked for, with any value where none is named."""
    return all(pair in dimensions or (pair[1] is None and pair[0] in dict(dimensions)) for pair in wanted)


def forget(backend: Any, before: datetime) -> None:
    """Drop what is older: AWS keeps minutes for 15 days, a simulation need not."""
    limit = before.timestamp()
    backend.metric_data = [datum for datum in list(backend.metric_data) if seconds(datum.timestamp) >= limit]


# Owner, name, what stands there instead.
AMENDMENTS = (
    (CloudWatchBackend, "get_metric_data", get_metric_data),
    (CloudWatchResponse, "list_metrics", list_metrics),
)
