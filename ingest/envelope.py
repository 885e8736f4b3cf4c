"""The two shapes of a body, as types. What these types do not accept is not telemetry."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from ingest.parser import ExtensionInfo, FunctionInfo

SCHEMA = 1
Time = Annotated[datetime, Meta(tz=True)]
Type = Annotated[str, Meta(min_length=1, max_length=64)]


class BareEvent(Struct, gc=False):
    """An event as the Lambda Telemetry API posts it."""

    time: Time
    type: Type
    record: Any


class IdentifiedEvent(Struct, gc=False):
    """An event as the extension posts it: with the UUIDv7 that it keeps through retries."""

    id: UUID
    time: Time
    type: Type
    record: Any


class Envelope(Struct):
    """What the extension posts."""

    schema: int
    function: FunctionInfo
    events: list[IdentifiedEvent]
    extension: ExtensionInfo | None = None
    sent_at: Time | None = None


class Frame(Struct):
    """An envelope whose events are left undecoded."""

    schema: int
    function: FunctionInfo
    events: list[msgspec.Raw]
    extension: ExtensionInfo | None = None
    sent_at: Time | None = None


envelope_decoder = msgspec.json.Decoder(Envelope)
frame_decoder = msgspec.json.Decoder(Frame)
bare_decoder = msgspec.json.Decoder(list[BareEvent])
bare_frame_decoder = msgspec.json.Decoder(list[msgspec.Raw])
identified_event_decoder = msgspec.json.Decoder(IdentifiedEvent)
bare_event_decoder = msgspec.json.Decoder(BareEvent)


def is_envelope(body: bytes) -> bool:
    """Which of the two shapes a body claims to be: an object is an envelope, an array is bare events."""
    return body.lstrip()[:1] == b"{"
