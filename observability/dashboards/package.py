"""The package of one function: every limit, what fills it, what made it grow, and what that does to cold starts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from observability.aws.archives import sentence as problem_sentence
from observability.dashboards import package_starts
from observability.dashboards.deployments import version_name
from observability.dashboards.kinds import ACCOUNT
from observability.dashboards.package_folders import Map, opened
from observability.dashboards.package_rows import full
from observability.dashboards.package_starts import Starts
from observability.dashboards.packages import tells_of
from observability.dashboards.phrases import span
from observability.inventory import limits, packages
from observability.inventory.limits import Gauge
from observability.inventory.models import Package, Resource
from observability.inventory.packages import Change, Diff
from observability.inventory.waste import BY_KEY
from observability.telemetry.environment import Metric
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.ui.range import TimeRange
from observability.ui.units import megabytes, number, size

HISTORY = 12
SHOWN_CHANGES = 8
SHOWN_DEPENDENCIES = 15
MEASURED = ((Metric.TMP, "Maximum"), (Metric.DESCRIPTORS, "Maximum"), (Metric.THREADS, "Maximum"))
WRITERS = {"bytes": size, "mb": megabytes, "s": span, "count": number}


@dataclass(frozen=True, slots=True)
class Level:
    """A gauge in words: ``200 MB of 250 MB``."""

    gauge: Gauge

    @property
    def used(self) -> str:
        return WRITERS[self.gauge.limit.unit](self.gauge.used)

    @property
    def soft(self) -> bool:
        """Whether nothing breaks there: it only decides how one can deploy."""
        return not self.gauge.limit.hard

    @property
    def allowed(self) -> str:
        return WRITERS[self.gauge.limit.unit](self.gauge.allowed)


@dataclass(frozen=True, slots=True)
class Waste:
    """One category; the words of its advice, each with whether they are code."""

    title: str
    bytes: int
    advice: Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Step:
    """One package of the history. ``delta`` is what it is larger than the one before; None where one is not known."""

    package: Package
    gauge: Gauge | None
    delta: int | None
    starts: Starts | None

    @property
    def name(self) -> str:
        version = self.package.version
        return version_name(version) if version else self.package.digest[:8]


@dataclass(frozen=True, slots=True)
class Grown:
    """What the last deployment changed, what changed most first."""

    diff: Diff
    since: Step

    @property
    def folders(self) -> Sequence[Change]:
        return self.diff.folders[:SHOWN_CHANGES]

    @property
    def dependencies(self) -> Sequence[Change]:
        return self.diff.dependencies[:SHOWN_CHANGES]


def described(resource: Resource, query: QueryDict, time_range: TimeRange, *, now: datetime) -> dict[str, Any]:
    """The context of ``function_package.html``."""
    history = packages.history(organization_id=resource.organization_id, resource_id=resource.pk, most=HISTORY)
    package = history[-1] if history else None
    image = resource.config.get("package_type") == "Image"
    starts = package_starts.measured(get_store(), resource, history, now=now)
    steps = stepped(history, starts, image=image)
    return {
        "package": package,
        "image": image,
        "gauge": full(package, image=image),
        "levels": [Level(gauge) for gauge in gauges(resource, package, time_range)],
        "problem": problem_sentence(package.problem) if package else "",
        "map": mapped(package, query, time_range) if package else None,
        "dependencies": package.dependencies[:SHOWN_DEPENDENCIES] if package else [],
        "waste": waste(package.waste if package else {}),
        "steps": steps[::-1],
        "grown": Grown(packages.diff(history[-2], history[-1]), steps[-2]) if len(history) > 1 else None,
        "forecast": packages.forecast(history),
        "starts_sentence": package_starts.sentence(history, starts),
        "tells": tells_of(resource) if package is None or full(package, image=image) is None else None,
    }


def gauges(resource: Resource, package: Package | None, time_range: TimeRange) -> list[Gauge]:
    """All limits of which something is known; what the extension measured is the maximum of this time."""
    accounts = Resource.objects.filter(organization=resource.organization_id, type=ACCOUNT, account=resource.account)
    allowed = accounts.values_list("config", flat=True).first() or {}
    peak = peaks(resource, time_range)
    return limits.gauges(
        resource.config, package, region=allowed.get(resource.region), tmp_used_bytes=peak.get(Metric.TMP),
        descriptors=peak.get(Metric.DESCRIPTORS), threads=peak.get(Metric.THREADS),
    )  # fmt: skip


def peaks(resource: Resource, time_range: TimeRange) -> dict[str, float]:
    """By metric; only of functions whose extension ever sent something."""
    if resource.pushed_at is None:
        return {}
    found = get_store().measured(
        resource.organization_id, Window(*time_range.window), resource_id=resource.pk,
        metrics=MEASURED, step=time_range.step,
    )  # fmt: skip
    known = {key: [each.value for each in readings if each.value is not None] for key, readings in found.items()}
    return {metric: max(values) for (metric, _), values in known.items() if values}


def mapped(package: Package, query: QueryDict, time_range: TimeRange) -> Map | None:
    def address(path: str) -> str:
        asked = {"tab": "package"} | ({"folder": path} if path else {})
        return f"?{urlencode(asked)}&{time_range.query}#map"

    return opened(folders(package), query.get("folder", ""), whole=packages.total(package), address=address)


def folders(package: Package) -> Iterator[Mapping[str, Any]]:
    """Those of the code, and of its layers, which a zip's directory does not tell of."""
    yield from package.folders
    if package.source == Package.Source.ARCHIVE and package.layers:
        rows = packages.layers(organization_id=package.organization_id, arns=package.layers)
        for layer in rows.values():
            yield from layer.folders


def stepped(history: Sequence[Package], starts: Sequence[Starts | None], *, image: bool) -> list[Step]:
    """The history with its differences, the newest last."""
    steps: list[Step] = []
    before: int | None = None
    for package, measured in zip(history, starts, strict=True):
        size_now = packages.total(package)
        delta = size_now - before if size_now is not None and before is not None else None
        steps.append(Step(package, full(package, image=image), delta, measured))
        before = size_now
    return steps


def waste(found: Mapping[str, int]) -> list[Waste]:
    """What need not be deployed, the most first."""
    told = [
        Waste(BY_KEY[key].title, number, [(words, place % 2 == 1) for place, words in enumerate(parts)])
        for key, number in found.items()
        if number and key in BY_KEY
        for parts in [BY_KEY[key].advice.split("`")]
    ]
    return sorted(told, key=lambda each: -each.bytes)
