"""Time as rollups see it: grains, and how a window is cut into the fewest of them.

A minute belongs to the window in which it starts, so adjacent windows neither share nor lose one, and a window that
ends now holds the minute that is still running.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from observability.telemetry.records import SKEW_DAY, Invocation, Record, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AHEAD_DAYS = 14


@dataclass(frozen=True, slots=True)
class Grain:
    name: str
    size: timedelta

    @property
    def table(self) -> str:
        return f"telemetry_rollup_{self.name}"

    @property
    def minutes(self) -> int:
        return self.size // MINUTE


GRAINS = (
    Grain("minute", MINUTE),
    Grain("quarter", timedelta(minutes=15)),
    Grain("hour", timedelta(hours=1)),
    Grain("day", timedelta(days=1)),
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a window that whole rows of one grain cover."""

    grain: Grain
    start: datetime
    end: datetime


def floor(moment: datetime, size: timedelta) -> datetime:
    return moment - (moment - EPOCH) % size


def ceil(moment: datetime, size: timedelta) -> datetime:
    return moment + (EPOCH - moment) % size


def segments(window: Window, step: timedelta | None = None) -> list[Segment]:
    """Cut the window so that large grains cover its middle; no grain is larger than, or across, ``step``."""
    return list(_cut(ceil(window.start, MINUTE), ceil(window.end, MINUTE), _usable(step)))


def open_segments(window: Window, step: timedelta | None = None) -> list[Segment]:
    """As ``segments``, when nothing has happened after the window: its end may reach into rows still being filled."""
    usable = _usable(step)
    return list(_cut(ceil(window.start, MINUTE), ceil(window.end, usable[-1].size), usable))


def _usable(step: timedelta | None) -> list[Grain]:
    return [grain for grain in GRAINS if step is None or step % grain.size == timedelta()]


def _cut(start: datetime, end: datetime, usable: list[Grain]) -> Iterator[Segment]:
    if start >= end:
        return
    *finer, grain = usable
    first, last = ceil(start, grain.size), floor(end, grain.size)
    if not finer:
        yield Segment(grain, start, end)
    elif first >= last:
        yield from _cut(start, end, finer)
    else:
        yield from _cut(start, first, finer)
        yield Segment(grain, first, last)
        yield from _cut(last, end, finer)


def steps(window: Window, step: timedelta) -> list[datetime]:
    """The starts of the gap-free buckets that cover the window."""
    start = floor(ceil(window.start, MINUTE), step)
    count = -(-(window.end - start) // step)
    return [start + step * i for i in range(max(count, 0))]


def outside(days: Iterable[date], *, now: datetime, kept_days: int) -> set[date]:
    """Those of the days that no partition may exist for: past their retention, or absurdly far ahead."""
    today = now.date()
    return {day for day in days if day != SKEW_DAY and not -kept_days <= (day - today).days <= AHEAD_DAYS}


def days(records: Sequence[Record]) -> set[date]:
    """The days that these records are stored under and that their rollups belong to."""
    shown = {r.started_at.astimezone(UTC).date() for r in records if type(r) is Invocation}
    return {record.day for record in records} | shown
