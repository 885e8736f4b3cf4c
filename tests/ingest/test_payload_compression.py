"""Bodies expand only as far as the limits, whatever they claim."""

import gzip
import random
import zlib
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.compression import MAX_EXPANDED, RATIO_FREE, expand, pack, unpack
from ingest.refusal import Code, RefusedError

MIB = 1024 * 1024
NOISE = random.Random(1).randbytes(40_000)


def zstd(body: bytes, *, size: bool = True) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=size).compress(body)


def refusal(body: bytes, encoding: str) -> Code:
    with pytest.raises(RefusedError) as refused:
        expand(body, encoding)
    return refused.value.code


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2_000))
def test_every_encoding_gives_the_body_back(body: bytes) -> None:
    half = len(body) // 2
    assert expand(body, "") == expand(body, "identity") == body
    assert expand(gzip.compress(body), " GZIP ") == expand(zstd(body), "zstd") == body
    assert expand(gzip.compress(body[:half]) + gzip.compress(body[half:]), "gzip") == body
    assert expand(zstd(body[:half]) + zstd(body[half:]), "zstd") == body
    assert unpack(pack(body)) == body


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["gzip", "zstd"]))
def test_rubbish_is_refused_or_expands_to_little(body: bytes, encoding: str) -> None:
    with suppress(RefusedError):
        assert len(expand(body, encoding)) <= RATIO_FREE


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"0" * 64 * MIB, 1), "gzip"),
        (gzip.compress(b" " * MIB) * 60, "gzip"),
        (zstd(b"0" * 64 * MIB), "zstd"),
        (zstd(b"0" * 64 * MIB, size=False), "zstd"),
        (zstd(b" " * MIB) * 60, "zstd"),
        (gzip.compress(NOISE * 400, 9), "gzip"),
    ],
    ids=["gzip", "members", "zstd", "zstd without size", "frames", "past ten mebibytes"],
)
def test_a_bomb_is_refused(body: bytes, encoding: str) -> None:
    assert refusal(body, encoding) is Code.TOO_LARGE_DECOMPRESSED


def test_the_limit_itself_is_allowed() -> None:
    body = (NOISE * 300)[:MAX_EXPANDED]
    assert len(expand(gzip.compress(body), "gzip")) == MAX_EXPANDED
    assert refusal(gzip.compress(body + b"x"), "gzip") is Code.TOO_LARGE_DECOMPRESSED


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", "gzip"),
        (b"{}", "zstd"),
        (gzip.compress(b"{}" * 99, mtime=0)[:-4], "gzip"),
        (gzip.compress(b"{}", mtime=0) + b"more", "gzip"),
        (gzip.compress(b"{}", mtime=0)[:-8] + b"\0" * 8, "gzip"),
        (zlib.compress(b"{}"), "gzip"),
    ],
)
def test_broken_compression_is_refused(body: bytes, encoding: str) -> None:
    assert refusal(body, encoding) is Code.INVALID_ENCODING


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, zstd", "gzip,gzip", "identity, gzip", "x", "*"])
def test_other_and_chained_encodings_are_refused(encoding: str) -> None:
    assert refusal(b"{}", encoding) is Code.UNSUPPORTED_ENCODING
