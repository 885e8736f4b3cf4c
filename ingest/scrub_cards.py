"""Finds card numbers: 13 to 19 digits, in groups or not, of a known issuer, with a right Luhn check digit."""

import re
from collections.abc import Iterator

from ingest.scrub_spans import Span, mark_number

SHAPES = bytes(
    ord("0") if chr(byte) in "0123456789" else ord("-") if chr(byte) in " -" else ord("_") for byte in range(256)
)
"""Digits look like 0, separators like -, all else like _."""

RUN = b"0" * 13
GROUPS = (b"0000-0000-0000-0000", b"0000-000000-00000")
NUMBER = (
    rb"(?:[0-9]{13,19}|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{4}([ -])[0-9]{6}\2[0-9]{5})"
    rb"(?![A-Za-z0-9_]|[.-][0-9A-Za-z])"
)
CARD = re.compile(rb"(?:(?<![A-Za-z0-9./_-])|(?<=\\[nrt]))" + NUMBER)
ISSUER = re.compile(
    rb"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    rb"|3(?:0[0-5]|[689]\d)\d{11}|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
)
DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def cards(text: bytes) -> Iterator[Span]:
    """Every card number in a text, in order."""
    shapes = text.translate(SHAPES)
    for start in sorted(_places(shapes)):
        found = CARD.match(text, start)
        if found and is_card(found[0].replace(b" ", b"").replace(b"-", b"")):
            yield mark_number(text, start, found.end(), "card")


def is_card(digits: bytes) -> bool:
    """Whether an issuer gives out such numbers and the check digit is right."""
    return bool(ISSUER.fullmatch(digits)) and luhn(digits)


def luhn(digits: bytes) -> bool:
    odd = sum(digit - 48 for digit in digits[-1::-2])
    return (odd + sum(DOUBLED[digit - 48] for digit in digits[-2::-2])) % 10 == 0


def _places(shapes: bytes) -> Iterator[int]:
    """Where digits stand as on a card; each run of digits is visited once."""
    start = shapes.find(RUN)
    while start >= 0:
        yield start
        end = start + len(RUN)
        while shapes[end : end + 1] == b"0":
            end += 1
        start = shapes.find(RUN, end)
    for group in GROUPS:
        start = shapes.find(group)
        while start >= 0:
            yield start
            start = shapes.find(group, start + 1)
