"""What archives hold, read from a storage on loopback: exact to the byte or refused by name, in three requests."""

import io
import random
import stat
import struct
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from observability.aws import archives
from observability.aws.archives import ENTRY, SENTENCES, Archive, Status
from tests.observability.aws.storage import Storage, part

MEGABYTE, WHEN = 1_000_000, (2026, 11, 2, 9, 30, 0)
DIRECTORY, END = b"PK\1\2", b"PK\5\6"
# Where figures stand in an entry of the directory, and in the end record.
FLAGS, METHOD, PACKED, SIZE, EXTRA, PLACE = 8, 10, 20, 24, 30, 42
HERE, COUNT, DIRECTORY_SIZE, DIRECTORY_PLACE = 8, 10, 12, 16


@pytest.fixture
def storage(settings: Settings) -> Iterator[Storage]:
    with Storage() as storage:
        settings.AWS_ENDPOINT_URL = storage.url
        yield storage


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as target:
        for name, content in files.items():
            target.writestr(zipfile.ZipInfo(name, WHEN), content, method)
        target.comment = comment
    return memory.getvalue()


def read(storage: Storage, content: bytes) -> Archive:
    """The archive as it is read, within what may be asked of AWS."""
    storage.requests.clear()
    storage.sent = 0
    archive = archives.read(storage.put(content))
    assert len(storage.requests) == archive.requests <= 3
    assert archive.transferred <= storage.sent <= MEGABYTE
    return archive


def patched(content: bytes, where: bytes, offset: int, form: str, *values: int, which: int = 0) -> bytes:
    """With a lie at an offset from a signature."""
    at = -1
    for _ in range(which + 1):
        at = content.index(where, at + 1)
    lie = struct.pack(form, *values)
    return content[: at + offset] + lie + content[at + offset + len(lie) :]


