"""The data of each chart, as ``<nj-chart>`` takes it (frontend/README.md)."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from observability.dashboards.deployments import version_name
from observability.dashboards.figures import Reading, error_rate
from observability.inventory.models import Deployment
from observability.telemetry.records import Bucket, Rollup
from observability.telemetry.sketch import quantile
from observability.ui.range import TimeRange


@dataclass(frozen=True, slots=True)
class Line:
    """One series: ``kind`` is bar, line or area; ``colour`` is a token of the theme."""

    label: str
    colour: str
    kind: str
    read: Reading


def marks(deployments: Iterable[Deployment], bad: Container[int] = ()) -> list[dict[str, Any]]:
    """Deployments as marks on the time axis; ``bad`` holds the ids of those that made things worse."""
    return [
        {
            "t": int(deployment.deployed_at.timestamp()),
            "label": version_name(deployment.version),
            "text": deployment.resource.name,
            "bad": deployment.pk in bad,
        }
        for deployment in deployments
    ]


def chart(
    buckets: Sequence[Bucket],
    time_range: TimeRange,
    unit: str,
    lines: Sequence[Line],
    *,
    newest: datetime | None,
    marked: Sequence[dict[str, Any]] = (),
    limit: tuple[float, str] | None = None,
) -> dict[str, Any]:
    """The specification of one chart.

    A bucket without a value leaves a gap, and so does one that begins after ``newest``, when the newest stored event
    of the organization happened: nobody has measured that 0.
    """
    known = [bucket.rollup if newest and bucket.start <= newest else None for bucket in buckets]
    return {
        "t0": int(buckets[0].start.timestamp()) if buckets else 0,
        "dt": int(time_range.step.total_seconds()),
        "fmt": unit,
        "partial": time_range.live,
        "series": [
            {"l": line.label, "c": line.colour, "k": line.kind, "y": [_value(line.read, rollup) for rollup in known]}
            for line in lines
        ],
        "marks": list(marked),
        "lines": [{"y": limit[0], "l": limit[1]}] if limit else [],
    }


def _value(read: Reading, rollup: Rollup | None) -> float | None:
    value = None if rollup is None else read(rollup)
    return None if value is None else round(value, 6)


INVOCATIONS = (Line("Invocations", "c1", "bar", lambda r: r.invocations),)
ERRORS = (Line("Errors", "err", "bar", lambda r: r.errors),)
OUTCOMES = (*INVOCATIONS, Line("Failed", "err", "bar", lambda r: r.errors))
DURATIONS = (
    Line("p50", "c2", "line", lambda r: quantile(r.durations, 0.5)),
    Line("p95", "c3", "line", lambda r: quantile(r.durations, 0.95)),
    Line("p99", "c4", "line", lambda r: quantile(r.durations, 0.99)),
)
ERROR_RATE = (Line("Error rate", "err", "area", lambda r: _percent(error_rate(r))),)
MEMORY = (Line("Max used", "c5", "area", lambda r: r.max_memory_mb or None),)
COLD_STARTS = (Line("Cold starts", "c6", "bar", lambda r: r.cold_starts),)
COST = (Line("Cost", "ok", "bar", lambda r: r.cost_usd),)


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def _timed_out(buckets: Sequence[Bucket]) -> bool:
    """Only then is the timeout worth a line: elsewhere it would flatten the chart."""
    return any(bucket.rollup.timeouts for bucket in buckets)


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled chart on a page."""

    title: str
    spec: dict[str, Any]


def function_panels(
    buckets: Sequence[Bucket],
    time_range: TimeRange,
    marked: Sequence[dict[str, Any]],
    config: dict[str, Any],
    newest: datetime | None,
) -> list[Panel]:
    """The six charts of a function's page, with its limits drawn in."""
    timeout_s, memory_mb = config.get("timeout_s"), config.get("memory_mb")
    ceiling = (timeout_s * 1000, f"timeout {timeout_s:g} s") if timeout_s and _timed_out(buckets) else None
    wanted: tuple[tuple[str, str, Sequence[Line], tuple[float, str] | None], ...] = (
        ("Invocations", "count", OUTCOMES, None),
        ("Duration", "ms", DURATIONS, ceiling),
        ("Error rate", "pct", ERROR_RATE, None),
        ("Memory used", "mb", MEMORY, (memory_mb, f"configured {memory_mb} MB") if memory_mb else None),
        ("Cold starts", "count", COLD_STARTS, None),
        ("Cost", "usd", COST, None),
    )
    return [
        Panel(title, chart(buckets, time_range, unit, lines, newest=newest, marked=marked, limit=limit))
        for title, unit, lines, limit in wanted
    ]
