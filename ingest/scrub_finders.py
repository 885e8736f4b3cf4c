"""What to do where a hint occurs: each finder looks at that one place and says what to replace there, if anything."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence

from ingest.scrub_rules import HARMLESS, KEYS, PAGES, TOKENS, KeyRule, TokenRule
from ingest.scrub_spans import Span, closing, mark, mark_number

Finder = Callable[[bytes, int, int], Sequence[Span]]
"""Called with the text and where the hint starts and ends."""

ASSIGNMENT = re.compile(
    rb"(?P<close>\\{0,15}[\"'])?"
    rb"(?:(?P<tight>=>|:=|=|%3[dD])|\s{0,8}(?P<loose>=>|:=|[:=])|(?P<element>>)"
    rb"|\s{0,4},\s{0,4}\\{0,15}[\"'](?i:value)\\{0,15}[\"']\s{0,4}(?P<named>:))"
    rb"\s{0,8}(?:(?:\[\s{0,8})?[bBuU]?(?P<open>\\{0,15}[\"'])|(?=[^\s\"'\\]))"
)
BARE = re.compile(rb"[^\s\"'\\,;&<>]++")
SINGLE = re.compile(rb"[^\"'\\]*+")
NOT_PROSE = re.compile(rb"(?=[^0-9]*+[0-9]).{6,}|.{20,}")
NUMBER_KINDS = ("password", "card_code")
AWS_KEY = re.compile(
    rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))((?:AKIA|ASIA)[A-Z0-9]{16})(?![A-Za-z0-9])"
    rb"(?:[\s,:;|/\"'\\]{1,8}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+]))?"
)
SCHEME = re.compile(rb"\s{1,4}([A-Za-z0-9._~+/=-]{8,}+)")
LIKE_BEARER = re.compile(rb"(?=[^0-9]*+[0-9]).{8,}|.{30,}")
PEM_BEGIN = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
PEM_END = re.compile(rb"-----END [A-Z0-9 ]{0,60}-----")
COOKIE = re.compile(
    rb"s?(?P<close>\\{0,15}[\"'])?\s{0,4}[:=]\s{0,4}(?P<list>\[\s{0,4})?(?P<open>\\{0,15}[\"'])?(?=[^\s\"'\\])"
)
COOKIE_LINE = re.compile(rb"[A-Za-z0-9_.%-]{1,64}=[^\"'\\\r\n]++")
MORE = re.compile(rb"\\{0,15}[\"']\s{0,4},\s{0,4}(?P<open>\\{0,15}[\"'])(?=[^\"'\\])")


def by_looks(rule: TokenRule) -> Finder:
    group = 1 if rule.pattern.groups else 0

    def find(text: bytes, start: int, _end: int) -> Sequence[Span]:
        found = rule.pattern.match(text, start)
        return (mark(found.start(group), found.end(group), rule.kind),) if found else ()

    return find


def by_name(rule: KeyRule) -> Finder:
    def find(text: bytes, start: int, end: int) -> Sequence[Span]:
        tail = rule.tail.match(text, end)
        found = ASSIGNMENT.match(text, tail.end()) if tail else None
        if found is None or is_no_secret(rule.kind, text[max(0, start - 16) : start].lower()):
            return ()
        span = quoted(text, found) if found["open"] else bare(text, found, rule.kind)
        if span is None or HARMLESS.fullmatch(text, *span):
            return ()
        return (mark(*span, rule.kind) if found["open"] else mark_number(text, *span, rule.kind),)

    return find


def is_no_secret(kind: str, before: bytes) -> bool:
    """Whether what stands before the name says so: a token that turns pages, or the ``:secret:`` of an ARN."""
    return (kind == "token" and before.rstrip(b"_-").endswith(PAGES)) or (kind == "secret" and before.endswith(b":"))


def quoted(text: bytes, found: re.Match[bytes]) -> tuple[int, int] | None:
    """The value inside the quotes that follow a name."""
    opening, start = found["open"], found.end()
    if opening.endswith(b"'"):
        value = SINGLE.match(text, start)
        return value.span() if value and value[0] else None
    if found["close"] != opening and (opening == b'"' or text[start : start + 1] in (b",", b":", b"}", b"]", b")")):
        return None  # That quote does not open a value: it ends the string in which the name stands.
    end = closing(text, start, len(opening) - 1)
    return (start, end) if end > start else None


def bare(text: bytes, found: re.Match[bytes], kind: str) -> tuple[int, int] | None:
    """The value without quotes that follows a name, unless it reads like prose."""
    value = BARE.match(text, found.end())
    if value is None:
        return None
    stripped = value[0].rstrip(b")]}.:") if value[0][:1] not in b"[{(" else b""
    end = value.start() + len(stripped)
    if len(stripped) < 3 or (stripped.isdigit() and len(stripped) < 6 and kind not in NUMBER_KINDS):
        return None
    certain = found["tight"] or found["element"] or (found["close"] and kind == "password") or kind == "card_code"
    if not certain and not NOT_PROSE.fullmatch(stripped):
        return None
    if kind == "card_code" and not (stripped.isdigit() and len(stripped) <= 4):
        return None
    return value.start(), end


def aws_key(text: bytes, start: int, _end: int) -> Sequence[Span]:
    """An access key id, and the secret where it stands right behind."""
    found = AWS_KEY.match(text, start)
    if not found:
        return ()
    spans = [mark(*found.span(1), "aws_access_key_id")]
    if found[2]:
        spans.append(mark(*found.span(2), "aws_secret_access_key"))
    return spans


def bearer(text: bytes, _start: int, end: int) -> Sequence[Span]:
    found = SCHEME.match(text, end)
    return (mark(*found.span(1), "bearer"),) if found and LIKE_BEARER.fullmatch(found[1]) else ()


def basic(text: bytes, _start: int, end: int) -> Sequence[Span]:
    """Base64 that holds ``user:password``."""
    found = SCHEME.match(text, end)
    if not found:
        return ()
    try:
        credentials = base64.b64decode(found[1][:1024] + b"=" * (-len(found[1][:1024]) % 4), validate=True)
    except binascii.Error:
        return ()
    return (mark(*found.span(1), "basic_auth"),) if b":" in credentials else ()


def authorization(text: bytes, _start: int, end: int) -> Sequence[Span]:
    """A whole header of whatever scheme, where it is quoted; the schemes have finders of their own elsewhere."""
    found = ASSIGNMENT.match(text, end)
    span = quoted(text, found) if found and found["open"] else None
    if span is None or HARMLESS.fullmatch(text, *span) or span[1] - span[0] < 8:
        return ()
    scheme = text[span[0] : span[0] + 7].lower()
    kind = "bearer" if scheme == b"bearer " else "basic_auth" if scheme[:6] == b"basic " else "authorization"
    return (mark(*span, kind),)


def private_key(text: bytes, start: int, _end: int) -> Sequence[Span]:
    """A PEM block; one that is cut off goes to the end of its string."""
    if not PEM_BEGIN.match(text, start):
        return ()
    string_end = text.find(b'"', start)
    string_end = len(text) if string_end < 0 else string_end
    end = text.find(b"-----END", start, string_end)
    found = PEM_END.match(text, end) if end >= 0 else None
    return (mark(start, found.end() if found else len(text[:string_end].rstrip(b"\\")), "private_key"),)


def cookie(text: bytes, start: int, end: int) -> Sequence[Span]:
    """The values of Cookie and Set-Cookie, as a header line, a JSON string or a list of them."""
    found = COOKIE.match(text, end)
    if not found:
        return ()
    kind = "set_cookie" if text[max(0, start - 4) : start].lower() in (b"set-", b"set_") else "cookie"
    if not found["open"]:
        line = COOKIE_LINE.match(text, found.end())
        return (mark(*line.span(), kind),) if line else ()
    spans = []
    more: re.Match[bytes] | None = found
    while more:
        span = quoted(text, found) if more is found else string_at(text, more)
        if span is None or b"=" not in text[span[0] : span[0] + 128]:
            break
        spans.append(mark(*span, kind))
        more = MORE.match(text, span[1]) if found["list"] else None
    return spans


def string_at(text: bytes, found: re.Match[bytes]) -> tuple[int, int] | None:
    opening, start = found["open"], found.end()
    if opening.endswith(b"'"):
        value = SINGLE.match(text, start)
        return value.span() if value else None
    return start, closing(text, start, len(opening) - 1)


def _all() -> dict[bytes, list[Finder]]:
    finders: dict[bytes, list[Finder]] = {
        b"akia": [aws_key],
        b"asia": [aws_key],
        b"bearer": [bearer],
        b"basic": [basic],
        b"authorization": [authorization],
        b"-----begin ": [private_key],
        b"cookie": [cookie],
    }
    for token_rule in TOKENS:
        for hint in token_rule.hints:
            finders.setdefault(hint.encode(), []).append(by_looks(token_rule))
    for key_rule in KEYS:
        for hint in key_rule.hints:
            finders.setdefault(hint.encode(), []).append(by_name(key_rule))
    return finders


FINDERS = _all()
"""Hint (lower case) → finders to ask where it occurs."""
