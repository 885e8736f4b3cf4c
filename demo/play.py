"""Tells the story: first what was missed, the latest hour first so that pages fill from the right, then live.

Behind live traffic it tells what was longer ago, in brief, so that what compares days has days to compare.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from demo.sender import Sender
from demo.state import State
from demo.telemetry import reports
from demo.traffic import told_between

HISTORY = timedelta(hours=24)
SLICE = timedelta(hours=1)
LONG_AGO = timedelta(days=5)
"""So far back, counted from the first start, the story goes."""

STRETCH = timedelta(hours=3)
"""How much of long ago is told between two rounds of live traffic: that is hardly later for it."""

TICK_S = 2.0


def slices(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut ``[start, end)`` into hours, newest first."""
    while start < end:
        yield max(start, end - SLICE), end
        end -= SLICE


def catch_up(sender: Sender, state: State, now: datetime, say: Callable[[str], None]) -> State:
    """Send what happened since the demo last ran, at most 24 hours of it."""
    missed = max(state.told_until, now - HISTORY)
    for start, end in slices(missed, now):
        accepted = sum(sender.send(body) for body in told_between(start, end, now, state.anchor))
        say(f"{start:%H:%M} to {end:%H:%M}: {accepted:,} events")
    return state.until(now)


def follow(sender: Sender, state: State, clock: Callable[[], datetime]) -> Iterator[State]:
    """Send live traffic every two seconds, for ever, and what was long ago; yields the state after each round."""
    while True:
        time.sleep(TICK_S)
        now = clock()
        for body in told_between(state.told_until, now, now, state.anchor):
            sender.send(body)
        state = remember(sender, state.until(now), now)
        yield state


def remember(sender: Sender, state: State, now: datetime) -> State:
    """Send the next stretch of long ago, going back."""
    if state.told_from is None or is_told(state):
        return state
    start = max(state.told_from - STRETCH, state.anchor - LONG_AGO)
    for body in told_between(start, state.told_from, now, state.anchor, reports):
        sender.send(body)
    return state.since(start)


def is_told(state: State) -> bool:
    """Whether all of long ago was sent."""
    return state.told_from is None or state.told_from <= state.anchor - LONG_AGO
