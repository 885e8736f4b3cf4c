"""CloudWatch's two calls, over values that a test puts in. Answers come in pages, some of them empty."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest.metric_data import Dimensions, Metric
from observability.aws.sessions import Target


@dataclass
class CloudWatch:
    """Fulfils ``Region``. ``calls`` are the calls with their parameters."""

    values: dict[tuple[Metric, str, datetime], float] = field(default_factory=dict)
    status: str = "Complete"
    calls: list[dict[str, Any]] = field(default_factory=list)
    target: Target = field(default_factory=lambda: Target("123456789012", "aws", "", "", "acme"))
    region: str = "eu-west-1"

    def count(self, metric: Metric, value: float, at: datetime, statistic: str = "Sum") -> None:
        self.values[metric, statistic, at] = value

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        raise NotImplementedError

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        self.calls.append({"operation": operation} | parameters)
        yield from getattr(self, operation)(**parameters)

    def list_metrics(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        wanted = {pair["Name"] for pair in parameters["Dimensions"]}
        found = {
            metric
            for metric, _, _ in self.values
            if metric.namespace == parameters["Namespace"] and wanted <= dict(metric.dimensions).keys()
        }
        yield {"Metrics": []}
        yield {"Metrics": [{"MetricName": each.name, "Dimensions": written(each.dimensions)} for each in found]}

    def get_metric_data(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        start, end = parameters["StartTime"], parameters["EndTime"]
        results = []
        for query in parameters["MetricDataQueries"]:
            wanted = metric_of(query), query["MetricStat"]["Stat"]
            found = {at: value for (*of, at), value in self.values.items() if (*of,) == wanted and start <= at < end}
            times, values = list(found), list(found.values())
            results.append({"Id": query["Id"], "Timestamps": times, "Values": values, "StatusCode": self.status})
        half = len(results) // 2
        yield {"MetricDataResults": results[:half]}
        yield {"MetricDataResults": []}
        yield {"MetricDataResults": results[half:]}

    @property
    def asked(self) -> list[Metric]:
        """The metrics that GetMetricData was asked for, in order."""
        return [metric_of(query) for call in self.calls for query in call.get("MetricDataQueries", ())]


def written(dimensions: Dimensions) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in sorted(dimensions)]


def metric_of(query: dict[str, Any]) -> Metric:
    metric = query["MetricStat"]["Metric"]
    dimensions = frozenset((pair["Name"], pair["Value"]) for pair in metric["Dimensions"])
    return Metric(metric["Namespace"], metric["MetricName"], dimensions)
