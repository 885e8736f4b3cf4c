"""The slow way through a body: event by event, keeping what is good and naming what is not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from ingest import clock
from ingest.clock import Clock
from ingest.envelope import (
    MAX_DEPTH,
    MAX_EVENT_BYTES,
    MAX_EVENTS,
    BareEvent,
    Frame,
    IdentifiedEvent,
    bare_event_decoder,
    bare_frame_decoder,
    check_head,
    frame_decoder,
    identified_event_decoder,
    is_envelope,
)
from ingest.refusal import Code, EventCode, RefusedError, Rejected

MAX_BROKEN = 256 * 1024
"""JSON that is broken somewhere is searched for good events up to this size; beyond it the body is refused."""

TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?+|[\[\]{},]', re.DOTALL)
CONTAINERS = (dict, list)
EVENTS = re.compile(rb"\s*:\s*(?=\[)")
HIDING = re.compile(rb"\\(?:/|u00[2-7])")
LONG_NUMBER = re.compile(rb"[0-9]{19}")
PATH = re.compile(r"at `\$\.?(\w*)")
WORDS = {
    EventCode.INVALID_EVENT: "An event is an object with id, time, type and record.",
    EventCode.INVALID_ID: "The id must be a UUID, version 7 at best.",
    EventCode.INVALID_TIME: "The time must be RFC 3339 with a time zone.",
    EventCode.INVALID_TYPE: "The type must be a string of 1 to 64 characters.",
    EventCode.INVALID_JSON: "The event is not valid JSON.",
    EventCode.INVALID_UTF8: "The event is not valid UTF-8.",
    EventCode.INVALID_NUMBER: "A number does not fit in 64 bits.",
    EventCode.TOO_DEEP: f"The record is nested deeper than {MAX_DEPTH} levels.",
    EventCode.TOO_LARGE: f"The event is larger than {MAX_EVENT_BYTES} bytes.",
    EventCode.TOO_OLD: f"The event is older than {clock.MAX_AGE.days} days.",
}
BY_FIELD = {"id": EventCode.INVALID_ID, "time": EventCode.INVALID_TIME, "type": EventCode.INVALID_TYPE}


@dataclass(frozen=True, slots=True)
class Checked:
    """A body of which every event may be stored, and what was left out of the posted one.

    ``arn`` names the function of a bare array; an envelope names its own.
    """

    body: bytes
    arn: str
    count: int
    duplicates: int = 0
    rejected: tuple[Rejected, ...] = ()


class _RejectedError(Exception):
    def __init__(self, code: EventCode) -> None:
        super().__init__(code)
        self.code = code


def salvage(body: bytes, *, arn: str, received_at: datetime) -> Checked:
    """Check each event by itself. Raises ``RefusedError`` when the body as a whole makes no sense."""
    head, events = split(body)
    if len(events) > MAX_EVENTS:
        raise RefusedError(Code.TOO_MANY_EVENTS, f"A body holds at most {MAX_EVENTS} events.")
    judged = clock.compare(received_at, head.sent_at if head else None)
    kept: list[msgspec.Raw] = []
    rejected: list[Rejected] = []
    seen: set[UUID] = set()
    duplicates = 0
    for index, raw in enumerate(events):
        try:
            event, clean = check_event(raw, judged, identified=head is not None)
        except _RejectedError as error:
            rejected.append(Rejected(index, error.code, WORDS[error.code]))
            continue
        if isinstance(event, IdentifiedEvent):
            if event.id in seen:
                duplicates += 1
                continue
            seen.add(event.id)
        kept.append(clean)
    if head is not None:
        head.events = kept
    whole = msgspec.json.encode(kept if head is None else head)
    return Checked(whole, arn, len(kept), duplicates, tuple(rejected))


def check_event(
    raw: msgspec.Raw, judged: Clock, *, identified: bool
) -> tuple[IdentifiedEvent | BareEvent, msgspec.Raw]:
    """The event, and its JSON without escapes that hide plain characters. Raises ``_RejectedError``."""
    text = bytes(raw)
    if len(text) > MAX_EVENT_BYTES:
        raise _RejectedError(EventCode.TOO_LARGE)
    event, encoded = decode_event(text, identified=identified)
    if is_deep(event.record):
        raise _RejectedError(EventCode.TOO_DEEP)
    if clock.is_too_old(judged, event.time):
        raise _RejectedError(EventCode.TOO_OLD)
    return event, msgspec.Raw(encoded) if HIDING.search(text) else raw


def decode_event(text: bytes, *, identified: bool) -> tuple[IdentifiedEvent | BareEvent, bytes]:
    """Decode one event exactly as the writer will, and encode it again. Raises ``_RejectedError``."""
    try:
        text.decode()
        event: IdentifiedEvent | BareEvent
        event = (identified_event_decoder if identified else bare_event_decoder).decode(text)
        if LONG_NUMBER.search(text) and has_huge_integer(event.record):
            raise _RejectedError(EventCode.INVALID_NUMBER)
        return event, msgspec.json.encode(event)
    except UnicodeError:
        code = EventCode.INVALID_UTF8
    except RecursionError:
        code = EventCode.TOO_DEEP
    except msgspec.ValidationError as error:
        path = PATH.search(str(error))
        code = BY_FIELD.get(path[1], EventCode.INVALID_NUMBER) if path and path[1] else EventCode.INVALID_EVENT
    except ValueError:
        code = EventCode.INVALID_JSON
    raise _RejectedError(code)


def has_huge_integer(record: object) -> bool:
    """Whether any number in there needs more than 64 bits."""
    waiting = [record]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            return True
    return False


def is_deep(record: object, limit: int = MAX_DEPTH) -> bool:
    """Whether a decoded record is nested deeper than the limit."""
    if isinstance(record, dict):
        inner: Iterable[object] = record.values()
    elif isinstance(record, list):
        inner = record
    else:
        return False
    if limit == 0:
        return True
    return any(is_deep(value, limit - 1) for value in inner if value.__class__ in CONTAINERS)


def split(body: bytes) -> tuple[Frame | None, list[msgspec.Raw]]:
    """The head (None for a bare array) and the undecoded events."""
    try:
        if not is_envelope(body):
            return None, bare_frame_decoder.decode(body)
        head = frame_decoder.decode(body)
    except RecursionError:
        raise RefusedError(Code.TOO_DEEP, "The body is nested too deep.") from None
    except msgspec.ValidationError as error:
        raise _about_head(error) from None
    except ValueError:
        return split_broken(body)
    check_head(head)
    return head, head.events


def split_broken(body: bytes) -> tuple[Frame | None, list[msgspec.Raw]]:
    """As ``split``, for a body that is not valid JSON: where its events begin and end tell quotes and brackets."""
    start = (events_start(body) if is_envelope(body) else 0) if len(body) <= MAX_BROKEN else None
    if start is None:
        raise _malformed()
    events, end = elements(body, start)
    try:
        if not is_envelope(body):
            bare_frame_decoder.decode(b"[]" + body[end:])
            return None, events
        head = frame_decoder.decode(body[:start] + b"[]" + body[end:])
    except RecursionError:
        raise RefusedError(Code.TOO_DEEP, "The body is nested too deep.") from None
    except msgspec.ValidationError as error:
        raise _about_head(error) from None
    except ValueError:
        raise _malformed() from None
    check_head(head)
    return head, events


def events_start(body: bytes) -> int | None:
    """Where the array of events of an envelope begins."""
    level = 0
    for token in TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            level += 1
        elif first in b"]}":
            level -= 1
        elif level == 1 and token[0] == b'"events"' and (colon := EVENTS.match(body, token.end())):
            return colon.end()
    return None


def elements(body: bytes, start: int) -> tuple[list[msgspec.Raw], int]:
    """The elements of the array that begins at ``start``, and where it ends. Raises ``RefusedError``."""
    found: list[msgspec.Raw] = []
    level, begin = 0, start + 1
    for token in TOKEN.finditer(body, start):
        first = body[token.start()]
        if first in b"[{":
            level += 1
        elif first in b"]}":
            level -= 1
        if (first in b"," and level == 1) or level == 0:
            found.append(msgspec.Raw(body[begin : token.start()].strip()))
            begin = token.end()
        if level == 0:
            return found, begin
        if len(found) > MAX_EVENTS:
            break
    raise _malformed()


def _malformed() -> RefusedError:
    return RefusedError(Code.INVALID_JSON, "The body is not valid JSON.")


def _about_head(error: msgspec.ValidationError) -> RefusedError:
    path = PATH.search(str(error))
    if path and path[1] == "function":
        return RefusedError(Code.INVALID_FUNCTION, "The function part needs an arn, and the documented types.")
    return RefusedError(Code.INVALID_ENVELOPE, "The body is neither the documented envelope nor an array of events.")
