"""Whose clock to believe: when an event happened, and in which partition it lives.

The partition (``day``) comes from the raw time inside the event's UUIDv7 id (or from the event's own time when the id
carries none), never from arrival and never from a corrected time, so that a retry finds the first copy. Only an id
that cannot be true, or a body whose sender's clock runs ahead, goes to the one fixed ``SKEW_DAY``. The sender sets
``sent_at`` anew at each attempt; then that answer, too, is the same for every attempt.

The time shown (``at``) is the event's own time, corrected when the sender's clock is wrong by 55 minutes or more
(a time zone, not latency), or the time of arrival when even that is out of bounds. A body that seems to be a day late
or more has waited, its clock is not slow: it is not corrected. Hence ``at`` is at most a day from ``day``, or ``day``
is ``SKEW_DAY``.

The edge only refuses events that are too old; everything else here is decided by the writer, from the entry alone.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from observability.telemetry.records import SKEW_DAY

MAX_AGE = timedelta(days=30)
MAX_AHEAD = timedelta(minutes=10)
DRIFT = timedelta(minutes=55)
MAX_DELAY = timedelta(days=1)
NONE = timedelta()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000
DAY_ZERO = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Clock:
    """How one body's times relate to ours: ``drift`` is what to add to its times, ``ahead`` is a clock too fast.

    The rest is worked out once per body: what is in bounds, as times and as Unix ms.
    """

    received_at: datetime
    drift: timedelta
    ahead: bool
    earliest: datetime
    latest: datetime
    first_ms: int
    last_ms: int


def compare(received_at: datetime, sent_at: datetime | None) -> Clock:
    """Judge a sender's clock by when it says it sent the body."""
    behind = NONE if sent_at is None else received_at - sent_at
    wrong = behind <= -DRIFT or DRIFT <= behind < MAX_DELAY
    earliest, latest = received_at - MAX_AGE, received_at + MAX_AHEAD
    return Clock(
        received_at=received_at,
        drift=behind if wrong else NONE,
        ahead=behind < -MAX_AHEAD,
        earliest=earliest,
        latest=latest,
        first_ms=milliseconds(earliest),
        last_ms=milliseconds(latest),
    )


def milliseconds(at: datetime) -> int:
    """Unix time in ms, rounded down."""
    return (at - EPOCH) // MILLISECOND


def is_too_old(clock: Clock, at: datetime) -> bool:
    """Whether an event of that own time is refused."""
    return clock.received_at - at - clock.drift > MAX_AGE


def shown_at(clock: Clock, at: datetime) -> datetime:
    """When the event happened, in UTC, as far as we believe its sender."""
    if at.tzinfo is UTC and not clock.drift and clock.earliest <= at <= clock.latest:
        return at  # Nearly always.
    offset = at - clock.received_at + clock.drift
    return clock.received_at + offset if -MAX_AGE <= offset <= MAX_AHEAD else clock.received_at


def partition(clock: Clock, id_ms: int) -> date:
    """The day that an event belongs to; ``id_ms`` is the raw Unix time in ms of its id."""
    if clock.ahead or not clock.first_ms <= id_ms <= clock.last_ms:
        return SKEW_DAY
    return day(id_ms // DAY_MS)


@lru_cache(maxsize=64)
def day(number: int) -> date:
    """The date of that many days after 1970-01-01."""
    return date.fromordinal(number + DAY_ZERO)
