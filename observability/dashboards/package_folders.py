"""What fills a package, as a treemap of its folders that opens folder by folder."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from observability.ui.treemap import Tile
from observability.ui.units import size

LEAST = 0.025
"""The share of the map from which on a tile can be read, and hit with a finger."""

ROOTS = {"/var/task": "Code", "/opt": "Layers"}
"""Where code and layers lie inside an environment."""

COLOURS = {"/var/task": "lambda", "/opt": "s3"}


@dataclass(frozen=True, slots=True)
class Map:
    """The tiles of one folder; ``trail`` are the folders above it, each with its address, ``bytes`` what it holds."""

    tiles: Sequence[Tile]
    trail: Sequence[tuple[str, str]]
    here: str
    bytes: int


def opened(
    folders: Iterable[Mapping[str, Any]], at: str, *, whole: int | None, address: Callable[[str], str]
) -> Map | None:
    """The folder ``at``; of the whole package, where there is no such folder, every folder that is told.

    None where none is. What is told of a folder does not count the folders within it that are told as well; layers may
    bring the same one. ``address`` makes a link of a path; ``whole`` is the size of the package, of which the largest
    folders are known.
    """
    known: dict[str, int] = {}
    for each in folders:
        known[str(each["path"])] = known.get(str(each["path"]), 0) + int(each["bytes"])
    if not known:
        return None
    at = at if any(_within(path, at) for path in known) else ""
    parts = _children(known, at) if at else known
    inside = sum(parts.values())
    everything = inside if at else max(inside, whole or 0)
    large = {path: number for path, number in parts.items() if number >= LEAST * everything}
    tiles = [_tile(path, number, at, known, address) for path, number in large.items()]
    rest = everything - sum(large.values())
    if rest >= LEAST * everything:
        tiles.append(Tile("Smaller ones", rest, size(rest), address(at), ""))
    return Map(tiles, _trail(at, address), at, everything)


def _children(known: Mapping[str, int], at: str) -> dict[str, int]:
    """The folders directly below, each with all that lies in it, and the folder itself with its own files."""
    parts: dict[str, int] = {}
    for path, number in known.items():
        if _within(path, at):
            below = path[len(at) :].lstrip("/").partition("/")[0]
            child = f"{at}/{below}" if below else at
            parts[child] = parts.get(child, 0) + number
    return parts


def _within(path: str, at: str) -> bool:
    return not at or path == at or path.startswith(f"{at}/")


def _tile(path: str, number: int, at: str, known: Iterable[str], address: Callable[[str], str]) -> Tile:
    """Opens what is deeper, else the folder that it lies in."""
    deeper = path != at and any(each.startswith(f"{path}/") for each in known)
    above = path.rpartition("/")[0] if path not in ROOTS else path
    root = next((root for root in ROOTS if _within(path, root)), "")
    label = "Files here" if path == at else ROOTS.get(path) or path.rpartition("/")[2] or "Files here"
    return Tile(label, number, size(number), address(path if deeper else at or above), COLOURS.get(root, "lambda"))


def _trail(at: str, address: Callable[[str], str]) -> list[tuple[str, str]]:
    """From the whole package down to the folder above."""
    if not at:
        return []
    root = next((root for root in ROOTS if _within(at, root)), "")
    steps = [part for part in at[len(root) :].split("/") if part]
    trail = [("Package", address(""))] + ([(ROOTS[root], address(root))] if root else [])
    for number, part in enumerate(steps, start=1):
        trail.append((part, address("/".join([*([root] if root else []), *steps[:number]]))))
    return trail