class TestExact:
    def test_tells_every_file_with_its_sizes(self, storage: Storage) -> None:
        content = zipped({"app/handler.py": b"def handler(): pass\n" * 40, "app/": b"", "logo.png": bytes(range(256))})
        archive = read(storage, content)
        assert archive.status == Status.EXACT
        assert [(entry.path, entry.bytes) for entry in archive.entries] == [("app/handler.py", 800), ("logo.png", 256)]
        assert (archive.bytes, archive.files, archive.zipped_bytes) == (1_056, 2, len(content))
        assert {entry.crc for entry in archive.entries} == {
            info.CRC for info in zipfile.ZipFile(io.BytesIO(content)).infolist() if not info.is_dir()
        }

    def test_archives_within_are_files(self, storage: Storage) -> None:
        inner = zipped({"com/acme/Invoice.class": bytes(50_000)})
        archive = read(storage, zipped({"lib/acme.jar": inner, "data.zip": inner}))
        assert (archive.bytes, archive.files) == (2 * len(inner), 2)

    def test_large_formats(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 20)
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
        content = zipped({f"{number}.bin": random.Random(number).randbytes(1_000) for number in range(5)})
        assert b"PK\6\6" in content
        assert struct.unpack_from("<L", content, content.index(DIRECTORY) + SIZE) == (0xFFFF_FFFF,)
        archive = read(storage, content)
        assert (archive.status, archive.bytes, archive.files) == (Status.EXACT, 5_000, 5)

    def test_ten_thousand_files(self, storage: Storage) -> None:
        files = {f"node_modules/package-{number:05}/index.js": b"x" * (number % 7) for number in range(10_000)}
        archive = read(storage, zipped(files))
        assert (archive.status, archive.files) == (Status.EXACT, 10_000)
        assert archive.bytes == sum(map(len, files.values()))
        assert archive.requests == 2

    def test_three_hundred_megabytes(self, storage: Storage) -> None:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
            for number in range(3):
                target.writestr(f"model-{number}.bin", bytes(100_000_000))
        archive = read(storage, memory.getvalue())
        assert (archive.status, archive.bytes, archive.files) == (Status.EXACT, 300_000_000, 3)
        assert archive.requests == 1

    def test_only_the_end_is_read(self, storage: Storage) -> None:
        content = zipped({"model.bin": random.Random(1).randbytes(3_000_000), "app.py": b"pass"}, zipfile.ZIP_STORED)
        archive = read(storage, content)
        assert (archive.bytes, archive.requests, archive.transferred) == (3_000_004, 1, archives.TAIL)

    @pytest.mark.parametrize("adjusted", [True, False])
    def test_data_before_the_archive(self, storage: Storage, tmp_path: Path, adjusted: bool) -> None:
        before, files = b"#!/bin/sh\nexec unzip $0\n" * 100, {"a": bytes(1_000), "b": bytes(2_000)}
        file = tmp_path / "package.zip"
        if adjusted:
            file.write_bytes(before)
            with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as target:
                for name, body in files.items():
                    target.writestr(name, body)
        else:
            file.write_bytes(before + zipped(files))
        archive = read(storage, file.read_bytes())
        assert (archive.status, archive.bytes, archive.files) == (Status.EXACT, 3_000, 2)

    def test_links_are_small_files(self, storage: Storage) -> None:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as target:
            link = zipfile.ZipInfo("lib/libfoo.so", WHEN)
            link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            target.writestr(link, "/etc/passwd")
            target.writestr("lib/libfoo.so.1", bytes(100))
        archive = read(storage, memory.getvalue())
        assert [(entry.path, entry.bytes, entry.link) for entry in archive.entries] == [
            ("lib/libfoo.so", 11, True), ("lib/libfoo.so.1", 100, False),
        ]  # fmt: skip

    def test_of_two_files_at_one_path_the_last_is_unpacked(self, storage: Storage) -> None:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as target:
            target.writestr("a", bytes(10))
            with pytest.warns(UserWarning, match="Duplicate"):
                target.writestr("a", bytes(30))
        assert [(entry.path, entry.bytes) for entry in read(storage, memory.getvalue()).entries] == [("a", 30)]

    def test_long_comments(self, storage: Storage) -> None:
        archive = read(storage, zipped({"a": bytes(10)}, comment=b"c" * 65_535))
        assert (archive.status, archive.bytes) == (Status.EXACT, 10)

    def test_names_from_windows_and_from_older_tools(self, storage: Storage) -> None:
        content = zipped({"bin\\acme.dll": bytes(10), "./lib//x.so": bytes(20), "grün.txt": b"", "a/": b"", "./": b""})
        content = content.replace("grün".encode(), b"gr\x81n\x2e")  # As code page 437, of the same length.
        archive = read(storage, content)
        assert [entry.path for entry in archive.entries] == ["bin/acme.dll", "lib/x.so", "grün..txt"]

    def test_an_archive_without_files(self, storage: Storage) -> None:
        archive = read(storage, zipped({}))
        assert (archive.status, archive.bytes, archive.files) == (Status.EXACT, 0, 0)

    def test_memory_is_bounded_whatever_is_listed(self, storage: Storage) -> None:
        content = zipped({f"{number:x}": b"" for number in range(60_000)}, zipfile.ZIP_STORED)
        tracemalloc.start()
        archive = read(storage, content)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert archive.status == Status.CUT
        assert peak < 24 * MEGABYTE

    def test_of_an_endless_list_the_beginning_is_told(self, storage: Storage) -> None:
        files = {f"node_modules/{'long/' * 30}{number:05}.js": b"0123456789" for number in range(10_000)}
        archive = read(storage, zipped(files, zipfile.ZIP_STORED))
        assert archive.status == Status.CUT
        assert archive.readable
        assert 3_000 < archive.files < 10_000
        assert archive.bytes == 10 * archive.files


