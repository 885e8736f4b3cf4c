"""Which version of a function is live when, and when that version is a bad one.

Everything is counted from the moment the demo first started: a bad deployment happened 25 minutes before it and is
fixed 20 minutes after, so a newcomer always meets a fresh one. The next comes 26 hours later, at another time of day.
In the same round another function is slow for an hour without failing. Before the first round all was well.
"""

from datetime import datetime, timedelta

from demo.catalogue import BAD_RELEASES, SLOW, Function

ROUND = timedelta(hours=26)
LEAD = timedelta(minutes=25)
BAD_FOR = timedelta(minutes=45)
BAD_SHARE = 0.3
SLOW_LEAD = timedelta(minutes=45)
SLOW_FOR = timedelta(minutes=60)
SLOWER = 3.0


def release(function: Function, at: datetime, anchor: datetime) -> tuple[str, bool]:
    """The version live ``at`` that moment, and whether it is a bad one."""
    if function.name not in BAD_RELEASES:
        return "7", False
    since = at - (anchor - LEAD)
    rounds = since // ROUND
    fixed = since - rounds * ROUND >= BAD_FOR
    return ("41", False) if rounds < 0 else (str(42 + 2 * rounds + fixed), not fixed)


def slowness(function: Function, at: datetime, anchor: datetime) -> float:
    """How many times as long as usual an invocation takes that starts ``at`` that moment."""
    since = at - (anchor - SLOW_LEAD)
    return SLOWER if function.name == SLOW and since >= timedelta() and since % ROUND < SLOW_FOR else 1.0
