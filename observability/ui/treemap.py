"""Squarified treemap (Bruls, Huizing, van Wijk 2000): areas in proportion, shapes as square as they can be."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """One thing in a treemap. ``text`` is the value as read, ``kind`` the service that colours it."""

    label: str
    value: float
    text: str
    url: str
    kind: str = "lambda"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Where a tile lies, in percent of the map's width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    tile: Tile
    at: Rectangle

    @property
    def roomy(self) -> bool:
        """Whether name and value fit."""
        return self.at.width > 14 and self.at.height > 16

    @property
    def legible(self) -> bool:
        """Whether at least the name fits."""
        return self.at.width > 9 and self.at.height > 9


def squarify(tiles: Sequence[Tile], *, aspect: float = 2.0) -> list[Placed]:
    """Lay out the tiles that have a value, largest first, in a map ``aspect`` times as wide as high."""
    todo = sorted((tile for tile in tiles if tile.value > 0), key=lambda tile: -tile.value)
    total = sum(tile.value for tile in todo)
    width, height = 100.0 * aspect, 100.0
    scale = width * height / total if total else 0.0
    left = top = 0.0
    placed: list[Placed] = []
    while todo:
        row = _best_row([tile.value * scale for tile in todo], min(width, height))
        area = sum(row)
        upright = width >= height
        thickness = area / (height if upright else width)
        offset = 0.0
        for tile, share in zip(todo, row, strict=False):
            length = share / thickness
            at = (left, top + offset, thickness, length) if upright else (left + offset, top, length, thickness)
            placed.append(Placed(tile, Rectangle(at[0] / aspect, at[1], at[2] / aspect, at[3])))
            offset += length
        if upright:
            left, width = left + thickness, width - thickness
        else:
            top, height = top + thickness, height - thickness
        todo = todo[len(row) :]
    return placed


def _best_row(areas: list[float], side: float) -> list[float]:
    """The longest run of areas along ``side`` that does not make its worst rectangle worse."""
    count = 1
    while count < len(areas) and _worst(areas[: count + 1], side) <= _worst(areas[:count], side):
        count += 1
    return areas[:count]


def _worst(row: list[float], side: float) -> float:
    """The least square proportion in a row of areas laid along ``side``."""
    square = sum(row) ** 2
    return max(max(side * side * area / square, square / (side * side * area)) for area in row)
