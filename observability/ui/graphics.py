"""Small graphics that the server draws as SVG: no script, colours from the theme, fit for thousands of rows."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

Values = Sequence[float | None]
LEVELS = 5
"""How many shades a heat strip knows, from nothing (0) to the worst (4)."""


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {"sum": sum, "max": max, "avg": _mean}


def shrink(values: Values, points: int, aggregate: str = "sum") -> list[float]:
    """At most ``points`` values, each aggregating its share of the given ones; an unknown value counts as 0."""
    known = [value or 0.0 for value in values]
    count = min(points, len(known))
    if not count:
        return []
    combine = AGGREGATES[aggregate]
    edges = [round(index * len(known) / count) for index in range(count + 1)]
    return [combine(known[start:end]) for start, end in pairwise(edges)]


def sparkline(values: Values, width: int, height: int, css: str, points: int, aggregate: str) -> SafeString:
    """A line with a soft fill, from 0 to the highest value."""
    series = shrink(values, points, aggregate) or [0.0]
    if len(series) == 1:
        series *= 2
    pad, top = 1.5, max(*series, 0.0) or 1.0
    step = width / (len(series) - 1)
    line = " ".join(
        f"{index * step:.1f},{height - pad - value / top * (height - 2 * pad):.1f}"
        for index, value in enumerate(series)
    )
    return format_html(
        '<svg class="spark {css}" width="{w}" height="{h}" viewBox="0 0 {w} {h}" preserveAspectRatio="none" '
        'aria-hidden="true"><polygon points="0,{h} {line} {w},{h}"/><polyline points="{line}"/></svg>',
        css=css, w=width, h=height, line=line,
    )  # fmt: skip


def columns(values: Values, width: int, height: int, css: str, points: int) -> SafeString:
    """One thin column per value; nothing still leaves a hairline, so that the time axis stays visible."""
    series = shrink(values, points) or [0.0]
    top, slot = max(series) or 1.0, width / len(series)
    path = "".join(
        f"M{index * slot + 0.4:.1f} {height}v{-_column_height(value, top, height):.1f}h{slot - 0.9:.1f}V{height}z"
        for index, value in enumerate(series)
    )
    return format_html(
        '<svg class="bars {css}" width="{w}" height="{h}" viewBox="0 0 {w} {h}" preserveAspectRatio="none" '
        'aria-hidden="true"><path d="{path}"/></svg>',
        css=css, w=width, h=height, path=path,
    )  # fmt: skip


def _column_height(value: float, top: float, height: int) -> float:
    return max(1.5 if value else 0.8, value / top * (height - 1))


def heat_levels(values: Values, top: float) -> list[int]:
    """The shade (0 to 4) of each value on a scale from 0 to ``top``; any value above 0 gets at least shade 1."""
    return [_heat_level(value or 0.0, top) for value in values]


def _heat_level(value: float, top: float) -> int:
    if value <= 0 or top <= 0:
        return 0
    return min(LEVELS - 1, 1 + int(value / top * (LEVELS - 1)))


def heat_strip(levels: Sequence[int]) -> SafeString:
    """One cell per level; one path per shade, because an element per cell would make long tables slow."""
    paths = []
    for shade in range(LEVELS):
        cells = "".join(f"M{index} 0h.86v10h-.86z" for index, level in enumerate(levels) if level == shade)
        if cells:
            paths.append(f'<path class="hm{shade}" d="{cells}"/>')
    return mark_safe(  # noqa: S308  # Only integers of our own making are in it.
        f'<svg class="strip" viewBox="0 0 {len(levels) or 1} 10" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(paths)
        + "</svg>"
    )
