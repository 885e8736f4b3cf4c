"""What a zip holds, by its central directory alone, which is read from the end of the file: ADR 17.

Three requests and less than a megabyte suffice, however large the archive. Nothing is unpacked. What the directory
says is believed where it can be true: of sizes within what deflate can do, of files that do not overlap, of as many
entries as are there. Anything else is refused by name.

APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from observability.aws.downloads import Download, DownloadError, Failure

TAIL = 128 * 1024
"""What is read first: the end record with the longest comment, and the whole directory of most functions."""

END = struct.Struct("<4s4H2LH")
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")
ENTRY = struct.Struct("<4s6H3L5H2L")
FILE, DIRECTORY, SIGNATURE = b"PK\3\4", b"PK\1\2", b"PK\5\6"
SIGNATURE_64, LOCATOR_SIGNATURE_64 = b"PK\6\6", b"PK\6\7"
LOCAL_HEADER = 30
FULL_16, FULL_32 = 0xFFFF, 0xFFFF_FFFF
STORED, DEFLATED = 0, 8
MOST_RATIO = 1032
"""Deflate makes at most 258 bytes of two bits."""

ENCRYPTED = 0x2041
"""Flags: encrypted, strongly so, or with a masked directory."""

UNIX, LINK, KIND = 3, 0o120_000, 0o170_000
LONGEST_PATH, LONGEST_NAME = 4_096, 255
"""What Linux can unpack, in bytes and characters; whoever looks for patterns in paths relies on it."""


class Status(StrEnum):
    """What came of reading an archive. ``EXACT`` is good, ``CUT`` tells the least that it can be."""

    EXACT = "exact"
    CUT = "too_many_files"
    NOT_A_ZIP = "not_a_zip"
    TRUNCATED = "truncated"
    CONTRADICTORY = "contradictory"
    ENCRYPTED = "encrypted"
    UNSAFE_PATH = "unsafe_path"
    UNKNOWN_METHOD = "unknown_method"
    SPANNED = "spanned"
    DENIED = "not_allowed"
    ADDRESS = Failure.ADDRESS.value
    EXPIRED = Failure.EXPIRED.value
    MISSING = Failure.MISSING.value
    NO_RANGES = Failure.NO_RANGES.value
    TOO_SLOW = Failure.TOO_SLOW.value
    UNREACHABLE = Failure.UNREACHABLE.value


SENTENCES: Mapping[str, str] = {
    Status.EXACT: "",
    Status.CUT: "It holds so many files that only the first part of their list was read: it is at least this large.",
    Status.NOT_A_ZIP: "The package is not a zip archive.",
    Status.TRUNCATED: "The zip archive is cut off: its list of files is missing.",
    Status.CONTRADICTORY: "The zip archive contradicts itself: its list of files tells sizes or places that cannot be.",
    Status.ENCRYPTED: "The zip archive is encrypted.",
    Status.UNSAFE_PATH: "The zip archive has a file whose path leads out of its folder.",
    Status.UNKNOWN_METHOD: "The zip archive is compressed in a way that Lambda's own tools do not use.",
    Status.SPANNED: "The zip archive is one of several volumes.",
    Status.DENIED: "The account that owns it does not let Nightjar read it.",
    Status.ADDRESS: "AWS named an address for the download that does not belong to its storage, so it was not called.",
    Status.EXPIRED: "AWS's address of the package had expired before it was read.",
    Status.MISSING: "AWS does not have the package any more.",
    Status.NO_RANGES: "The storage would only send the package as a whole, which was not asked for.",
    Status.TOO_SLOW: "AWS's storage took too long to answer.",
    Status.UNREACHABLE: "AWS's storage could not be reached.",
}
TRANSIENT = frozenset({Status.EXPIRED, Status.TOO_SLOW, Status.UNREACHABLE})
"""It may be read another time."""


class Entry(NamedTuple):
    """One file. ``bytes`` is unpacked, ``packed`` in the archive; ``crc`` is of its content."""

    path: str
    bytes: int
    packed: int
    crc: int
    link: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """What the directory lists; without folders, and a path that stands twice counts once, as it is unpacked last."""

    status: Status
    zipped_bytes: int | None
    entries: tuple[Entry, ...] = ()
    requests: int = 0
    transferred: int = 0

    @property
    def readable(self) -> bool:
        return self.status in (Status.EXACT, Status.CUT)

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.entries)

    @property
    def files(self) -> int:
        return len(self.entries)


class _RefusedError(Exception):
    def __init__(self, status: Status) -> None:
        self.status = status


@dataclass(frozen=True, slots=True)
class _End:
    """The end record: how many entries, where the directory starts, where it ends, what stands before the archive."""

    entries: int
    start: int
    stop: int
    prefix: int


def sentence(status: str) -> str:
    """What a status means, for the people whose package it is; nothing for what is no status."""
    return SENTENCES.get(status, "")


def read(url: str) -> Archive:
    """The archive at a presigned address. Never raises: what went wrong is its status."""
    try:
        with Download(url) as download:
            status, entries = _attempt(download)
    except DownloadError as error:
        return Archive(Status(error.failure.value), None)
    return Archive(status, download.size, entries, download.requests, download.transferred)


def _attempt(download: Download) -> tuple[Status, tuple[Entry, ...]]:
    try:
        entries, complete = _read(download)
    except DownloadError as error:
        return Status(error.failure.value), ()
    except _RefusedError as error:
        return error.status, ()
    return Status.EXACT if complete else Status.CUT, tuple(entries)


def _read(download: Download) -> tuple[list[Entry], bool]:
    """The files, and whether these are all."""
    tail = download.last(TAIL)
    size = download.size or 0
    end = _end(tail, size - len(tail))
    if end is None:
        raise _RefusedError(_why_not(download, tail, size))
    data = _directory(download, tail, size - len(tail), end)
    complete = len(data) == end.stop - end.start
    return _files(data, end, complete), complete


def _why_not(download: Download, tail: bytes, size: int) -> Status:
    """What a file without an end record is, by how it begins."""
    if SIGNATURE in tail:
        return Status.CONTRADICTORY
    begins = tail[:4] if size <= len(tail) else download.part(0, 4)
    return Status.TRUNCATED if begins == FILE else Status.NOT_A_ZIP


def _end(tail: bytes, at: int) -> _End | None:
    """The one end record whose comment reaches to the end of the file; two of them would be two archives in one."""
    places = [place for place in _places(tail) if place + END.size + END.unpack_from(tail, place)[7] == len(tail)]
    if not places:
        return None
    if len(places) > 1:
        raise _RefusedError(Status.CONTRADICTORY)
    _, disk, first_disk, here, count, size, offset, _ = END.unpack_from(tail, places[0])
    told, place = (disk, first_disk, here, count, size, offset), places[0]
    found = _end_64(tail, place, told)
    if found:
        place -= LOCATOR_64.size + END_64.size
        disk, first_disk, here, count, size, offset = found
    if disk or first_disk or here != count:
        raise _RefusedError(Status.SPANNED)
    stop = at + place
    prefix = stop - size - offset
    if prefix < 0:
        raise _RefusedError(Status.CONTRADICTORY)
    return _End(count, stop - size, stop, prefix)


def _places(tail: bytes) -> Iterator[int]:
    place = tail.rfind(SIGNATURE)
    while place >= 0:
        if place + END.size <= len(tail):
            yield place
        place = tail.rfind(SIGNATURE, 0, place)


def _end_64(tail: bytes, place: int, told: Sequence[int]) -> tuple[int, ...] | None:
    """The same figures in 64 bits, where they stand before the end record; both must agree where both can."""
    locator = place - LOCATOR_64.size
    if locator < 0 or not tail.startswith(LOCATOR_SIGNATURE_64, locator):
        return None
    record = locator - END_64.size
    if record < 0 or not tail.startswith(SIGNATURE_64, record):
        raise _RefusedError(Status.CONTRADICTORY)
    _, length, _, _, *figures = END_64.unpack_from(tail, record)
    full = (FULL_16, FULL_16, FULL_16, FULL_16, FULL_32, FULL_32)
    agree = all(old in (most, new) for old, most, new in zip(told, full, figures, strict=True))
    if not agree or length != END_64.size - 12:
        raise _RefusedError(Status.CONTRADICTORY)
    return tuple(figures)


def _directory(download: Download, tail: bytes, at: int, end: _End) -> bytes:
    """The directory; of one that is too long, as much of its beginning as may be read."""
    if end.start >= at:
        return tail[end.start - at : end.stop - at]
    missing = min(end.stop, at)
    if missing - end.start > download.left:
        return download.part(end.start, end.start + download.left)
    return download.part(end.start, missing) + tail[: max(0, end.stop - at)]


def _files(data: bytes, end: _End, complete: bool) -> list[Entry]:
    """The files in order. Raises ``_RefusedError`` when one of them, or all together, cannot be."""
    files: dict[str, Entry] = {}
    places: list[tuple[int, int]] = []
    count = 0
    for entry, place, length in _entries(data, complete):
        count += 1
        places.append((place + end.prefix, place + end.prefix + length))
        if entry.path and not entry.path.endswith("/"):
            files[entry.path] = entry
        elif entry.bytes:
            raise _RefusedError(Status.CONTRADICTORY)
    if count != end.entries if complete else count > end.entries:
        raise _RefusedError(Status.CONTRADICTORY)
    _check_places(places, end)
    return list(files.values())


def _check_places(places: list[tuple[int, int]], end: _End) -> None:
    """Files stand one after another before the directory; where they overlap, one is unpacked many times."""
    places.sort()
    borders = [*(start for start, _ in places[1:]), end.start]
    if any(stop > border for (_, stop), border in zip(places, borders, strict=False)):
        raise _RefusedError(Status.CONTRADICTORY)


def _entries(data: bytes, complete: bool) -> Iterator[tuple[Entry, int, int]]:
    """Each entry with its place in the archive and the least that it takes there."""
    at = 0
    while at < len(data):
        if len(data) - at < ENTRY.size:
            return _ended(complete)
        (signature, made, _, flags, method, _, _, crc, packed, size, named, extras, noted, disk, _, kind, place) = (
            ENTRY.unpack_from(data, at)
        )
        if signature != DIRECTORY:
            raise _RefusedError(Status.CONTRADICTORY)
        start, at = at + ENTRY.size, at + ENTRY.size + named + extras + noted
        if at > len(data):
            return _ended(complete)
        extra = data[start + named : start + named + extras]
        size, packed, place = _in_64_bits(extra, size, packed, place)
        if flags & ENCRYPTED:
            raise _RefusedError(Status.ENCRYPTED)
        if disk not in (0, FULL_16):
            raise _RefusedError(Status.SPANNED)
        _check_sizes(method, packed, size)
        link = made >> 8 == UNIX and (kind >> 16) & KIND == LINK
        yield Entry(_path(data[start : start + named]), size, packed, crc, link), place, LOCAL_HEADER + named + packed


def _ended(complete: bool) -> None:
    """In the middle of an entry: that is how a directory ends of which only a part was read."""
    if complete:
        raise _RefusedError(Status.CONTRADICTORY)


def _in_64_bits(extra: bytes, *figures: int) -> list[int]:
    """Figures that are too large for 32 bits stand in an extra field, in their order, each only where it is needed."""
    found, wanted = list(figures), [index for index, figure in enumerate(figures) if figure == FULL_32]
    at = 0
    while wanted and at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            if length < 8 * len(wanted) or at + 4 + length > len(extra):
                break
            for index, value in zip(wanted, struct.unpack_from(f"<{len(wanted)}Q", extra, at + 4), strict=True):
                found[index] = value
            return found
        at += 4 + length
    if wanted:
        raise _RefusedError(Status.CONTRADICTORY)
    return found


def _check_sizes(method: int, packed: int, size: int) -> None:
    if method not in (STORED, DEFLATED):
        raise _RefusedError(Status.UNKNOWN_METHOD)
    if size > packed * (MOST_RATIO if method == DEFLATED else 1) or (method == STORED and size != packed):
        raise _RefusedError(Status.CONTRADICTORY)


def _path(name: bytes) -> str:
    """With slashes, one after each folder. Windows writes backslashes; what leads out of the folder is refused.

    So is what no file can be called: patterns would take minutes to search it.
    """
    try:
        path = name.decode()
    except UnicodeDecodeError:
        path = name.decode("cp437")
    path = path.replace("\\", "/")
    parts = path.split("/")
    if len(name) > LONGEST_PATH or max(map(len, parts)) > LONGEST_NAME:
        raise _RefusedError(Status.CONTRADICTORY)
    if path.startswith("/") or ".." in parts or "\0" in path or path[1:2] == ":":
        raise _RefusedError(Status.UNSAFE_PATH)
    return "/".join([*(part for part in parts[:-1] if part not in ("", ".")), parts[-1]])
