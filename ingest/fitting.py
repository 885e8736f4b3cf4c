"""Would this package fit? What CI asks before it deploys: sizes in, an answer with its reasons out. Stores nothing.

Layers count by what is known of them here, or by what the caller says; one that nobody knows leaves the answer open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from ingest.payload import without_nul
from ingest.refusal import Code, RefusedError
from observability.inventory import limits, packages
from observability.inventory.contents import OPT
from observability.inventory.limits import Gauge
from observability.inventory.models import Layer, Package, Resource
from observability.inventory.packages import Change, Fit
from observability.ui.units import size

MOST_PARTS, MOST_LAYERS = 500, 50
MOST_CHANGES = 20
MOST_BYTES = 1 << 50
MOST_FILES = 1 << 31
UNLISTED = "all layers"
"""Stands in for an ARN where nobody knows which layers a function has."""

Bytes = Annotated[int, Meta(ge=0, le=MOST_BYTES)]
Name = Annotated[str, Meta(max_length=512)]


class Folder(Struct, frozen=True):
    """As the companion extension tells them: ``/var/task/node_modules/sharp``, at most two deep."""

    path: Name
    bytes: Bytes


class Dependency(Struct, frozen=True):
    name: Name
    bytes: Bytes
    version: Name = ""


class Candidate(Struct, frozen=True):
    """A package that is about to be deployed. ``layers`` left out are those that the function has now, and besides
    those of ``layer_bytes``.
    """

    function: Name = ""
    """Its name, or its ARN where several have that name; empty, or unknown here, for a new one."""
    package_type: Literal["Zip", "Image"] = "Zip"
    zipped_bytes: Bytes | None = None
    unzipped_bytes: Bytes | None = None
    """Of the code alone."""
    image_bytes: Bytes | None = None
    files: Annotated[int, Meta(ge=0, le=MOST_FILES)] | None = None
    layers: Annotated[list[Name], Meta(max_length=MOST_LAYERS)] | None = None
    layer_bytes: Annotated[dict[Name, Bytes], Meta(max_length=MOST_LAYERS)] = {}
    """Unzipped, by ARN, for layers that Nightjar does not know."""
    folders: Annotated[list[Folder], Meta(max_length=MOST_PARTS)] = []
    dependencies: Annotated[list[Dependency], Meta(max_length=MOST_PARTS)] = []


class LayerSize(Struct, frozen=True):
    """``source`` is measured, given, together (as one sum, from inside the function) or unknown, which says why."""

    arn: str
    bytes: int | None
    source: str
    why: str = ""


class LimitUse(Struct, frozen=True):
    """How much of one limit is used. ``hard`` ones stop the deployment."""

    key: str
    label: str
    used: int
    allowed: int
    share: float
    hard: bool
    beyond: str


class Changed(Struct, frozen=True):
    """A folder or a dependency that changed; null is not there."""

    name: str
    before: int | None
    after: int | None
    delta: int


class Grown(Struct, frozen=True):
    """What is different from the package that is deployed now. ``delta`` is of code, or of the image."""

    version: str
    deployed_at: datetime
    delta: int | None
    folders: Sequence[Changed]
    dependencies: Sequence[Changed]


class FitAnswer(Struct, frozen=True):
    """``fits`` is null where nobody can tell. ``summary`` says it in words, ``notes`` what one should know besides."""

    fits: bool | None
    summary: str
    share: float
    used: int
    allowed: int
    code_bytes: int
    layers_bytes: int
    """Of all layers whose size is known."""
    layers: Sequence[LayerSize]
    limits: Sequence[LimitUse]
    largest: Sequence[Folder]
    grown: Grown | None
    notes: Sequence[str]


decoder = msgspec.json.Decoder(Candidate)


@dataclass(frozen=True, slots=True)
class Known:
    """What Nightjar knows of the function: None of a new one."""

    resource: Resource | None
    package: Package | None


def candidate(body: bytes) -> Candidate:
    """The body as a question. Raises ``RefusedError``."""
    try:
        asked = decoder.decode(without_nul(body))
    except (msgspec.ValidationError, RecursionError) as error:
        raise RefusedError(Code.INVALID_PACKAGE, f"The package cannot be judged: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RefusedError(Code.INVALID_JSON, "The body is not JSON.") from None
    needed = "image_bytes" if asked.package_type == "Image" else "unzipped_bytes"
    if getattr(asked, needed) is None:
        raise RefusedError(Code.INVALID_PACKAGE, f"A package of type {asked.package_type} needs {needed}.")
    return asked


def judge(asked: Candidate, *, organization_id: int) -> FitAnswer:
    """Judge a package against every limit that it may break. Raises ``RefusedError`` for an ambiguous name."""
    known = _known(asked, organization_id)
    if asked.package_type == "Image":
        return _image(asked, known)
    sizes = _layers(asked, known, organization_id)
    fit = packages.fits(
        zipped_bytes=asked.zipped_bytes, unzipped_bytes=asked.unzipped_bytes or 0,
        layer_bytes={layer.arn: layer.bytes for layer in sizes},
    )  # fmt: skip
    return _answer(asked, known, fit, sizes)


def _image(asked: Candidate, known: Known) -> FitAnswer:
    gauge = Gauge(limits.IMAGE, asked.image_bytes or 0, limits.IMAGE.value)
    return _answer(asked, known, Fit([gauge]), [])


def _known(asked: Candidate, organization_id: int) -> Known:
    """By its ARN, with or without a version, or by its name where only one has it."""
    if not asked.function:
        return Known(None, None)
    there = Resource.objects.filter(organization=organization_id, type="lambda_function", gone_at=None)
    if asked.function.startswith("arn:"):
        found = list(there.filter(arn=":".join(asked.function.split(":")[:7])))
    else:
        found = list(there.filter(name=asked.function)[:2])
    if len(found) > 1:
        raise RefusedError(
            Code.AMBIGUOUS_FUNCTION, f"Several functions are called {asked.function}. Send the ARN of the one you mean."
        )
    if not found:
        return Known(None, None)
    latest = packages.latest(organization_id=organization_id, resource_ids=[found[0].pk])
    return Known(found[0], latest.get(found[0].pk))


def _layers(asked: Candidate, known: Known, organization_id: int) -> list[LayerSize]:
    """Those of the question, each once; else those that the function has now, and besides those that it tells of."""
    now = _carried(known) if asked.layers is None else asked.layers
    more = asked.layer_bytes if asked.layers is None else ()
    arns = list(dict.fromkeys([*(now or ()), *more]))
    rows = packages.layers(organization_id=organization_id, arns=arns)
    sizes = [_layer(arn, asked, rows) for arn in arns]
    return _together(sizes, now, known.package) if asked.layers is None else sizes


def _carried(known: Known) -> list[str] | None:
    """What the function has now; None of one that AWS has not listed, whose layers nobody can name."""
    if known.resource is None:
        return []
    told = known.resource.config.get("layers")
    return None if told is None else [each if isinstance(each, str) else str(each["arn"]) for each in told]


def _together(sizes: list[LayerSize], now: Sequence[str] | None, package: Package | None) -> list[LayerSize]:
    """Where layers are not known, but all of them were measured at once, that sum stands at the first one."""
    total = package.layers_bytes if package and package.complete else None
    if now is None:
        why = "" if total is not None else "Nobody knows which layers it has. Name them in layers, or send [] for none."
        return [LayerSize(UNLISTED, total, "unknown" if why else "together", why), *sizes] if total != 0 else sizes
    open_ = any(layer.bytes is None for layer in sizes)
    if not open_ or total is None or package is None or package.source != Package.Source.EXTENSION:
        return sizes
    return [
        LayerSize(layer.arn, 0 if place else total, "together") if layer.arn in now else layer
        for place, layer in enumerate(sizes)
    ]


def _layer(arn: str, asked: Candidate, rows: Mapping[str, Layer]) -> LayerSize:
    if arn in asked.layer_bytes:
        return LayerSize(arn, asked.layer_bytes[arn], "given")
    row = rows.get(arn)
    if row is not None and row.unzipped_bytes is not None and not row.problem:
        return LayerSize(arn, row.unzipped_bytes, "measured")
    return LayerSize(arn, None, "unknown", _why(arn, row))


def _why(arn: str, row: Layer | None) -> str:
    if not arn.startswith("arn:") or not arn.rpartition(":")[2].isdecimal():
        return "It is not the ARN of a version of a layer."
    if row is not None:
        return f"Its zip could not be read ({row.problem})." if row.problem else "Its size is not known."
    return "No function that is watched here carries it. Send its unzipped size in layer_bytes."


def _answer(asked: Candidate, known: Known, fit: Fit, sizes: Sequence[LayerSize]) -> FitAnswer:
    main = fit.gauges[0]
    return FitAnswer(
        fits=fit.fits,
        summary=_summary(fit, main),
        share=round(main.share, 4),
        used=int(main.used),
        allowed=int(main.allowed),
        code_bytes=(asked.image_bytes if asked.package_type == "Image" else asked.unzipped_bytes) or 0,
        layers_bytes=sum(layer.bytes or 0 for layer in sizes),
        layers=sizes,
        limits=[_limit(gauge) for gauge in fit.gauges],
        largest=sorted(asked.folders, key=lambda folder: -folder.bytes)[:MOST_CHANGES],
        grown=_grown(asked, known.package) if known.package else None,
        notes=list(_notes(asked, known, fit)),
    )


def _limit(gauge: Gauge) -> LimitUse:
    limit = gauge.limit
    return LimitUse(
        limit.key, limit.label, int(gauge.used), int(gauge.allowed), round(gauge.share, 4), limit.hard, limit.beyond
    )


def _summary(fit: Fit, main: Gauge) -> str:
    told = f"{size(main.used)} of {size(main.allowed)}, {_percent(main)}"
    broken = fit.broken
    if main in broken:
        return f"It does not fit: {told}. That is {size(main.used - main.allowed)} too much."
    if broken:
        return f"It does not fit: {broken[0].limit.label.lower()} {broken[0].used:g} of {broken[0].allowed:g}."
    if fit.unknown:
        number = len(fit.unknown)
        which = "a layer" if number == 1 else f"{number} layers"
        return f"Nobody can tell: {told} without {which} of unknown size, {size(main.left)} are left."
    return f"It fits: {told}."


def _percent(gauge: Gauge) -> str:
    """Never rounded over the border: 99.96 % still fits."""
    tenths = gauge.share * 1000
    return f"{(floor(tenths) if gauge.share <= 1 else ceil(tenths)) / 10:.1f} %"


def _notes(asked: Candidate, known: Known, fit: Fit) -> list[str]:
    notes = []
    if asked.function and known.resource is None:
        notes.append("This function is not known here: it was taken for a new one.")
        if asked.layers is None and not asked.layer_bytes:
            notes.append("No layers were counted. Name them if it will have some.")
    notes += [f"{gauge.limit.label}: {gauge.limit.beyond}" for gauge in fit.gauges if _is_beyond(gauge)]
    return notes


def _is_beyond(gauge: Gauge) -> bool:
    return not gauge.limit.hard and gauge.share > 1


def _grown(asked: Candidate, deployed: Package) -> Grown | None:
    """None where the deployed package is of the other kind, or nothing is known of it."""
    image = asked.package_type == "Image"
    before, after = (deployed.image_bytes, asked.image_bytes) if image else (deployed.code_bytes, asked.unzipped_bytes)
    if before is None or after is None:
        return None
    found = packages.diff(_code_of(deployed), _package(asked))
    return Grown(
        deployed.version,
        deployed.deployed_at,
        after - before,
        _parts(found.folders if asked.folders else ()),
        _parts(found.dependencies if asked.dependencies else ()),
    )


def _code_of(deployed: Package) -> Package:
    """The deployed package without its layers, which the question tells nothing of."""
    folders = [folder for folder in deployed.folders if not str(folder["path"]).startswith(OPT)]
    return Package(
        source=deployed.source, code_bytes=deployed.code_bytes, folders=folders, dependencies=deployed.dependencies
    )  # fmt: skip


def _package(asked: Candidate) -> Package:
    folders: list[Any] = msgspec.to_builtins(asked.folders)
    source = Package.Source.IMAGE if asked.package_type == "Image" else Package.Source.ARCHIVE
    dependencies: list[Any] = msgspec.to_builtins(asked.dependencies)
    return Package(source=source, code_bytes=asked.unzipped_bytes, folders=folders, dependencies=dependencies)


def _parts(changes: Sequence[Change]) -> list[Changed]:
    return [Changed(change.name, change.before, change.after, change.delta) for change in changes[:MOST_CHANGES]]
