"""What the extension measured in a function's environments: charts of them, and what being watched costs.

All of it comes with one query, and none where no extension ever sent anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from observability.dashboards.charts import Panel
from observability.dashboards.measured import Chart, Line, drawn
from observability.inventory.limits import UNZIPPED
from observability.inventory.models import Resource
from observability.telemetry.environment import Metric
from observability.telemetry.pricing import price, time_usd
from observability.telemetry.records import Reading, Rollup, Window
from observability.telemetry.store import get_store
from observability.ui.range import TimeRange

HOUR, MONTH = timedelta(hours=1), timedelta(days=30)
MEGABYTE = 1 / (1 << 20)
SHOWN_FOLDERS = 5
NIGHTJAR = "nightjar"

CHARTS = (
    Chart("Memory high-water mark", (Line("Memory", Metric.MEMORY, "c4", "Maximum", "line"),), "mb"),
    Chart("Used in /tmp", (Line("Used", Metric.TMP, "c3", "Maximum", "area"),), "mb", quiet=True, scale=MEGABYTE),
    Chart(
        "File descriptors and threads",
        (
            Line("Descriptors", Metric.DESCRIPTORS, "c2", "Maximum", "line"),
            Line("Threads", Metric.THREADS, "c5", "Maximum", "line"),
        ),
    ),
    Chart("Processor time", (Line("Processor time", Metric.CPU, "c1"),), "ms"),
    Chart(
        "Network",
        (Line("Received", Metric.RECEIVED, "c2"), Line("Sent", Metric.SENT, "c6")),
        "mb",
        scale=MEGABYTE,
    ),
    Chart(
        "Response",
        (
            Line("First byte", Metric.RESPONSE_LATENCY, "c1", "Average", "line"),
            Line("Sending", Metric.RESPONSE_DURATION, "c3", "Average", "line"),
            Line("Extensions", Metric.OVERHEAD, "c5", "Average", "line"),
        ),
        "ms",
    ),
)
COSTS = (
    (Metric.INVOCATIONS, "Sum"),
    (Metric.HELD, "Sum"),
    (Metric.OWN_CPU, "Sum"),
    (Metric.OWN_MEMORY, "Maximum"),
    (Metric.OWN_INIT, "Average"),
    (Metric.OVERHEAD, "Average"),
    (Metric.DROPPED, "Sum"),
)
ASKED = sorted({*COSTS, *((line.metric, line.statistic) for chart in CHARTS for line in chart.lines)})

Readings = Mapping[tuple[str, str], Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class Tax:
    """What being watched costs a function, in the chosen time; None is not known."""

    init_ms: float | None
    held_ms: float | None
    """Per invocation, as are the processor time and what all extensions together take."""
    cpu_ms: float | None
    overhead_ms: float | None
    memory_bytes: float | None
    dropped: float | None
    usd: float | None
    """A month at the pace of this time, at list price."""
    memory_mb: int
    """The memory that the price is for."""
    known_price: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A layer or a folder, and its size."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Package:
    """What has to be unpacked: measured from inside, where it was."""

    code_bytes: int
    layers_bytes: int
    complete: bool
    folders: Sequence[Part]

    @property
    def bytes(self) -> int:
        return self.code_bytes + self.layers_bytes

    @property
    def share(self) -> float:
        return min(1.0, self.bytes / UNZIPPED.value)


def described(
    resource: Resource, total: Rollup, time_range: TimeRange, marked: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The context of ``environment.html``, and charts."""
    if resource.pushed_at is None:
        return {"environment_panels": []}
    window = Window(*time_range.window)
    found = get_store().measured(
        resource.organization_id, window, resource_id=resource.pk, metrics=ASKED, step=time_range.step
    )
    return {
        "environment_panels": panels(found, time_range, marked),
        "tax": tax(resource, total, found, window),
        "package": package(resource.config),
        "layers": layers(resource.config),
        "others": sorted(set(resource.config.get("extensions", ())) - {NIGHTJAR}),
    }


def panels(found: Readings, time_range: TimeRange, marked: Sequence[dict[str, Any]]) -> list[Panel]:
    readings = {line: found.get((line.metric, line.statistic), ()) for chart in CHARTS for line in chart.lines}
    return drawn(CHARTS, readings, time_range, marked)


def tax(resource: Resource, total: Rollup, found: Readings, window: Window) -> Tax | None:
    """None where nothing of it was measured. Sums that are zero are not stored, so they are when others are."""
    known = {key: [each.value for each in readings if each.value is not None] for key, readings in found.items()}
    if not any(known.get(key) for key in COSTS):
        return None
    counted = sum(known.get((Metric.INVOCATIONS, "Sum"), ()))
    held = _per(sum(known.get((Metric.HELD, "Sum"), ())), counted)
    init = _mean(known.get((Metric.OWN_INIT, "Average"), ()))
    memory_mb = int(resource.config.get("memory_mb") or total.memory_mb)
    rate = price(resource.region, resource.config.get("architecture") or "x86_64")
    billed_ms = (held or 0) * max(total.invocations, counted) + (init or 0) * total.cold_starts
    watched = max(window.end - max(window.start, resource.first_seen_at), HOUR)
    return Tax(
        init_ms=init,
        held_ms=held,
        cpu_ms=_per(sum(known.get((Metric.OWN_CPU, "Sum"), ())), counted),
        overhead_ms=_mean(known.get((Metric.OVERHEAD, "Average"), ())),
        memory_bytes=max(known.get((Metric.OWN_MEMORY, "Maximum"), ()), default=None),
        dropped=sum(known.get((Metric.DROPPED, "Sum"), ())) if counted else None,
        usd=time_usd(rate, billed_ms=billed_ms, memory_mb=memory_mb) * (MONTH / watched)
        if memory_mb and counted
        else None,
        memory_mb=memory_mb,
        known_price=rate.known,
    )


def _per(value: float, counted: float) -> float | None:
    return value / counted if counted else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def package(config: Mapping[str, Any]) -> Package | None:
    """The unzipped package; of its folders those of layers, the largest. Images have other limits, and no layers."""
    found = config.get("unzipped")
    if not found or config.get("package_type") == "Image":
        return None
    parts = [Part(each["path"], each["bytes"]) for each in found["folders"] if each["path"].startswith("/opt")]
    return Package(found["code_bytes"], found["layers_bytes"], found["complete"], parts[:SHOWN_FOLDERS])


def layers(config: Mapping[str, Any]) -> Iterable[Part]:
    """Each layer with the size that AWS tells: of its zip."""
    listed = [each for each in config.get("layers", ()) if isinstance(each, Mapping)]
    parts = [
        Part(each["arn"].partition(":layer:")[2].replace(":", ", version "), each["code_bytes"]) for each in listed
    ]
    return sorted(parts, key=lambda part: -part.bytes)
