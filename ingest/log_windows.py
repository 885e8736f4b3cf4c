"""Which stretch of a log group to read next, and when: pure, so that an hour of ten thousand groups can be simulated.

Events come in late, up to a quarter of an hour, and out of order. So a group is read twice: live, up to a moment ago,
and once more, as a sweep, when nothing can be missing any more. Where that is no more than a page, both are one
reading. What is read twice is stored once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from observability.telemetry.records import Window

HOT, COLD = timedelta(seconds=20), timedelta(minutes=10)
"""How long a group waits for its next reading: when the last one brought something, and at most."""

SETTLE = timedelta(seconds=2)
"""What happened so lately is not read yet: most of it is still under way."""

LATE = timedelta(minutes=16)
"""Longer than CloudWatch ever took to show an event."""

SWEEP_EVERY = timedelta(minutes=3)
FIRST = timedelta(hours=1)
"""How far back the very first reading looks."""

MOST_OVERLAP, LEAST_OVERLAP = timedelta(minutes=2), timedelta(seconds=2)
PAGE = 5_000
"""Events on a page, roughly: at most 10,000, or 1 MB."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a group has been read and swept, how often in vain, and how many events a second it had."""

    read_until: datetime
    swept_until: datetime
    idle: int = 0
    pace: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reading brought: it was at ``now``, saw ``events`` up to ``until``, and ``new`` of their records."""

    until: datetime
    complete: bool
    events: int
    new: int
    now: datetime


def readings(place: Place, *, now: datetime) -> list[Window]:
    """What to read now. After an outage that is one long window, not one for each missed turn."""
    end = now - SETTLE
    live = Window(min(place.read_until - overlap(place), end), end)
    if now - place.swept_until < LATE + SWEEP_EVERY:
        return [live]
    whole = Window(place.swept_until, end)
    if now - place.read_until > LATE or place.pace * (end - place.swept_until).total_seconds() <= PAGE:
        return [whole]
    return [live, Window(place.swept_until, now - LATE)]


def overlap(place: Place) -> timedelta:
    """How far to reach back: for late events and for what a line is about, but never for more than half a page."""
    if place.pace <= 0:
        return MOST_OVERLAP
    return min(max(timedelta(seconds=PAGE / 2 / place.pace), LEAST_OVERLAP), MOST_OVERLAP)


def beyond(place: Place, window: Window, *, now: datetime) -> datetime:
    """How far a reading must get to be of any use: behind that, it may be cut short."""
    return place.swept_until if window.start <= place.swept_until < now - LATE else place.read_until


def advanced(place: Place, window: Window, outcome: Outcome) -> Place:
    """The place after a reading of this window."""
    seconds = (outcome.until - window.start).total_seconds()
    pace = outcome.events / seconds if seconds > 0 else place.pace
    if window.start <= place.read_until:
        place = replace(place, read_until=max(place.read_until, outcome.until))
    if window.start <= place.swept_until:
        place = replace(place, swept_until=max(place.swept_until, min(outcome.until, outcome.now - LATE)))
    live = window.end > outcome.now - LATE
    idle = 0 if outcome.new or not outcome.complete else place.idle + 1 if live else place.idle
    return replace(place, idle=min(idle, 1_000), pace=pace)


def wait(idle: int, share: float) -> timedelta:
    """Until the next reading; ``share``, from 0 to 1, is the group's own, so that not all come due together."""
    return min(HOT * (1 << min(idle, 10)), COLD) * (0.9 + 0.2 * share if idle else 1.0)
