"""Which version of a function is live when, and when that version is a bad one.

Everything is counted from the moment the demo first started: a bad deployment happened 25 minutes before it and is
fixed 20 minutes after, so a newcomer always meets a fresh one. The next comes 26 hours later, at another time of day.
"""

from datetime import datetime, timedelta

from demo.catalogue import BAD_RELEASES, Function

ROUND = timedelta(hours=26)
LEAD = timedelta(minutes=25)
BAD_FOR = timedelta(minutes=45)
BAD_SHARE = 0.3


def release(function: Function, at: datetime, anchor: datetime) -> tuple[str, bool]:
    """The version live ``at`` that moment, and whether it is a bad one."""
    if function.name not in BAD_RELEASES:
        return "7", False
    since = at - (anchor - LEAD)
    rounds = since // ROUND
    fixed = since - rounds * ROUND >= BAD_FOR
    return str(42 + 2 * rounds + fixed), not fixed
