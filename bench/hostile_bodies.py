"""Bodies that nobody should send: 60 written by hand, any number more by mutating good ones. Seeded, repeatable.

They are meant to be posted with a valid ingest key: what is refused has to be refused for what the body is.
"""

import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import zstandard

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HostileBody:
    """One request body with the headers that go with it."""

    name: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def uuid7(at: datetime, chance: random.Random) -> str:
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62)))


def event(now: datetime, chance: random.Random, record: object = "hello", **changes: object) -> dict[str, object]:
    good = {"id": uuid7(now, chance), "time": now.isoformat(), "type": "function", "record": record}
    return good | changes


def envelope(events: object, **changes: object) -> bytes:
    return json.dumps({"schema": 1, "function": {"arn": ARN}, "events": events} | changes).encode()


def around(raw: bytes, now: datetime, chance: random.Random) -> bytes:
    """An envelope with one good event and this as the record of another."""
    body = envelope([event(now, chance), event(now, chance, "HERE")])
    return body.replace(b'"HERE"', raw)


def records() -> dict[str, bytes]:
    """Records that are no JSON, or too much of it."""
    return {
        "nan": b"NaN",
        "infinity": b"-Infinity",
        "float overflow": b"1e400",
        "huge integer": b"9" * 400,
        "integer of 5000 digits": b"9" * 5000,
        "integer past 64 bits": b"18446744073709551616",
        "nul escape": b'"a\\u0000b"',
        "nul byte": b'"a\x00b"',
        "lone high surrogate": b'"\\ud800"',
        "lone low surrogate": b'"x\\udfffx"',
        "swapped surrogates": b'"\\udc00\\ud800"',
        "bad utf-8": b'"\xff\xfe"',
        "overlong utf-8": b'"\xc0\xaf"',
        "utf-8 surrogate": b'"\xed\xa0\x80"',
        "cut utf-8": b'"\xe2\x82"',
        "control character": b'"a\x07b"',
        "depth 33": b"[" * 33 + b"]" * 33,
        "depth 1100": b"[" * 1100 + b"]" * 1100,
        "depth 100000": b"[" * 100_000 + b"]" * 100_000,
        "objects 100000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "never closed": b"[" * 5000,
        "closed too often": b"]" * 50,
        "duplicate names": b'{"a":1,"a":2,"a":{"a":[]}}',
        "two mebibytes of text": b'"' + b"x" * (2 * MIB) + b'"',
        "nine mebibytes of empty lists": b"[" + b"[]," * (3 * MIB) + b"1]",
        "nine mebibytes of numbers": b"[" + b"300," * (9 * MIB // 4) + b"1]",
        "many brackets in text": b'"' + b"[{" * 50_000 + b'"',
        "backslashes": b'"' + b"\\\\" * 100_000 + b'"',
        "quotes": b'"' + b'\\"' * 100_000 + b'"',
        "escaped slashes": b'"' + b"\\/" * 100_000 + b'"',
        "bidi and zero width": '"\u202e\u200b\ufeff\u2066"'.encode(),
        "terminal escapes": b'"\\u001b[2J\\u001b]0;x\\u0007"',
        "markup": b'"<script>alert(1)</script><!channel> =cmd|x"',
        "sql": b'"\'); DROP TABLE ingest_deadletter; --"',
        "key words without end": b'"' + b"password=" * 20_000 + b'"',
        "key words and quotes": b'"' + b'password\\":\\"' * 20_000 + b'"',
        "half a private key": b'"' + b"-----BEGIN RSA PRIVATE KEY-----" * 5_000 + b'"',
        "tokens without end": b'"' + b"-eyJ" * 50_000 + b'"',
        "urls without end": b'"' + b"://a:" * 50_000 + b'"',
        "digits without end": b'"' + b"4111 " * 50_000 + b'"',
        "number as a card": b"[4111111111111111,4111111111111111]",
        "name as a secret": b'{"password=":"x","ghp_0123456789abcdefghij0123456789abcdefghij":1}',
    }


def shapes(now: datetime, chance: random.Random) -> dict[str, bytes]:
    """Whole bodies of the wrong shape."""
    good = event(now, chance)
    return {
        "empty": b"",
        "blank": b" \n\t",
        "null": b"null",
        "number": b"1",
        "string": b'"x"',
        "byte order mark": b"\xef\xbb\xbf" + envelope([good]),
        "utf-16": envelope([good]).decode().encode("utf-16"),
        "cut off": envelope([good])[:-3],
        "followed by more": envelope([good]) + b"{}",
        "no events": envelope([]),
        "events as object": envelope({"a": 1}),
        "schema 2": envelope([good], schema=2),
        "schema as text": envelope([good], schema="1"),
        "no function": envelope([good], function=None),
        "function of somebody": envelope([good], function={"arn": "arn:aws:s3:::bucket"}),
        "impossible numbers": envelope([good], function={"arn": ARN, "memory_mb": 10**30}),
        "long name": envelope([good], function={"arn": ARN, "name": "x" * 100_000}),
        "sent in the year 1": envelope([good], sent_at="0001-01-01T00:00:00+14:00"),
        "sent in the year 9999": envelope([good], sent_at="9999-12-31T23:59:59-14:00"),
        "happened in the year 1": envelope([event(now, chance, time="0001-01-01T00:00:00+14:00"), good]),
        "happens in the year 9999": envelope([event(now, chance, time="9999-12-31T23:59:59-14:00"), good]),
        "year 30000": envelope([event(now, chance, time="30000-01-01T00:00:00Z"), good]),
        "no time zone": envelope([event(now, chance, time="2026-11-23T00:00:00"), good]),
        "40 days old": envelope([event(now, chance, time=(now - timedelta(days=40)).isoformat()), good]),
        "id of all ones": envelope([event(now, chance, id="ffffffff-ffff-7fff-bfff-ffffffffffff"), good]),
        "nil id": envelope([event(now, chance, id="00000000-0000-0000-0000-000000000000"), good]),
        "same id twice": envelope([good, good]),
        "1001 events": envelope([event(now, chance) for _ in range(1001)]),
        "a million commas": b"[" + b"," * MIB + b"]",
        "a million zeros": b"[" + b"0," * MIB + b"0]",
    }


def amplifiers(now: datetime, chance: random.Random) -> Iterator[HostileBody]:
    """JSON that takes many times its size once decoded, with enough noise to pass for an honest ratio."""
    noise = b'"' + chance.randbytes(90_000).hex().encode() + b'",'
    for name, piece in (("lists", b"[],"), ("objects", b"{},"), ("numbers", b"300,"), ("texts", b'"ab",')):
        record = b"[" + noise + piece * (8 * MIB // len(piece)) + b"1]"
        yield packed(f"eight mebibytes of {name}", around(record, now, chance))
        smaller = b"[" + noise + piece * (900_000 // len(piece)) + b"1]"
        events = envelope([event(now, chance, "HERE") for _ in range(8)]).replace(b'"HERE"', smaller)
        yield packed(f"eight events of {name}", events)


def packed(name: str, body: bytes) -> HostileBody:
    return HostileBody(name, gzip.compress(body, 1), {"Content-Encoding": "gzip"})


def encodings(now: datetime, chance: random.Random) -> Iterator[HostileBody]:
    """Compressed bodies that lie, and bombs."""
    good = envelope([event(now, chance)])
    zeros = b"0" * (512 * MIB // 8)
    squeezer = zstandard.ZstdCompressor()
    for name, encoding, body in (
        ("gzip that is none", "gzip", good),
        ("zstd that is none", "zstd", good),
        ("cut gzip", "gzip", gzip.compress(good)[:-9]),
        ("cut zstd", "zstd", squeezer.compress(good)[:-3]),
        ("gzip with a wrong checksum", "gzip", gzip.compress(good)[:-8] + b"\0" * 8),
        ("gzip and rubbish", "gzip", gzip.compress(good) + b"rubbish"),
        ("two gzip members", "gzip", gzip.compress(good[:50]) + gzip.compress(good[50:])),
        ("empty gzip", "gzip", b""),
        ("10,000 gzip members", "gzip", gzip.compress(b"") * 10_000),
        ("gzip bomb", "gzip", gzip.compress(zeros, 1)),
        ("gzip bomb of members", "gzip", gzip.compress(b" " * MIB) * 100),
        ("zstd bomb", "zstd", squeezer.compress(zeros)),
        ("zstd bomb without size", "zstd", zstandard.ZstdCompressor(write_content_size=False).compress(zeros)),
        ("zstd bomb of frames", "zstd", squeezer.compress(b" " * MIB) * 100),
        ("gzip in gzip", "gzip", gzip.compress(gzip.compress(good))),
        ("chained encodings", "gzip, zstd", squeezer.compress(gzip.compress(good))),
        ("deflate", "deflate", zlib.compress(good)),
        ("brotli", "br", good),
        ("unknown encoding", "x" * 1000, good),
    ):
        yield HostileBody(name, body, {"Content-Encoding": encoding})
    yield HostileBody("two mebibytes as sent", b" " * (2 * MIB))


def by_hand(now: datetime, chance: random.Random) -> Iterator[HostileBody]:
    """Every nasty idea, once. What would be too long to send is compressed."""
    bodies = {name: around(raw, now, chance) for name, raw in records().items()} | shapes(now, chance)
    for name, body in bodies.items():
        if len(body) < MIB // 2:
            yield HostileBody(name, body)
        else:
            yield packed(name, body)
    yield from amplifiers(now, chance)
    yield from encodings(now, chance)
    good = [{"time": now.isoformat(), "type": "function", "record": "x"}]
    yield HostileBody("array without a function", json.dumps(good).encode())
    yield HostileBody("array of a wrong function", json.dumps(good).encode(), {"X-Nightjar-Function-Arn": "x" * 5000})


Mutation = Callable[[bytearray, random.Random], bytearray]


def flip(body: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.randint(1, 8)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return body


def cut(body: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(body))
    return body[:start] + body[start + chance.randint(1, 200) :]


def repeat(body: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(body))
    return body[:start] + body[start : start + chance.randint(1, 40)] * chance.randint(2, 200) + body[start:]


def insert(body: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(body))
    scraps = (
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"null",
        b"NaN",
        b"\\u0000",
        b"\\ud800",
        b"\xff",
        b"1e999",
        b"\0",
    )
    return body[:start] + b"".join(chance.choices(scraps, k=chance.randint(1, 6))) + body[start:]


def swap(body: bytearray, chance: random.Random) -> bytearray:
    """Give one field the value of another."""
    pieces = bytes(body).split(b",")
    first, second = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    pieces[first] = pieces[second]
    return bytearray(b",".join(pieces))


MUTATIONS: tuple[Mutation, ...] = (flip, cut, repeat, insert, swap)


def mutated(now: datetime, chance: random.Random) -> HostileBody:
    """A good body of either shape, changed one to three times, perhaps compressed, perhaps changed again."""
    lines = (
        "order 12 paid",
        "[ERROR] ValueError: boom\rTraceback",
        '{"level":"INFO","password":"x"}',
        "token=abc123 " * 9,
    )
    events = [event(now, chance, chance.choice(lines)) for _ in range(chance.randint(1, 12))]
    headers = {}
    if chance.random() < 0.2:
        body = bytearray(json.dumps([{key: e[key] for key in ("time", "type", "record")} for e in events]).encode())
        headers["X-Nightjar-Function-Arn"] = ARN
    else:
        body = bytearray(envelope(events, sent_at=now.isoformat(), extension={"version": "1.0", "dropped": 0}))
    for _ in range(chance.randint(1, 3)):
        body = chance.choice(MUTATIONS)(body, chance) or bytearray(b" ")
    how = chance.random()
    if how < 0.3:
        headers["Content-Encoding"] = "gzip"
        body = bytearray(gzip.compress(bytes(body), 1))
    elif how < 0.5:
        headers["Content-Encoding"] = "zstd"
        body = bytearray(zstandard.ZstdCompressor(level=1).compress(bytes(body)))
    if headers.get("Content-Encoding") and chance.random() < 0.2:
        body = flip(body, chance)
    return HostileBody("mutated", bytes(body), headers)


def bodies(count: int, *, seed: int, now: datetime) -> Iterator[HostileBody]:
    """All that are written by hand, then mutations up to ``count``."""
    chance = random.Random(seed)
    written = list(by_hand(now, chance))
    yield from written[:count]
    for _ in range(count - len(written)):
        yield mutated(now, chance)
