"""The one place that decompresses. Streams, and stops one byte past the limit, whatever the header claims."""

import io
import threading
import zlib

import zstandard

from ingest.refusal import Code, RefusedError

MAX_COMPRESSED = 1024 * 1024
MAX_EXPANDED = 10 * 1024 * 1024
MAX_RATIO = 100
RATIO_FREE = 64 * 1024
"""Bodies that expand to less than this may have any ratio: repetitive telemetry is not a bomb."""
MAX_WINDOW = 8 * 1024 * 1024
CHUNK = 64 * 1024
GZIP = 31

_local = threading.local()  # A zstd context must not be shared between threads.


def expand(body: bytes, encoding: str) -> bytes:
    """The plain body. Raises ``RefusedError`` for an unknown encoding, broken data, or more than the limits allow."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    limit = min(MAX_EXPANDED, max(len(body) * MAX_RATIO, RATIO_FREE))
    if encoding == "gzip":
        plain = _gunzip(body, limit)
    elif encoding == "zstd":
        plain = _unzstd(body, limit)
    else:
        raise RefusedError(Code.UNSUPPORTED_ENCODING, "Content-Encoding must be gzip, zstd or identity, and only one.")
    if len(plain) > limit:
        raise RefusedError(Code.TOO_LARGE_DECOMPRESSED, f"The body expands past {limit} bytes.")
    return plain


def pack(body: bytes) -> bytes:
    """Compress for the buffer: zstd, level 1."""
    compressor: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = zstandard.ZstdCompressor(level=1)
    return compressor.compress(body)


def unpack(packed: bytes) -> bytes:
    """Undo ``pack``. Raises ``RefusedError`` when the data is damaged."""
    return _unzstd(packed, 2 * MAX_EXPANDED)


def expanded_size(packed: bytes) -> int:
    """How many bytes ``unpack`` will answer, as ``pack`` noted it; 0 for damaged data."""
    try:
        return max(zstandard.frame_content_size(packed), 0)
    except zstandard.ZstdError:
        return 0


def _gunzip(body: bytes, limit: int) -> bytes:
    """All members of a gzip stream, at most ``limit + 1`` bytes of them."""
    parts, size, rest = [], 0, body
    while rest and size <= limit:
        stream = zlib.decompressobj(GZIP)
        try:
            part = stream.decompress(rest, limit + 1 - size)
        except zlib.error:
            raise RefusedError(Code.INVALID_ENCODING, "The body is not valid gzip.") from None
        size += len(part)
        if not stream.eof and size <= limit:
            raise RefusedError(Code.INVALID_ENCODING, "The gzip body ends too early.")
        parts.append(part)
        rest = stream.unused_data.lstrip(b"\0")  # Padding after the last member is allowed.
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _unzstd(body: bytes, limit: int) -> bytes:
    """All frames of a zstd stream, at most ``limit + 1`` bytes of them."""
    reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(
        io.BytesIO(body), read_across_frames=True
    )
    parts, size = [], 0
    try:
        while size <= limit and (part := reader.read(min(CHUNK, limit + 1 - size))):
            parts.append(part)
            size += len(part)
    except zstandard.ZstdError:
        raise RefusedError(Code.INVALID_ENCODING, "The body is not valid zstd.") from None
    return b"".join(parts)
