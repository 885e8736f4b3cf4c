"""A listing of files as a package's facts: folders, dependencies and waste, ready to be stored."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from observability.inventory import dependencies, waste
from observability.inventory.dependencies import File

TASK, OPT = "/var/task", "/opt"
"""Where Lambda unpacks code and layers."""

DEPTH = 2
"""Folders are told this deep, as the companion extension tells them."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a listing holds. ``folders`` and ``dependencies`` are JSON, the largest first."""

    bytes: int
    files: int
    folders: list[dict[str, Any]]
    dependencies: list[dict[str, Any]]
    waste: dict[str, int]


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
