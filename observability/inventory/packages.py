"""The history of packages: what each deployment of a function takes, what grew, and when it will not fit any more.

Sizes are bytes. A package has one row, whoever measured it: what the directory of its zip says stands, where it is
complete, and what the extension found inside stands in for it otherwise.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from statistics import median
from typing import Any, Protocol

from django.db import transaction

from observability.inventory import limits
from observability.inventory.contents import Measured, MeasuredLayer, Part
from observability.inventory.limits import Gauge
from observability.inventory.models import Layer, Package

MOST_FOLDERS, MOST_DEPENDENCIES = 100, 300
"""So many of the largest are kept of each package."""

KEPT = 100
"""So many of a function's packages are kept, the newest."""

FEWEST = 3
"""Deployments of which a forecast is made at least."""

LOOK_BACK = 10
"""And at most."""


class Weighed(limits.Sizes, Protocol):
    """What a forecast needs of a package. The model ``Package`` is one."""

    @property
    def source(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Change:
    """A folder or a dependency in two packages; None is not there. Versions are those of dependencies."""

    name: str
    before: int | None
    after: int | None
    was: str = ""
    now: str = ""

    @property
    def delta(self) -> int:
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed between two packages, what changed most first. ``delta`` is None where a size is not known."""

    delta: int | None
    folders: Sequence[Change]
    dependencies: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a package will not fit any more, by its last deployments. ``step`` is bytes by which each makes it larger.

    ``deployments`` is which of the next ones reaches the limit: 1 is the next, 0 that it is reached, None that the
    package does not grow.
    """

    step: float
    deployments: int | None
    based_on: int
    limit: limits.Limit

    @property
    def sentence(self) -> str:
        if self.deployments is None:
            return f"It did not keep growing over its last {self.based_on} deployments."
        if self.deployments == 0:
            return "The limit is reached."
        if self.deployments == 1:
            return "At this rate the next deployment reaches the limit."
        return f"At this rate the limit is reached in about {self.deployments} deployments."


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a package may be deployed. ``unknown`` are layers whose size nobody knows, so that ``fits`` is open."""

    gauges: Sequence[Gauge]
    unknown: Sequence[str] = ()

    @property
    def broken(self) -> list[Gauge]:
        return [gauge for gauge in self.gauges if gauge.limit.hard and gauge.share > 1]

    @property
    def fits(self) -> bool | None:
        """None where it may fit, but a layer's size is not known."""
        if self.broken:
            return False
        return None if self.unknown else True


@transaction.atomic
def record(*, organization_id: int, resource_id: int, measured: Measured, now: datetime) -> Package:
    """Store a measurement once. Safe to repeat; what is known and better stands.

    A package that was replaced and is deployed again moves to the end of the history.
    """
    fresh = _row(organization_id, resource_id, measured, now=now)
    Package.objects.bulk_create([fresh], ignore_conflicts=True)
    known = Package.objects.filter(resource_id=resource_id)
    package = known.select_for_update().get(digest=measured.digest)
    fresh.pk = package.pk
    replaced = known.filter(deployed_at__gt=package.deployed_at, deployed_at__lt=measured.deployed_at).exists()
    fresh.deployed_at = measured.deployed_at if replaced else package.deployed_at
    if not _is_better(package, measured):
        Package.objects.filter(pk=package.pk).update(deployed_at=fresh.deployed_at)
        package.deployed_at = fresh.deployed_at
        return package
    fresh.save()
    older = known.order_by("-deployed_at", "-pk").values_list("pk", flat=True)[KEPT:]
    known.filter(pk__in=list(older)).delete()
    return fresh


def record_layer(*, organization_id: int, measured: MeasuredLayer, now: datetime) -> None:
    """Store what a version of a layer holds; one that could not be read is overwritten by one that could."""
    values = {
        "zipped_bytes": measured.zipped_bytes, "unzipped_bytes": measured.unzipped_bytes, "files": measured.files,
        "folders": _largest(measured.folders, MOST_FOLDERS),
        "dependencies": _largest(measured.dependencies, MOST_DEPENDENCIES),
        "problem": measured.problem, "measured_at": now,
    }  # fmt: skip
    layer, created = Layer.objects.get_or_create(organization_id=organization_id, arn=measured.arn, defaults=values)
    if not created and layer.problem:
        Layer.objects.filter(pk=layer.pk).update(**values)


def history(*, organization_id: int, resource_id: int, most: int = 50) -> list[Package]:
    """The packages of a function, the newest last."""
    rows = Package.objects.filter(organization_id=organization_id, resource_id=resource_id)
    return list(rows.order_by("-deployed_at", "-pk")[:most])[::-1]


def latest(*, organization_id: int, resource_ids: Collection[int] | None = None) -> dict[int, Package]:
    """The package that each function runs now, as far as it is known; of all functions where none are named."""
    rows = Package.objects.filter(organization_id=organization_id)
    if resource_ids is not None:
        rows = rows.filter(resource_id__in=resource_ids)
    newest = rows.order_by("resource_id", "-deployed_at", "-pk").distinct("resource_id")
    return {package.resource_id: package for package in newest}


def layers(*, organization_id: int, arns: Collection[str]) -> dict[str, Layer]:
    """What is known of these versions of layers."""
    return {row.arn: row for row in Layer.objects.filter(organization_id=organization_id, arn__in=arns)}


def total(package: limits.Sizes) -> int | None:
    """What counts against the limit: of an image what the registry holds, else code and layers, unzipped."""
    if package.image_bytes is not None:
        return package.image_bytes
    return None if package.code_bytes is None else package.code_bytes + (package.layers_bytes or 0)


def diff(before: Package, after: Package) -> Diff:
    """What grew and what shrank, by folder and by dependency.

    Who measures from inside sees other folders than who reads the zip, and no dependencies: between two that were
    measured differently, only folders that both tell of are compared. Of many parts only the largest are told: one that
    is small enough to be missing for that is neither new nor gone.
    """
    sizes = total(before), total(after)
    delta = None if sizes[0] is None or sizes[1] is None else sizes[1] - sizes[0]
    untold = [_untold(each.folders, MOST_FOLDERS, whole=_told_of(each)) for each in (before, after)]
    folders = _changes(before.folders, after.folders, _path, untold)
    if before.source != after.source:
        return Diff(delta, [each for each in folders if each.before is not None and each.after is not None], [])
    untold = [_untold(each.dependencies, MOST_DEPENDENCIES) for each in (before, after)]
    return Diff(delta, folders, _changes(before.dependencies, after.dependencies, _name, untold))


def forecast(packages: Sequence[Weighed]) -> Forecast | None:
    """By how the last deployments that are known in full grew; None where they are too few to say.

    Nothing is said of images either: their limit is of what they take uncompressed, which nobody tells.

    The step is the median of the slopes between all pairs, which one large change does not move much: Theil-Sen,
    https://doi.org/10.1080/01621459.1968.10480934.
    """
    if not packages or packages[-1].source == Package.Source.IMAGE:
        return None
    known = [each for each in packages if each.complete and each.source != Package.Source.IMAGE]
    sizes = [size for each in known if (size := total(each)) is not None][-LOOK_BACK:]
    if len(sizes) < FEWEST:
        return None
    step = median((sizes[j] - sizes[i]) / (j - i) for i, j in combinations(range(len(sizes)), 2))
    limit, left = limits.UNZIPPED, limits.UNZIPPED.value - sizes[-1]
    if left <= 0:
        return Forecast(step, 0, len(sizes), limit)
    return Forecast(step, math.ceil(left / step) if step > 0 else None, len(sizes), limit)


def fits(*, zipped_bytes: int | None, unzipped_bytes: int, layer_bytes: Mapping[str, int | None]) -> Fit:
    """Whether code of so many bytes may be deployed with these layers, each with its unzipped bytes by ARN."""
    unknown = sorted(arn for arn, size in layer_bytes.items() if size is None)
    used = unzipped_bytes + sum(size or 0 for size in layer_bytes.values())
    gauges = [
        Gauge(limits.UNZIPPED, used, limits.UNZIPPED.value, exact=not unknown),
        Gauge(limits.LAYERS, len(layer_bytes), limits.LAYERS.value),
    ]
    if zipped_bytes is not None:
        gauges.append(Gauge(limits.DIRECT_UPLOAD, zipped_bytes, limits.DIRECT_UPLOAD.value))
    return Fit(gauges, unknown)


def _row(organization_id: int, resource_id: int, measured: Measured, *, now: datetime) -> Package:
    return Package(
        organization_id=organization_id, resource_id=resource_id, digest=measured.digest, version=measured.version[:64],
        source=measured.source, zipped_bytes=measured.zipped_bytes, code_bytes=measured.code_bytes,
        layers_bytes=measured.layers_bytes, image_bytes=measured.image_bytes, files=measured.files,
        complete=measured.complete, folders=_largest(measured.folders, MOST_FOLDERS),
        dependencies=_largest(measured.dependencies, MOST_DEPENDENCIES), waste=dict(measured.waste),
        layers=list(measured.layers), problem=measured.problem, deployed_at=measured.deployed_at, measured_at=now,
    )  # fmt: skip


def is_news(known: Package, found: Measured) -> bool:
    """Whether a measurement says more than the known one, or something else that is as good."""
    same = (known.source, total(known), known.complete) == (found.source, total(found), found.complete)
    return _rank(found) >= _rank(known) and not same


def _is_better(known: Package, found: Measured) -> bool:
    """Whether a measurement says more than the known one, or the same anew."""
    return _rank(found) >= _rank(known)


def _rank(package: Package | Measured) -> tuple[bool, bool, int]:
    """Known before unknown, complete before cut short, and then the archive."""
    size = total(package)
    return size is not None, package.complete and package.layers_bytes is not None, _SOURCES.index(package.source)


_SOURCES: Sequence[str] = (Package.Source.EXTENSION, Package.Source.ARCHIVE, Package.Source.IMAGE)


def _largest(parts: Iterable[Part], most: int) -> list[dict[str, Any]]:
    return [dict(part) for part in sorted(parts, key=lambda part: -int(part["bytes"]))[:most]]


def _path(part: Part) -> str:
    return str(part["path"])


def _name(part: Part) -> str:
    return str(part["name"])


def _told_of(package: Package) -> int | None:
    """What its folders add up to when all are told: the extension tells those of layers as well."""
    if package.code_bytes is None:
        return None
    return package.code_bytes + ((package.layers_bytes or 0) if package.source == Package.Source.EXTENSION else 0)


def _untold(parts: Sequence[Part], most: int, whole: int | None = None) -> int:
    """How large a part may be that is not told, where only the largest are; 0 where these are all."""
    sizes = [int(part["bytes"]) for part in parts]
    left = 0 if whole is None else whole - sum(sizes)
    if left > 0:
        return min([left, *sizes])
    return min(sizes) if len(sizes) >= most and whole is None else 0


def _changes(before: Iterable[Part], after: Iterable[Part], key: Any, untold: Sequence[int]) -> list[Change]:
    old, new = {key(part): part for part in before}, {key(part): part for part in after}
    found = [
        Change(name, _bytes(old.get(name)), _bytes(new.get(name)), _version(old.get(name)), _version(new.get(name)))
        for name in {*old, *new}
    ]
    changed = [change for change in found if (change.delta or change.was != change.now) and _is_told(change, *untold)]
    return sorted(changed, key=lambda change: (-abs(change.delta), change.name))


def _is_told(change: Change, before: int, after: int) -> bool:
    """Whether a part that one of both does not tell of would be told, were it there."""
    if change.before is None:
        return (change.after or 0) > before
    return change.after is not None or change.before > after


def _bytes(part: Part | None) -> int | None:
    return None if part is None else int(part["bytes"])


def _version(part: Part | None) -> str:
    return "" if part is None else str(part.get("version") or "")
