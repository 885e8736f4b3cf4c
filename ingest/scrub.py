"""Takes secrets out of a body before anything keeps it.

Works on the JSON text itself, at whatever depth of JSON inside strings inside JSON: a secret is replaced by
``[scrubbed:kind]``, quotes and escapes around it stay. One pass over the whole body finds the places worth a look
(fixed texts by Aho-Corasick, digits by ``bytes.translate``); patterns only ever run at those places.
"""

from collections.abc import Iterable, Iterator

import msgspec
from ahocorasick_rs import BytesAhoCorasick

from ingest.scrub_cards import cards
from ingest.scrub_finders import FINDERS
from ingest.scrub_spans import Span

CHUNK = 64 * 1024
"""Hints are searched this many bytes at a time, so that a body made of hints does not fill the memory with them."""

HINTS = tuple(FINDERS)
FOUND = tuple(FINDERS.values())
OVERLAP = max(map(len, HINTS)) - 1
_hints = BytesAhoCorasick(HINTS)


def scrub(body: bytes) -> bytes:
    """The JSON text without its secrets; still JSON, whatever was in it."""
    clean = replace(body, named(body))
    clean = replace(clean, cards(clean))
    if clean is body or _is_json(clean):
        return clean
    return msgspec.json.encode(_scrub_value(msgspec.json.decode(body)))


def named(text: bytes) -> Iterator[Span]:
    """What the finders find, in order and without overlaps."""
    done = 0
    for hint, start, end in _occurrences(text.lower()):
        if start < done:
            continue
        for find in FOUND[hint]:
            if spans := find(text, start, end):
                yield from spans
                done = spans[-1].end
                break


def replace(text: bytes, spans: Iterable[Span]) -> bytes:
    """The text with its spans replaced; the very same object when there are none."""
    parts: list[bytes] = []
    done = 0
    for span in spans:
        if span.start < done:
            continue
        parts += (text[done : span.start], span.replacement)
        done = span.end
    return b"".join((*parts, text[done:])) if parts else text


def _occurrences(lower: bytes) -> Iterator[tuple[int, int, int]]:
    if len(lower) <= CHUNK:
        yield from sorted(_hints.find_matches_as_indexes(lower, overlapping=True), key=_start)
        return
    for offset in range(0, len(lower), CHUNK):
        piece = lower[offset : offset + CHUNK + OVERLAP]
        for hint, start, end in sorted(_hints.find_matches_as_indexes(piece, overlapping=True), key=_start):
            if start < CHUNK:
                yield hint, offset + start, offset + end


def _start(occurrence: tuple[int, int, int]) -> int:
    return occurrence[1]


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _scrub_value(value: object) -> object:
    """The careful way, for a text in which replacing broke the JSON: value by value."""
    if isinstance(value, dict):
        return {str(_scrub_value(name)): _scrub_value(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_scrub_value(inner) for inner in value]
    text = msgspec.json.encode(value)
    clean = replace(text, named(text))
    clean = replace(clean, cards(clean))
    if clean is text:
        return value
    if not isinstance(value, str):
        return clean.decode()
    return msgspec.json.decode(clean) if _is_json(clean) else "[scrubbed:unclear]"
