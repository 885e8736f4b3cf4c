"""Reads the moments and spans that people type: ``now-3h``, ``21 Nov 09:00 to 11:30``, ``yesterday``, epoch, ISO."""

import re
from datetime import UTC, datetime, time, timedelta

UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
SPAN = re.compile(r"(?:now\s*-|last\s+)?\s*(\d{1,5})\s*(m|h|d|w)(?:in(?:ute)?s?|ours?|ays?|eeks?)?")
SEPARATOR = re.compile(r"\s+(?:to|until|till|-|\N{EN DASH})\s+|\.\.|\s*\N{RIGHTWARDS ARROW}\s*", re.IGNORECASE)
DATE_FORMATS = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%Y-%m-%d")
CLOCK = re.compile(r"(.*?)[ ,T]*\b(\d{1,2}):(\d{2})(?::(\d{2}))?$")
EPOCH = re.compile(r"\d{9,11}(?:\.\d+)?")
EXAMPLES = "Try “now-3h” or “21 Nov 09:00 to 11:30”."


class Unreadable(ValueError):  # noqa: N818  # It is read aloud to the reader, not an error of ours.
    """The text names no time range; the message tells the reader why."""


def read_span(text: str) -> timedelta | None:
    """How long back from now ``24h``, ``now-3h`` or ``last 3 hours`` reaches; None when the text is no span."""
    match = SPAN.fullmatch(text.strip().lower())
    return int(match[1]) * UNITS[match[2]] if match else None


def split_range(text: str, now: datetime) -> tuple[datetime, datetime]:
    """Both ends of ``A to B``, of a single day, or of ``A`` until now."""
    first, *rest = SEPARATOR.split(text, maxsplit=1)
    start = read_moment(first, now=now)
    if rest:
        return start, read_moment(rest[0], now=now, day=start)
    if _is_day(first):
        return start, start + UNITS["d"]
    return start, now


def read_moment(text: str, *, now: datetime, day: datetime | None = None) -> datetime:
    """One moment in UTC. A lone time of day is of ``day``, else today; a date without a year is the latest past one."""
    text = " ".join(text.strip().split())
    moment = _relative(text, now) or _absolute(text, now) or _in_words(text, now, day or now)
    if moment is None:
        raise Unreadable(f"“{text[:60]}” is not a time that Nightjar can read. {EXAMPLES}")
    return moment


def _is_day(text: str) -> bool:
    return ":" not in text and "now" not in text.lower() and not EPOCH.fullmatch(text.strip())


def _relative(text: str, now: datetime) -> datetime | None:
    if text.lower() == "now":
        return now
    span = read_span(text) if text.lower().startswith("now") else None
    return now - span if span else None


def _absolute(text: str, now: datetime) -> datetime | None:
    if EPOCH.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_words(text: str, now: datetime, day: datetime) -> datetime | None:
    date_text, clock = _split_clock(text)
    if clock is None and ":" in text:
        return None
    date = _read_date(date_text, now) if date_text else day
    return None if date is None else datetime.combine(date, clock or time(), UTC)


def _split_clock(text: str) -> tuple[str, time | None]:
    match = CLOCK.fullmatch(text)
    if not match:
        return text, None
    try:
        return match[1], time(int(match[2]), int(match[3]), int(match[4] or 0))
    except ValueError:
        return text, None


def _read_date(text: str, now: datetime) -> datetime | None:
    words = {"today": now, "yesterday": now - UNITS["d"]}
    if text.lower() in words:
        return words[text.lower()]
    for year in (now.year, now.year - 1):
        candidate = _parse_date(f"{text} {year}") or _parse_date(text)
        if candidate and candidate <= now:
            return candidate
    return _parse_date(text)


def _parse_date(text: str) -> datetime | None:
    for pattern in DATE_FORMATS:
        try:
            return datetime.strptime(text.replace(",", ""), pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
