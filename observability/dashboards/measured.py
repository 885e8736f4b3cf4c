"""Charts of what CloudWatch measured: only of metrics that have something to show, only for those who are pulled."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from observability.dashboards.charts import Panel
from observability.inventory.models import Resource
from observability.telemetry.records import Reading, Window
from observability.telemetry.store import get_store
from observability.ui.range import TimeRange


class Metric(NamedTuple):
    """``name`` and ``statistic`` in CloudWatch's words; the rest is how ``<nj-chart>`` draws it."""

    title: str
    name: str
    statistic: str
    unit: str
    kind: str
    colour: str
    quiet: bool = False
    """Whether zeros alone are not worth a chart."""


METRICS = {
    "lambda_function": (
        Metric("Throttles", "Throttles", "Sum", "count", "bar", "warn", quiet=True),
        Metric("Concurrent executions", "ConcurrentExecutions", "Maximum", "count", "area", "c4"),
        Metric("Iterator age", "IteratorAge", "Maximum", "ms", "line", "c5"),
    ),
}


def panels(resource: Resource, time_range: TimeRange, marked: Sequence[dict[str, Any]] = ()) -> list[Panel]:
    """The charts of this resource: none of what no account is connected for, else a query for each metric."""
    found = []
    for metric in METRICS.get(resource.type, ()) if resource.listed_at else ():
        readings = get_store().points(
            resource.organization_id,
            Window(*time_range.window),
            metric=metric.name,
            statistic=metric.statistic,
            resource_ids=[resource.pk],
            step=time_range.step,
        )[resource.pk]
        if any(reading.value or (reading.value == 0 and not metric.quiet) for reading in readings):
            found.append(Panel(metric.title, spec(metric, readings, time_range, marked)))
    return found


def spec(
    metric: Metric, readings: Sequence[Reading], time_range: TimeRange, marked: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The data of one chart; what is not stored is a gap, because nobody knows that it was 0."""
    return {
        "t0": int(readings[0].at.timestamp()),
        "dt": int(time_range.step.total_seconds()),
        "fmt": metric.unit,
        "partial": time_range.live,
        "series": [
            {"l": metric.title, "c": metric.colour, "k": metric.kind, "y": [reading.value for reading in readings]}
        ],
        "marks": list(marked),
        "lines": [],
    }