def lies() -> dict[str, tuple[bytes, Status]]:
    """By name: an archive that cannot be, and what it is called."""
    good = zipped({"a.bin": bytes(range(256)) * 10, "b.bin": bytes(5_000)})
    stored = zipped({"a.bin": bytes(100)}, zipfile.ZIP_STORED)
    first = good.index(DIRECTORY)
    contradictory = Status.CONTRADICTORY
    return {
        "a size that no compression reaches": (patched(good, DIRECTORY, SIZE, "<L", 0xFFFF_FFF0), contradictory),
        "a stored file of two sizes": (patched(stored, DIRECTORY, SIZE, "<L", 90), contradictory),
        "sizes in 64 bits that are not there": (patched(good, DIRECTORY, SIZE, "<L", 0xFFFF_FFFF), contradictory),
        "a file larger than the archive": (patched(good, DIRECTORY, PACKED, "<L", 0x7FFF_FFFF), contradictory),
        "files in one another": (patched(good, DIRECTORY, PLACE, "<L", 0, which=1), contradictory),
        "a file behind the directory": (patched(good, DIRECTORY, PLACE, "<L", first + 10, which=1), contradictory),
        "more entries than there are": (patched(good, END, HERE, "<2H", 3, 3), contradictory),
        "fewer entries than there are": (patched(good, END, HERE, "<2H", 1, 1), contradictory),
        "a directory before the file": (patched(good, END, DIRECTORY_PLACE, "<L", 0x7FFF_FFFF), contradictory),
        "a directory larger than the file": (patched(good, END, DIRECTORY_SIZE, "<L", 0x7FFF_FFFF), contradictory),
        "a directory that is cut off": (patched(good, END, DIRECTORY_SIZE, "<L", 40), contradictory),
        "an entry longer than the directory": (patched(good, DIRECTORY, EXTRA, "<H", 9_999, which=1), contradictory),
        "no entries where some should be": (good[:first] + b"\0" * 46 + good[first + 46 :], contradictory),
        "two ends": (zipped({"a": b""}, comment=good[good.index(END) :]), contradictory),
        "something behind the end": (good + b"more", contradictory),
        "a folder with content": (good.replace(b"a.bin", b"abin/"), contradictory),
        "encrypted": (patched(good, DIRECTORY, FLAGS, "<H", 1), Status.ENCRYPTED),
        "another compression": (patched(good, DIRECTORY, METHOD, "<H", 14), Status.UNKNOWN_METHOD),
        "several volumes": (patched(good, END, 4, "<2H", 1, 1), Status.SPANNED),
        "volumes of entries": (patched(good, END, HERE, "<2H", 1, 2), Status.SPANNED),
        "a path upwards": (zipped({"app/../../etc/passwd": b"x"}), Status.UNSAFE_PATH),
        "a path upwards as on Windows": (zipped({"..\\evil.dll": b"x"}), Status.UNSAFE_PATH),
        "a path from the root": (zipped({"/etc/passwd": b"x"}), Status.UNSAFE_PATH),
        "a path with a drive": (zipped({"C:/evil.dll": b"x"}), Status.UNSAFE_PATH),
        "the first half": (good[: len(good) // 2], Status.TRUNCATED),
        "without the end": (good[:-22], Status.TRUNCATED),
        "a page": (b"<!doctype html>" * 100, Status.NOT_A_ZIP),
        "a large image": (b"\x89PNG" + bytes(300_000), Status.NOT_A_ZIP),
        "nothing": (b"", Status.NOT_A_ZIP),
    }


LIES = lies()


@pytest.mark.parametrize("name", LIES)
def test_what_cannot_be_is_refused_by_name(storage: Storage, name: str) -> None:
    content, status = LIES[name]
    archive = read(storage, content)
    assert (archive.status, archive.entries) == (status, ())
    assert archives.sentence(archive.status)
    assert not archive.readable


@pytest.mark.parametrize("name", ["-1" * 128, "folder/" * 586, "a" * 255 + "/" + "b" * 256])
def test_names_that_no_file_can_have_are_refused(storage: Storage, name: str) -> None:
    assert read(storage, zipped({"a/" + "b" * 255: b"", "c/" * 2_047: b""})).status == Status.EXACT
    assert read(storage, zipped({name: b""})).status == Status.CONTRADICTORY


def test_a_large_cut_off_archive_is_told_from_what_is_none(storage: Storage) -> None:
    content = zipped({"model.bin": random.Random(2).randbytes(400_000)}, zipfile.ZIP_STORED)
    archive = read(storage, content[:300_000])
    assert (archive.status, archive.requests) == (Status.TRUNCATED, 2)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_figures_in_64_bits_must_agree_with_those_in_32(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    good = zipped({"a": bytes(10), "b": bytes(10)})
    lie = (
        patched(good, END, DIRECTORY_SIZE, "<L", 12),
        patched(good, b"PK\6\6", 0, "<L", 0),
        patched(good, b"PK\6\6", 32, "<Q", 1 << 63),
    )[which]
    assert read(storage, good).bytes == 20
    assert read(storage, lie).status in (Status.CONTRADICTORY, Status.SPANNED)


def test_every_status_has_its_words() -> None:
    assert set(SENTENCES) == set(Status)
    assert all(len(status) <= 40 for status in Status)
    assert archives.sentence("something else") == ""


@pytest.fixture(scope="module")
def shared() -> Iterator[Storage]:
    with Storage() as storage:
        yield storage


@examples(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_nothing_breaks_it(shared: Storage, settings: Settings, data: st.DataObject) -> None:
    settings.AWS_ENDPOINT_URL = shared.url
    content = bytearray(zipped({"a.txt": b"a" * 50, "dir/b.txt": b"b" * 500}, comment=b"comment"))
    start = content.index(DIRECTORY)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(start, len(content) - 1))] = data.draw(st.integers(0, 255))
    archive = read(shared, bytes(content[: data.draw(st.integers(start, len(content)))]))
    assert archive.status in Status
    assert archive.bytes <= len(content) * archives.MOST_RATIO


def test_an_entry_is_as_long_as_the_format_says() -> None:
    assert (ENTRY.size, archives.END.size, archives.END_64.size, archives.LOCATOR_64.size) == (46, 22, 56, 20)


def odd(storage: Storage, answer: Any) -> Archive:
    storage.odd["/package.zip"] = answer
    return read(storage, zipped({"a": bytes(10)}))


def plain(status: int, body: bytes = b"", **headers: str) -> Any:
    def answer(handler: Any) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


class TestOddStorage:
    @pytest.mark.parametrize(
        ("status", "found"),
        [
            (403, Status.EXPIRED), (400, Status.EXPIRED), (404, Status.MISSING), (500, Status.UNREACHABLE),
            (503, Status.UNREACHABLE), (200, Status.NO_RANGES), (204, Status.UNREACHABLE),
        ],
    )  # fmt: skip
    def test_what_it_answers_instead(self, storage: Storage, status: int, found: Status) -> None:
        archive = odd(storage, plain(status, b"" if status == 204 else b"<Error/>"))
        assert (archive.status, archive.requests, archive.transferred) == (found, 1, 0)

    def test_a_redirect_is_not_followed(self, storage: Storage) -> None:
        elsewhere = storage.put(zipped({"b": b""}), "other.zip")
        assert odd(storage, plain(302, Location=elsewhere)).status == Status.ADDRESS
        assert [path for path, _ in storage.requests] == ["/package.zip"]

    @pytest.mark.parametrize(
        ("told", "length"),
        [
            ("", 10), ("bytes 0-9/*", 10), ("bytes 0-9/10", 10), ("bytes 5-9/10", 5), ("bytes 90-99/100", 10),
            ("bytes 0-131072/131073", 131_073), ("bytes 0-9/-10", 10), ("items 0-9/10", 10),
        ],
    )  # fmt: skip
    def test_a_part_must_be_the_one_that_was_asked_for(self, storage: Storage, told: str, length: int) -> None:
        archive = odd(storage, lambda handler: part(handler, bytes(length), told))
        good = told == "bytes 0-9/10"
        assert archive.status == (Status.NOT_A_ZIP if good else Status.NO_RANGES)

    def test_a_compressed_part_is_none(self, storage: Storage) -> None:
        archive = odd(storage, lambda handler: part(handler, bytes(10), "bytes 0-9/10", Content_Encoding="gzip"))
        assert archive.status == Status.NO_RANGES

    def test_a_part_that_breaks_off(self, storage: Storage) -> None:
        def answer(handler: Any) -> None:
            handler.send_response(206)
            handler.send_header("Content-Range", "bytes 0-99/100")
            handler.send_header("Content-Length", "100")
            handler.end_headers()
            handler.wfile.write(bytes(50))
            handler.close_connection = True

        assert odd(storage, answer).status == Status.UNREACHABLE

    def test_a_drip_is_cut_off(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("observability.aws.downloads.WHOLE_S", 0.3)
        done = storage.thread.is_alive

        def answer(handler: Any) -> None:
            handler.send_response(206)
            handler.send_header("Content-Range", "bytes 0-99999/100000")
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            try:
                while done():
                    handler.wfile.write(b"x")
            except OSError:
                return

        def dripping(handler: Any) -> None:
            handler.wfile.stream = Slowly(handler.wfile.stream)
            answer(handler)

        assert odd(storage, dripping).status == Status.TOO_SLOW

    def test_nobody_there(self, settings: Settings) -> None:
        with Storage() as storage:
            url = storage.put(b"")
        settings.AWS_ENDPOINT_URL = storage.url
        archive = archives.read(url)
        assert (archive.status, archive.zipped_bytes, archive.entries) == (Status.UNREACHABLE, None, ())


PAUSE = threading.Event()


class Slowly:
    """A stream that takes its time."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, content: bytes) -> int:
        PAUSE.wait(0.02)
        return int(self.stream.write(content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
