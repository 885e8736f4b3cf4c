"""The two shapes of a body, as types. What these types do not accept is not telemetry."""

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from ingest.parser import ExtensionInfo, FunctionInfo
from ingest.refusal import Code, RefusedError

SCHEMA = 1
MAX_EVENTS = 1_000
MAX_EVENT_BYTES = 1024 * 1024
MAX_DEPTH = 32
"""How deep a record may be nested."""
MAX_TEXT = 256
MAX_NUMBER = 2**31 - 1
ARN = re.compile(
    r"arn:aws[a-z-]{0,20}:lambda:[a-z]{2}-[a-z-]{1,20}-\d{1,2}:\d{12}:function:[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9$_-]{1,128})?",
    re.ASCII,
)

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


class Envelope(Struct, omit_defaults=True):
    """What the extension posts."""

    schema: int
    function: FunctionInfo
    events: list[IdentifiedEvent]
    extension: ExtensionInfo | None = None
    sent_at: Time | None = None


class Frame(Struct, omit_defaults=True):
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
    """Which of the two shapes a body claims to be: an array is bare events, all else should be an envelope."""
    return body.lstrip()[:1] != b"["


def check_head(head: Envelope | Frame) -> None:
    """Judge what surrounds the events. Raises ``RefusedError``."""
    if head.schema != SCHEMA:
        raise RefusedError(Code.UNKNOWN_SCHEMA, f"The schema must be {SCHEMA}.")
    check_function(head.function)
    extension = head.extension
    if extension is not None and (len(extension.version) > MAX_TEXT or not 0 <= extension.dropped <= MAX_NUMBER):
        raise RefusedError(Code.INVALID_ENVELOPE, "The extension part holds an impossible value.")


def check_function(function: FunctionInfo) -> None:
    """Judge a function's description. Raises ``RefusedError``."""
    if not ARN.fullmatch(function.arn):
        raise RefusedError(Code.INVALID_FUNCTION, "The function needs the ARN of a Lambda function.")
    texts = (
        function.name, function.version, function.runtime, function.architecture, function.init_type,
    )  # fmt: skip
    if any(len(text) > MAX_TEXT for text in texts) or len(function.log_group) > 2 * MAX_TEXT:
        raise RefusedError(Code.INVALID_FUNCTION, f"A text about the function is longer than {MAX_TEXT} characters.")
    numbers = (function.memory_mb, function.timeout_s, function.ephemeral_mb)
    if any(number is not None and not 0 <= number <= MAX_NUMBER for number in numbers):
        raise RefusedError(Code.INVALID_FUNCTION, "A number about the function is out of range.")
