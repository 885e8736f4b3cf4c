"""What pages show of anomalies: each with its incident, and the charts of the metrics that were odd."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from alerts.models import Anomaly, Incident
from alerts.watching import bands, reasons
from alerts.watching.series import BY_NAME, STEP, Metric
from observability.dashboards.charts import marks
from observability.inventory.models import Resource
from observability.telemetry.grains import floor, steps
from observability.telemetry.records import Window
from observability.telemetry.store import Store
from observability.tenants.models import Organization
from observability.ui.range import TimeRange

SHOWN_CHARTS = 4
COLORS = {"ms": "c3", "count": "c1", "pct": "err", "mb": "c5", "usd": "ok"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One anomaly, in words."""

    row: Anomaly
    words: str
    value: str
    usual: str
    incident: int | None

    @property
    def is_above(self) -> bool:
        return bool(self.row.detail.get("side", 1) > 0)


@dataclass(frozen=True, slots=True)
class Panel:
    """The chart of one metric that was odd."""

    title: str
    spec: dict[str, Any]


def found(organization: Organization, window: Window, *, resource: Resource | None = None) -> QuerySet[Anomaly]:
    """What was odd at some time of the window, the latest first."""
    rows = Anomaly.objects.filter(organization=organization, started_at__lt=window.end, ended_at__gt=window.start)
    rows = rows.filter(resource=resource) if resource else rows
    return rows.select_related("resource", "feedback_by").order_by("-started_at", "-surprise")


def shown(organization: Organization, rows: Iterable[Anomaly]) -> list[Shown]:
    """Two queries, one of which is that of the rows."""
    listed = list(rows)
    groups = {row.detail.get("group") for row in listed if row.told}
    numbers = Incident.objects.filter(organization=organization, fingerprint__in=groups)
    incidents = dict(numbers.values_list("fingerprint", "number"))
    return [_shown(row, incidents.get(row.detail.get("group", ""))) for row in listed]


def _shown(row: Anomaly, incident: int | None) -> Shown:
    metric = BY_NAME.get(row.metric)
    if metric is None:
        return Shown(row, row.metric, f"{row.value:g}", f"{row.low:g} to {row.high:g}", incident)
    value, usual = reasons.figure(metric, row.value), reasons.band(metric, row.low, row.high)
    return Shown(row, metric.words, value, usual, incident)


def panels(store: Store, resource: Resource, rows: Sequence[Anomaly], time_range: TimeRange) -> list[Panel]:
    """Charts of the most surprising metrics, with what is usual shaded and what was odd marked."""
    ranked = sorted(rows, key=lambda row: -row.surprise)
    names = list(dict.fromkeys(row.metric for row in ranked if row.metric in BY_NAME))[:SHOWN_CHARTS]
    metrics = [BY_NAME[name] for name in names]
    if not metrics:
        return []
    step = max(time_range.step, STEP)
    window = Window(floor(time_range.start, step), time_range.end)
    courses = bands.courses(store, resource, metrics, window)
    deployed = resource.deployments.select_related("resource")
    marked = marks(deployed.filter(deployed_at__gte=window.start, deployed_at__lt=window.end))
    return [
        Panel(_title(metric), _spec(metric, courses[metric.name], rows, window, step, marked, live=time_range.live))
        for metric in metrics
    ]


def _title(metric: Metric) -> str:
    return metric.words if metric.words.startswith("p95") else metric.words.capitalize()


def _spec(
    metric: Metric,
    course: bands.Course,
    rows: Sequence[Anomaly],
    window: Window,
    step: timedelta,
    marked: Sequence[dict[str, Any]],
    *,
    live: bool,
) -> dict[str, Any]:
    folded = bands.gathered(course, metric, step // STEP)
    kind = "bar" if metric.statistic == "sum" else "line"
    count = len(steps(window, step))
    return {
        "t0": int(window.start.timestamp()),
        "dt": int(step.total_seconds()),
        "fmt": metric.unit,
        "partial": live,
        "series": [{"l": _title(metric), "c": COLORS[metric.unit], "k": kind, "y": folded["y"][:count]}],
        "expected": {"low": folded["low"][:count], "high": folded["high"][:count]},
        "marks": list(marked),
        "bands": [{"a": row.started_at, "b": row.ended_at} for row in rows if row.metric == metric.name],
        "lines": [],
    }
