"""A stretch of JSON text to replace, and where JSON strings end at whatever depth of quoting."""

import re
from typing import NamedTuple

QUOTE = ord('"')
BACKSLASH = ord("\\")
NAME_BEFORE = re.compile(rb"(\\{0,15}[\"'])\s{0,4}:\s{0,4}\Z")
IN_LIST = re.compile(rb"(\\{1,15}\")[^\"]*[\[,]\s{0,4}\Z")
"""A place in a list, inside JSON that is itself in a string; the nearest quote tells how deep."""

AFTER_ITEM = re.compile(rb"\s{0,4}[,\]]")
NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class Span(NamedTuple):
    """Replace ``[start, end)`` by ``replacement``."""

    start: int
    end: int
    replacement: bytes


def mark(start: int, end: int, kind: str) -> Span:
    return Span(start, end, b"[scrubbed:%s]" % kind.encode())


def mark_number(text: bytes, start: int, end: int, kind: str) -> Span:
    """As ``mark``; a bare JSON number becomes a string, in quotes as deep as those before it."""
    span = mark(start, end, kind)
    quote = NAME_BEFORE.search(text, max(0, start - 24), start) or (
        IN_LIST.search(text, max(0, start - 200), start) if AFTER_ITEM.match(text, end) else None
    )
    if quote is None or not NUMBER.fullmatch(text, start, end):
        return span
    return span._replace(replacement=quote[1] + span.replacement + quote[1])


def closing(text: bytes, start: int, depth: int) -> int:
    """Where the string that began at ``start`` after a quote with ``depth`` backslashes ends.

    A quote inside JSON that is itself a JSON string, n levels down, has 2**n - 1 backslashes. The string also ends
    where one around it ends.
    """
    position = start
    while (quote := text.find(b'"', position)) >= 0:
        first = quote
        while first > start and text[first - 1] == BACKSLASH:
            first -= 1
        slashes = quote - first
        if slashes % (2 * (depth + 1)) == depth:
            return quote - depth
        if slashes < depth:
            return first
        position = quote + 1
    return len(text)
