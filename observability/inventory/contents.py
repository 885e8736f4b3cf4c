"""A package's facts as plain data: what a listing of files tells of folders, dependencies and waste, and measurements.

``packages`` stores them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from observability.inventory import dependencies, waste
from observability.inventory.dependencies import File

TASK, OPT = "/var/task", "/opt"
"""Where Lambda unpacks code and layers."""

DEPTH = 2
"""Folders are told this deep, as the companion extension tells them."""


Part = Mapping[str, Any]
"""A folder or a dependency, as JSON."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement of one package; None is not known."""

    digest: str
    source: str
    deployed_at: datetime
    version: str = ""
    zipped_bytes: int | None = None
    code_bytes: int | None = None
    layers_bytes: int | None = None
    image_bytes: int | None = None
    files: int | None = None
    complete: bool = True
    folders: Sequence[Part] = ()
    dependencies: Sequence[Part] = ()
    waste: Mapping[str, int] = field(default_factory=dict)
    layers: Sequence[str] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MeasuredLayer:
    """What one version of a layer holds."""

    arn: str
    zipped_bytes: int | None = None
    unzipped_bytes: int | None = None
    files: int | None = None
    folders: Sequence[Part] = ()
    dependencies: Sequence[Part] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a listing holds. ``folders`` and ``dependencies`` are JSON, the largest first."""

    bytes: int
    files: int
    folders: list[dict[str, Any]]
    dependencies: list[dict[str, Any]]
    waste: dict[str, int]


def digest(code_sha256: str, layers: Iterable[str]) -> str:
    """What makes two packages the same: the code, and the layers in their order."""
    return hashlib.sha256("\0".join([code_sha256, *layers]).encode()).hexdigest()


def describe(
    files: Iterable[File], *, root: str = TASK, runtime: str = "", architecture: str = "x86_64", handler: str = ""
) -> Contents:
    """Everything that paths and sizes tell."""
    everything = list(files)
    found = dependencies.find(everything, runtime=runtime, handler=handler)
    return Contents(
        sum(file.bytes for file in everything),
        len(everything),
        folders(everything, root=root),
        [dependency.as_json() for dependency in found],
        waste.found(everything, runtime=runtime, architecture=architecture, handler=handler),
    )


def folders(files: Iterable[File], *, root: str) -> list[dict[str, Any]]:
    """Bytes by folder, two deep; what lies deeper counts there, and a file counts in one folder."""
    sizes: dict[str, int] = defaultdict(int)
    for file in files:
        above = file.path.split("/")[:-1][:DEPTH]
        sizes["/".join([root, *above])] += file.bytes
    return [{"path": path, "bytes": size} for path, size in sorted(sizes.items(), key=lambda each: (-each[1], each[0]))]
