"""The time range of a page: one control, and the URL is its state.

``?range=24h`` or ``?range=now-3h`` moves with the clock; ``?from=…&to=…`` (epoch seconds, ISO, or words) stands still.
The words themselves are read in ``moments.py``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import QueryDict

from observability.ui.moments import Unreadable, read_moment, read_span, split_range

MAX_BUCKETS = 96
"""More columns than this alias into a comb on a chart of usual width."""

MAX_SPAN = timedelta(days=400)
MIN_SPAN = timedelta(minutes=1)
DEFAULT = "24h"

PRESETS = {
    "15m": "Last 15 minutes",
    "1h": "Last hour",
    "3h": "Last 3 hours",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
}
STEPS = [timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30)]
STEPS += [timedelta(hours=n) for n in (1, 2, 3, 4, 6, 8, 12)]
STEPS += [timedelta(days=n) for n in (1, 2, 7)]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Interval(NamedTuple):
    """A half-open interval ``[start, end)`` in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What the reader looks at: ``[start, end)`` in UTC, in buckets of ``step``, of which there are at most 96.

    ``start`` lies on a bucket's edge. ``key`` is the preset or typed text, empty for a fixed range; ``query`` carries
    the range into links; ``live`` says that it ends now, so that its last bucket is still filling; ``error`` tells
    the reader why the default is shown instead of what was asked for.
    """

    start: datetime
    end: datetime
    step: timedelta
    key: str
    label: str
    query: str
    live: bool
    error: str = ""

    @property
    def window(self) -> Interval:
        return Interval(self.start, self.end)

    @property
    def previous(self) -> Interval:
        """The interval of the same length just before, for comparison."""
        return Interval(self.start - (self.end - self.start), self.start)

    @property
    def buckets(self) -> int:
        return -(-(self.end - self.start) // self.step)

    @property
    def fixed_query(self) -> str:
        """The query string of the same range standing still, for a link that others open later."""
        return urlencode({"from": int(self.start.timestamp()), "to": int(self.end.timestamp())})

    @property
    def presets(self) -> dict[str, str]:
        return PRESETS


def parse(query: QueryDict, now: datetime) -> TimeRange:
    """The range that the URL asks for; when it cannot be read, the default with an ``error`` for the reader."""
    try:
        if start := query.get("from", ""):
            return _fixed(start, query.get("to", ""), now)
        return _named(query.get("range", "").strip() or DEFAULT, now)
    except Unreadable as error:
        return _moving(DEFAULT, read_span(DEFAULT), now, error=str(error))


def _named(text: str, now: datetime) -> TimeRange:
    span = read_span(text)
    if span:
        return _moving(text, span, now)
    start, end = split_range(text, now)
    return _between(start, end, now)


def _fixed(start: str, end: str, now: datetime) -> TimeRange:
    return _between(read_moment(start, now=now), read_moment(end, now=now) if end else now, now)


def _moving(text: str, span: timedelta | None, now: datetime, *, error: str = "") -> TimeRange:
    """The last ``span`` up to now, in whole buckets of which the newest is still filling."""
    if span is None or not MIN_SPAN <= span <= MAX_SPAN:
        raise Unreadable(f"“{text}” is not between one minute and 400 days long.")
    step = _step(span)
    start = _floor(now, step) + step - -(-span // step) * step
    label = PRESETS.get(text) or f"Last {_words(span)}"
    return TimeRange(start, now, step, text, label, urlencode({"range": text}), live=True, error=error)


def _between(start: datetime, end: datetime, now: datetime) -> TimeRange:
    if start >= now:
        raise Unreadable("That range begins in the future.")
    if end <= start:
        raise Unreadable("That range ends before it begins.")
    live = end >= now
    end = min(end, now)
    span = max(end - start, MIN_SPAN)
    if span > MAX_SPAN:
        raise Unreadable("That range is longer than 400 days.")
    step = next(step for step in STEPS if _count(start, start + span, step) <= MAX_BUCKETS)
    start, end = _floor(start, step), start + span
    query = urlencode({"from": int(start.timestamp()), "to": int(end.timestamp())})
    return TimeRange(start, end, step, "", _label(start, end), query, live=live)


def _step(span: timedelta) -> timedelta:
    return next(step for step in STEPS if -(-span // step) <= MAX_BUCKETS)


def _count(start: datetime, end: datetime, step: timedelta) -> int:
    return -(-(end - _floor(start, step)) // step)


def _floor(moment: datetime, step: timedelta) -> datetime:
    return moment - (moment - EPOCH) % step


def _label(start: datetime, end: datetime) -> str:
    """``21 Nov 09:00 to 11:30``; the date is said twice only when it changes."""
    first = f"{start.day} {start:%b %H:%M}"
    return f"{first} to {end:%H:%M}" if start.date() == end.date() else f"{first} to {end.day} {end:%b %H:%M}"


def _words(span: timedelta) -> str:
    for unit, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if span >= size and not span % size:
            return f"{span // size} {unit}{'' if span == size else 's'}"
    minutes = span // timedelta(minutes=1)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
