"""Functions by how full their packages are: a row for each, whether its size is known or not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from observability.dashboards.kinds import FUNCTION
from observability.inventory import limits, packages
from observability.inventory.limits import Gauge, Sizes
from observability.inventory.models import Package, Resource
from observability.inventory.packages import Forecast

HISTORY = packages.LOOK_BACK
"""So many packages of each function tell how it grew."""

ZIPPED = "zipped"
SOURCES = {
    "archive": "Zip's directory",
    "extension": "Extension",
    "image": "Registry",
    ZIPPED: "Zipped size only",
}
"""Where the figure comes from, as people choose it."""


class Past(NamedTuple):
    """What a row needs of a package; a hundred thousand of the models themselves take three times as long to read."""

    zipped_bytes: int | None
    code_bytes: int | None
    layers_bytes: int | None
    image_bytes: int | None
    complete: bool
    source: str
    problem: str
    deployed_at: datetime


class Function(NamedTuple):
    """What a row needs of a resource; whole configs of a thousand cost more than all else."""

    id: int
    name: str
    region: str
    package_type: str | None
    zipped_bytes: int | None
    layers: Sequence[Mapping[str, Any] | str] | None


@dataclass(frozen=True, slots=True)
class Row:
    """One function. ``gauge`` is None where nobody knows how large its package is once it is unpacked."""

    id: int
    name: str
    region: str
    image: bool
    zipped_bytes: int | None
    code_bytes: int | None
    layers_bytes: int | None
    layers: Sequence[str]
    gauge: Gauge | None
    source: str
    problem: str
    deployed_at: datetime | None
    sizes: Sequence[int]
    """Of its last packages, the newest last."""
    forecast: Forecast | None

    @property
    def share(self) -> float | None:
        return self.gauge.share if self.gauge else None

    @property
    def growth(self) -> int | None:
        """Bytes that the last deployment added."""
        return self.sizes[-1] - self.sizes[-2] if len(self.sizes) > 1 else None

    @property
    def source_label(self) -> str:
        return SOURCES[self.source]

    @property
    def left(self) -> int | None:
        """After how many deployments the limit is reached; None where that is not foreseen."""
        return self.forecast.deployments if self.forecast else None


SORTS = {
    "full": ("Fullest", lambda row: (row.share is not None, row.share or 0)),
    "soonest": ("Soonest at the limit", lambda row: (row.left is not None, -(row.left or 0), row.share or 0)),
    "growth": ("Grew most", lambda row: row.growth or 0),
    "size": ("Largest", lambda row: row.gauge.used if row.gauge else 0),
    "zipped": ("Largest zip", lambda row: row.zipped_bytes or 0),
}


def functions(resources: QuerySet[Resource]) -> list[Function]:
    """Those of the resources that are functions, and still there."""
    found = resources.filter(type=FUNCTION, gone_at=None)
    keys = ("config__package_type", "config__code_bytes", "config__layers")
    return [Function(*values) for values in found.values_list("pk", "name", "region", *keys)]


def histories(organization_id: int) -> dict[int, list[Past]]:
    """The last packages of every function, the newest last, without what fills them."""
    number = Window(RowNumber(), partition_by=F("resource_id"), order_by=[F("deployed_at").desc(), F("pk").desc()])
    found = Package.objects.filter(organization_id=organization_id).annotate(number=number).filter(number__lte=HISTORY)
    history: dict[int, list[Past]] = {}
    for resource_id, *sizes in found.order_by("deployed_at", "pk").values_list("resource_id", *Past._fields):
        history.setdefault(resource_id, []).append(Past(*sizes))
    return history


def row(function: Function, history: Sequence[Past]) -> Row:
    package = history[-1] if history else None
    image = function.package_type == "Image"
    gauge = full(package, image=image)
    sizes = [size for each in history if (size := packages.total(each)) is not None]
    return Row(
        id=function.id,
        name=function.name,
        region=function.region,
        image=image,
        zipped_bytes=function.zipped_bytes or (package.zipped_bytes if package else None),
        code_bytes=package.code_bytes if package else None,
        layers_bytes=package.layers_bytes if package else None,
        layers=[arn(each) for each in function.layers or ()],
        gauge=gauge,
        source=package.source if package and gauge else ZIPPED,
        problem=package.problem if package else "",
        deployed_at=package.deployed_at if package else None,
        sizes=sizes,
        forecast=packages.forecast(history),
    )


def full(package: Sizes | None, *, image: bool) -> Gauge | None:
    """How much of the limit that its next deployment may break a package takes. Images are never unzipped."""
    if package is None:
        return None
    if not image:
        return limits.unzipped(package)
    used = package.image_bytes
    return None if used is None else Gauge(limits.IMAGE, used, limits.IMAGE.value, exact=False)


def arn(layer: Mapping[str, Any] | str) -> str:
    return layer if isinstance(layer, str) else str(layer["arn"])


def rows(found: Iterable[Function], history: Mapping[int, Sequence[Past]]) -> list[Row]:
    return [row(function, history.get(function.id, ())) for function in found]


def ordered(table: Iterable[Row], sort: str) -> list[Row]:
    """Largest first by the named column, or by name."""
    by_name = sorted(table, key=lambda row: row.name)
    return sorted(by_name, key=SORTS[sort][1], reverse=True) if sort in SORTS else by_name
