"""What one request leaves in the buffer, and how the writer reads it back.

An entry is one hash of fields: ``v`` (format version), ``org``, ``key`` (row id of the ingest key), ``arn`` (function
of a bare array, else empty), ``at`` (received, Unix time in µs), ``n`` (events), ``body`` (zstd of the checked and
scrubbed body, in the shape it was posted).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec

from ingest import clock
from ingest.clock import EPOCH, Clock
from ingest.compression import pack, unpack
from ingest.envelope import BareEvent, IdentifiedEvent, bare_decoder, envelope_decoder
from ingest.parser import Event, ExtensionInfo, FunctionInfo
from ingest.refusal import RefusedError

VERSION = b"1"
MICROSECOND = timedelta(microseconds=1)
UUID7 = 7
Fields = dict[bytes, bytes]


class CorruptEntryError(ValueError):
    """An entry that cannot be read back; it belongs among the dead letters as a whole."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted request: ``body`` is plain JSON, ``arn`` is empty unless the body is a bare array."""

    organization_id: int
    key_id: int
    arn: str
    received_at: datetime
    count: int
    body: bytes


@dataclass(frozen=True, slots=True)
class BufferedBatch:
    """One accepted request, decoded: events in the order they were sent, with their identity and partition."""

    organization_id: int
    key_id: int
    received_at: datetime
    function: FunctionInfo
    extension: ExtensionInfo | None
    events: list[Event]


def encode_entry(entry: Entry) -> Fields:
    """The fields to put on the stream."""
    return {
        b"v": VERSION,
        b"org": b"%d" % entry.organization_id,
        b"key": b"%d" % entry.key_id,
        b"arn": entry.arn.encode(),
        b"at": b"%d" % ((entry.received_at - EPOCH) // MICROSECOND),
        b"n": b"%d" % entry.count,
        b"body": pack(entry.body),
    }


def decode_entry(fields: Mapping[bytes, bytes]) -> BufferedBatch:
    """Read an entry back. Raises ``CorruptEntryError`` when it is not one of ours."""
    try:
        if fields[b"v"] != VERSION:
            raise CorruptEntryError("unknown entry version")
        organization_id, key_id = int(fields[b"org"]), int(fields[b"key"])
        received_at = EPOCH + timedelta(microseconds=int(fields[b"at"]))
        body, arn = unpack(fields[b"body"]), fields[b"arn"].decode()
        if arn:
            events = _bare(bare_decoder.decode(body), organization_id, arn, clock.compare(received_at, None))
            return BufferedBatch(organization_id, key_id, received_at, _function(FunctionInfo(arn)), None, events)
        envelope = envelope_decoder.decode(body)
    except (KeyError, ValueError, OverflowError, msgspec.MsgspecError, RecursionError, RefusedError) as error:
        raise CorruptEntryError(f"{type(error).__name__}: not an entry") from error
    judged = clock.compare(received_at, envelope.sent_at)
    events = [_identified(judged, event) for event in envelope.events]
    return BufferedBatch(organization_id, key_id, received_at, _function(envelope.function), envelope.extension, events)


def _identified(judged: Clock, event: IdentifiedEvent) -> Event:
    raw = event.id.int
    id_ms = raw >> 80 if raw >> 76 & 0xF == UUID7 else clock.milliseconds(event.time)
    return Event(
        raw.to_bytes(16, "big"),
        clock.partition(judged, id_ms),
        clock.shown_at(judged, event.time),
        event.type,
        event.record,
    )


def _bare(events: list[BareEvent], organization_id: int, arn: str, judged: Clock) -> list[Event]:
    """Events without ids get one that a retry gets as well: a hash of all they are, and how many before are equal."""
    seen: dict[bytes, int] = {}
    prefix = f"{organization_id}\0{arn}\0".encode()

    def identify(event: BareEvent) -> Event:
        at_ms = clock.milliseconds(event.time)
        identity = msgspec.json.encode([at_ms, event.type, event.record], order="deterministic")
        digest = blake2b(prefix + identity, digest_size=16).digest()
        ordinal = seen.get(digest, 0)
        seen[digest] = ordinal + 1
        if ordinal:
            digest = blake2b(digest + b"%d" % ordinal, digest_size=16).digest()
        day = clock.partition(judged, at_ms)
        return Event(digest, day, clock.shown_at(judged, event.time), event.type, event.record)

    return [identify(event) for event in events]


def _function(function: FunctionInfo) -> FunctionInfo:
    """The function without the qualifier of its ARN, which names a version or alias instead."""
    parts = function.arn.split(":")
    if len(parts) <= 7:
        return function
    return msgspec.structs.replace(
        function, arn=":".join(parts[:7]), name=function.name or parts[6], version=function.version or parts[7]
    )
