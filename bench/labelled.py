"""Labelled series in the layout of the Numenta Anomaly Benchmark.

``data/GROUP/FILE.csv`` with columns timestamp and value; ``labels/combined_windows.json`` with the windows of each
file, in which an alarm is right.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

WEEK_S = 7 * 86_400.0
PROBATION, PROBATION_MOST = 0.15, 750
"""Share of a file, and most rows of it, that a detector may learn from without being scored."""


@dataclass(frozen=True, slots=True)
class Series:
    """``windows`` are first and last row of each, in order; ``step_s`` is the usual time between rows."""

    name: str
    at: Sequence[datetime]
    values: Sequence[float]
    windows: Sequence[tuple[int, int]]
    step_s: float

    @property
    def probation(self) -> int:
        return min(int(PROBATION * len(self.values)), PROBATION_MOST)

    @property
    def weeks(self) -> float:
        """How long it is scored outside of its windows: the time in which an alarm is false."""
        inside = {row for first, last in self.windows for row in range(first, last + 1)}
        rows = sum(row not in inside for row in range(self.probation, len(self.values)))
        return rows * self.step_s / WEEK_S


def read(folder: Path, files: Sequence[str] = ()) -> list[Series]:
    """The labelled series of a folder, or those of these names (``GROUP/FILE.csv``) only."""
    windows = json.loads((folder / "labels" / "combined_windows.json").read_text())
    unknown = sorted(set(files) - set(windows))
    if unknown:
        raise FileNotFoundError(f"Not labelled in {folder}: {', '.join(unknown)}")
    return [_series(folder, name, windows[name]) for name in sorted(files or windows)]


def _series(folder: Path, name: str, windows: Sequence[Sequence[str]]) -> Series:
    with (folder / "data" / name).open(newline="") as lines:
        rows = [(_time(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)]
    places: dict[datetime, int] = {}
    for place, (at, _) in enumerate(rows):
        places.setdefault(at, place)
    edges = sorted((places[_time(first)], places[_time(last)]) for first, last in windows)
    gaps = [(later - earlier).total_seconds() for (earlier, _), (later, _) in pairwise(rows)]
    return Series(name, [at for at, _ in rows], [value for _, value in rows], edges, median(gaps) if gaps else 300.0)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
