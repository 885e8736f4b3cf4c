"""Zip packages of a given content: believable files, of which large ones are a page of code again and again."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from random import Random

from demo.packages import Files

BUILT = (2026, 11, 2, 9, 30, 0)
WORDS = ("def", "return", "self", "import", "class", "value", "None", "order", "context", "event", "=", "(", ")", ":")
PAGES = 12
"""So many times a page stands in a block, of which larger files are made."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The content of a file, as it stands in a zip."""

    data: bytes
    size: int
    crc: int


@cache
def page(seed: str) -> bytes:
    random = Random(seed)
    return " ".join(random.choice(WORDS) + str(random.randrange(100)) for _ in range(3_000)).encode()


@cache
def text(seed: str, size: int) -> Packed:
    """``size`` bytes of code; equal blocks are only compressed once, because a gigabyte of packages takes its time."""
    block = page(seed) * PAGES
    number, rest = divmod(size, len(block))
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH) if number else b""
    tail = deflate.compress(block[:rest]) + deflate.flush()
    crc = 0
    for _ in range(number):
        crc = zlib.crc32(block, crc)
    return Packed(head * number + tail, size, zlib.crc32(block[:rest], crc))


def archive(files: Files) -> bytes:
    """A zip of these files: text as it is, a number as so many bytes of code."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, BUILT)
            if isinstance(content, str):
                target.writestr(info, content, zipfile.ZIP_DEFLATED)
            else:
                put(target, info, text(name, content))
    return memory.getvalue()


def put(target: zipfile.ZipFile, info: zipfile.ZipInfo, packed: Packed) -> None:
    """Add what is compressed already, for which ``zipfile`` has no method."""
    assert target.fp is not None
    info.compress_type, info.file_size, info.compress_size = zipfile.ZIP_DEFLATED, packed.size, len(packed.data)
    info.CRC, info.header_offset = packed.crc, target.start_dir
    target.fp.seek(target.start_dir)
    target.fp.write(info.FileHeader() + packed.data)
    target.start_dir = target.fp.tell()
    target.filelist.append(info)
    target.NameToInfo[info.filename] = info
    target._didModify = True  # type: ignore[attr-defined]
