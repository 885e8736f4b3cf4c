"""From a posted body to one that is safe to buffer: shape, limits and every event checked.

Almost every body is fine as a whole: one typed decode proves it, and the body is passed on as it came. Anything
unusual sends it the slow way, event by event (``ingest.salvage``), which keeps the good events and names the bad.
"""

from collections.abc import Sequence
from datetime import datetime

from ingest import clock
from ingest.envelope import (
    MAX_EVENTS,
    BareEvent,
    IdentifiedEvent,
    bare_decoder,
    check_function,
    check_head,
    envelope_decoder,
    is_envelope,
)
from ingest.parser import FunctionInfo
from ingest.salvage import HIDING, Checked, is_deep, salvage

WHOLE = 256 * 1024
"""Larger bodies are decoded event by event, because hostile JSON takes 24 times its size once decoded."""

DIGITS = bytes(ord("0") if chr(byte).isdecimal() else ord(" ") for byte in range(128)) + b" " * 128
LONG_NUMBER = b"0" * 19


def check(body: bytes, *, arn: str, received_at: datetime) -> Checked:
    """Judge a plain body; ``arn`` names the function of a bare array. Raises ``RefusedError`` for a body as a whole."""
    body = without_nul(body)
    if is_envelope(body):
        arn = ""
    else:
        check_function(FunctionInfo(arn))
    count = count_if_flawless(body, received_at) if len(body) <= WHOLE else None
    return salvage(body, arn=arn, received_at=received_at) if count is None else Checked(body, arn, count)


def without_nul(body: bytes) -> bytes:
    """U+0000, bare or escaped at whatever level, becomes U+FFFD: no store takes it."""
    if b"\\u0000" in body:
        body = body.replace(b"\\u0000", b"\\ufffd")
    return body.replace(b"\0", "\ufffd".encode()) if b"\0" in body else body


def count_if_flawless(body: bytes, received_at: datetime) -> int | None:
    """The number of events when there is nothing at all to remark on; None asks for a closer look."""
    if not is_plain(body):
        return None
    try:
        body.decode()
        events: Sequence[BareEvent | IdentifiedEvent]
        if not is_envelope(body):
            events = bare_decoder.decode(body)
            judged = clock.compare(received_at, None)
        else:
            envelope = envelope_decoder.decode(body)
            check_head(envelope)
            events, judged = envelope.events, clock.compare(received_at, envelope.sent_at)
            if len({event.id.int for event in envelope.events}) < len(events):
                return None
    except (ValueError, RecursionError):  # Every error of decoding and of Unicode is a ValueError.
        return None
    if any(is_deep(event.record) for event in events if event.record.__class__ is not str):
        return None
    if len(events) > MAX_EVENTS or (events and clock.is_too_old(judged, min(event.time for event in events))):
        return None
    return len(events)


def is_plain(body: bytes) -> bool:
    """Whether there are neither escapes that could hide a secret nor integers that might not fit in 64 bits."""
    if LONG_NUMBER in body.translate(DIGITS) or b"\\/" in body:
        return False
    return b"\\u00" not in body or not HIDING.search(body)
