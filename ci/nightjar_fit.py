#!/usr/bin/env python3
"""Would this package fit into AWS Lambda? Asks Nightjar before you deploy, or only the rule, with --offline.

    nightjar_fit.py build/function.zip --function checkout

Reads the zip (or the folder that will be zipped), counts what it unpacks to, adds the layers, and compares with what
AWS allows: 250 MB (262,144,000 bytes) for code and layers together. Needs nothing but Python 3.9.

Environment: NIGHTJAR_ENDPOINT is the address of your Nightjar, NIGHTJAR_KEY one of its ingest keys.
Exit status: 0 it fits, 1 it does not fit (or fills more than --warn), 2 nobody can tell.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from math import ceil, floor
from pathlib import Path
from typing import Any, NoReturn, Optional

LIMIT = 262_144_000
MOST_LAYERS = 5
FITS, DOES_NOT_FIT, CANNOT_TELL = 0, 1, 2
ROOT = "/var/task"
DEPTH = 2
MOST_FOLDERS = 200
SHOWN = 8
CHUNK = 1 << 20
MOST_RATIO = 1032  # What deflate can do at most; a file that claims more is lying.
HEADER = 30
RETRIES = (0.5, 2.0)
PASSING = (429, 500, 502, 503, 504)
UNITS = {"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30}

Json = dict[str, Any]


class CannotTellError(Exception):
    """Why there is no answer, for people to read."""


class Contents:
    """What a package unpacks to."""

    def __init__(self, files: dict[str, int], zipped: Optional[int]) -> None:
        self.files = files
        self.zipped = zipped
        self.unzipped = sum(files.values())

    def folders(self) -> list[Json]:
        """The largest, at most two deep, as Nightjar's extension tells them from inside."""
        found: dict[str, int] = {}
        for path, size in self.files.items():
            folder = "/".join([ROOT, *path.split("/")[:-1][:DEPTH]])
            found[folder] = found.get(folder, 0) + size
        largest = sorted(found.items(), key=lambda each: (-each[1], each[0]))[:MOST_FOLDERS]
        return [{"path": path, "bytes": size} for path, size in largest]


# Reading -----------------------------------------------------------------------------------------
def read(path: Path) -> Contents:
    """A zip, or the folder of which one will be made."""
    if path.is_dir():
        return read_folder(path)
    try:
        length = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            entries = checked(archive.infolist(), length)
            verify(archive, entries)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CannotTellError(
            f"{path} cannot be read as a zip, for it is cut off, damaged or no zip: {error}."
        ) from None
    except OSError as error:
        raise CannotTellError(f"{path} cannot be opened: {error.strerror or error}.") from None
    return Contents({entry.filename.replace("\\", "/"): entry.file_size for entry in entries}, length)


def read_folder(path: Path) -> Contents:
    """Links count as what they lead to, folders too: so zip stores them."""
    try:
        return Contents({full.relative_to(path).as_posix(): size for full, size in walk(path, ())}, None)
    except OSError as error:
        raise CannotTellError(f"{error.filename or path} cannot be read: {error.strerror or error}.") from None


def walk(folder: Path, above: tuple[Path, ...]) -> Iterator[tuple[Path, int]]:
    """Every file with its bytes; a link to a folder that it lies in leads nowhere."""
    real = folder.resolve()
    if real in above:
        return
    for full in folder.iterdir():
        if full.is_dir():
            yield from walk(full, (*above, real))
        else:
            yield full, (full.stat() if full.exists() else full.lstat()).st_size


def checked(entries: list[zipfile.ZipInfo], length: int) -> list[zipfile.ZipInfo]:
    """The files that the directory lists, where what it says of them can be true."""
    files = [entry for entry in entries if not entry.is_dir()]
    for entry in files:
        if entry.flag_bits & 0x1:
            raise zipfile.BadZipFile(f"{entry.filename} is encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{entry.filename} is compressed in a way that Lambda does not unpack")
        most = entry.compress_size * (MOST_RATIO if entry.compress_type == zipfile.ZIP_DEFLATED else 1)
        if entry.file_size > most:
            raise zipfile.BadZipFile(f"{entry.filename} claims a size that it cannot have")
    end = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < end:
            raise zipfile.BadZipFile(f"{entry.filename} overlaps with another file")
        end = entry.header_offset + HEADER + entry.compress_size
    if end > length:
        raise zipfile.BadZipFile("its files reach beyond its end")
    return files


def verify(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Unpack into nothing, until it is sure that it does not fit: sizes in a directory are only claims."""
    total = 0
    for entry in entries:
        size = 0
        with archive.open(entry) as file:
            for chunk in iter(lambda: file.read(CHUNK), b""):  # Its checksum is compared at its end.
                size += len(chunk)
                if total + size > LIMIT:
                    return
        if size != entry.file_size:
            raise zipfile.BadZipFile(f"{entry.filename} has another size than its directory says")
        total += size


# Asking ------------------------------------------------------------------------------------------
class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The key must not follow to another address."""

    def redirect_request(self, *_: Any) -> None:
        return None


def question(contents: Contents, options: argparse.Namespace) -> Json:
    asked: Json = {
        "function": options.function,
        "unzipped_bytes": contents.unzipped,
        "files": len(contents.files),
        "folders": contents.folders(),
    }
    if contents.zipped is not None:
        asked["zipped_bytes"] = contents.zipped
    if options.layer or options.no_layers:
        asked["layers"] = [*options.layer, *(arn for arn in options.layer_bytes if arn not in options.layer)]
    if options.layer_bytes:  # Without layers they count besides those that the function has.
        asked["layer_bytes"] = options.layer_bytes
    return asked


def ask(asked: Json, timeout: float) -> Json:
    """Nightjar's answer; tries again what may pass."""
    endpoint, key = os.environ.get("NIGHTJAR_ENDPOINT", ""), os.environ.get("NIGHTJAR_KEY", "")
    if not endpoint or not key:
        raise CannotTellError("Set NIGHTJAR_ENDPOINT and NIGHTJAR_KEY, or use --offline.")
    if not endpoint.startswith(("https://", "http://")):
        raise CannotTellError("NIGHTJAR_ENDPOINT must begin with https:// (or http://).")
    request = urllib.request.Request(
        endpoint.rstrip("/") + "/ingest/v1/packages/check",
        json.dumps(asked).encode(),
        {"Authorization": "Bearer " + key, "Content-Type": "application/json", "User-Agent": "nightjar-fit/1"},
    )
    for pause in (*RETRIES, None):
        try:
            return post(request, timeout)
        except urllib.error.HTTPError as error:
            if error.code not in PASSING or pause is None:
                raise CannotTellError(refusal(error)) from None
        except (OSError, ValueError) as error:
            if pause is None:
                raise CannotTellError(f"Nightjar at {endpoint} does not answer: {error}.") from None
        time.sleep(pause)
    raise AssertionError("unreachable")


def post(request: urllib.request.Request, timeout: float) -> Json:
    with urllib.request.build_opener(NoRedirects).open(request, timeout=timeout) as response:
        answer: Json = json.load(response)
    return answer


def refusal(error: urllib.error.HTTPError) -> str:
    """What Nightjar said, or as much as can be said of what stands in its place."""
    if 300 <= error.code < 400:
        return f"{error.url} leads elsewhere, to {error.headers.get('Location')}. Set NIGHTJAR_ENDPOINT to that."
    try:
        return f"Nightjar refused: {json.load(error)['detail']} ({error.code})"
    except (ValueError, KeyError, TypeError):
        return f"{error.url} answered {error.code}, and not as Nightjar does."


def offline(contents: Contents, options: argparse.Namespace) -> Json:
    """The rule alone, with the layers whose sizes were given."""
    unknown = [arn for arn in options.layer if arn not in options.layer_bytes]
    used = contents.unzipped + sum(options.layer_bytes.values())
    fits: Optional[bool] = None if unknown else True
    if used > LIMIT or len({*options.layer, *options.layer_bytes}) > MOST_LAYERS:
        fits = False
    words = {True: "It fits", False: "It does not fit", None: "Nobody can tell"}[fits]
    layers = [{"arn": arn, "bytes": size, "source": "given", "why": ""} for arn, size in options.layer_bytes.items()]
    layers += [
        {"arn": arn, "bytes": None, "source": "unknown", "why": "Give its size with --layer-bytes ARN=SIZE."}
        for arn in unknown
    ]
    notes = [] if layers or options.no_layers else ["No layers were counted: offline, nobody knows which there are."]
    return {
        "fits": fits, "summary": f"{words}: {human(used)} of {human(LIMIT)}, {percent(used / LIMIT)}.",
        "share": used / LIMIT, "used": used, "allowed": LIMIT, "code_bytes": contents.unzipped, "layers": layers,
        "largest": contents.folders()[:SHOWN], "grown": None, "notes": notes,
    }  # fmt: skip


# Telling -----------------------------------------------------------------------------------------
def human(size: float) -> str:
    """As AWS counts: 1,024 to the next unit."""
    for unit in ("B", "KB", "MB"):
        if abs(size) < 1024:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.2f} GB"


def percent(share: float) -> str:
    """Never rounded over the border."""
    return f"{(floor(share * 1000) if share <= 1 else ceil(share * 1000)) / 10:.1f} %"


def table(answer: Json, contents: Contents) -> Iterator[str]:
    zipped = "" if contents.zipped is None else f", {human(contents.zipped)} zipped"
    files = f"{len(contents.files):,} file{'' if len(contents.files) == 1 else 's'}"
    yield row("code", answer["code_bytes"], files + zipped)
    for layer in answer["layers"]:
        yield row(short(layer["arn"]), layer["bytes"], layer["why"] or layer["source"])
    yield row("together", answer["used"], f"of {human(answer['allowed'])}, {percent(answer['share'])}")
    if answer["largest"]:
        yield "\nLargest folders"
        for folder in answer["largest"][:SHOWN]:
            yield f"  {human(folder['bytes']):>10}  {folder['path']}"
    if answer["grown"]:
        yield from grown(answer["grown"])
    for note in answer["notes"]:
        yield f"\nNote: {note}"


def row(name: str, size: Optional[int], remark: str) -> str:
    told = "?" if size is None else human(size)
    return f"  {name:<32.32} {told:>10}  {remark}"


def short(arn: str) -> str:
    """``numpy:3`` of a layer's ARN."""
    return arn.partition(":layer:")[2] or arn


def grown(found: Json) -> Iterator[str]:
    delta = found["delta"]
    yield f"\nSince version {found['version'] or '?'} of {found['deployed_at'][:10]}: {signed(delta)}"
    for change in (found["dependencies"] or found["folders"])[:SHOWN]:
        yield f"  {signed(change['delta']):>10}  {change['name']}"


def signed(size: int) -> str:
    return ("+" if size > 0 else "") + human(size)


def status(answer: Json, warn: Optional[float]) -> tuple[int, str]:
    """How to end, and the last words."""
    if answer["fits"] is None:
        return CANNOT_TELL, answer["summary"]
    if not answer["fits"]:
        return DOES_NOT_FIT, answer["summary"]
    if warn is not None and 100 * answer["share"] > warn:
        return DOES_NOT_FIT, f"{answer['summary']} That is more than the {warn:g} % of --warn."
    return FITS, answer["summary"]


# Options -----------------------------------------------------------------------------------------
def size_of(text: str) -> int:
    """``1048576``, ``60MB``, ``1.5 GB``."""
    number = text.strip().lower().replace("ib", "b").rstrip("bkmg").strip()
    unit = text.strip().lower().replace("ib", "b")[len(number) :].strip()
    try:
        return int(float(number) * UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 1048576 or 60MB") from None


def layer_size(text: str) -> tuple[str, int]:
    arn, equals, size = text.rpartition("=")
    return (arn, size_of(size)) if equals else ("", size_of(text))


def options_of(arguments: Optional[list[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the zip, or the folder that will be zipped")
    parser.add_argument("--function", default="", help="its name or ARN: counts the layers that it has now")
    parser.add_argument("--layer", action="append", default=[], metavar="ARN", help="a version of a layer (repeat it)")
    parser.add_argument("--no-layers", action="store_true", help="the function will have no layers")
    parser.add_argument(
        "--layer-bytes", action="append", default=[], type=layer_size, metavar="[ARN=]SIZE",
        help="the unzipped size of a layer that Nightjar does not know, such as 60MB; it counts besides those that "
        "the function has (repeat it)",
    )  # fmt: skip
    parser.add_argument("--warn", type=float, metavar="PERCENT", help="fail above this share of the limit as well")
    parser.add_argument("--offline", action="store_true", help="only the rule, without asking Nightjar")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.add_argument("--timeout", type=float, default=20, metavar="SECONDS")
    options = parser.parse_args(arguments)
    options.layer_bytes = {arn or f"layer {place}": size for place, (arn, size) in enumerate(options.layer_bytes, 1)}
    return options


def main(arguments: Optional[list[str]] = None) -> int:
    options = options_of(arguments)
    try:
        contents = read(options.package)
        answer = offline(contents, options) if options.offline else ask(question(contents, options), options.timeout)
        code, words = status(answer, options.warn)
        lines = [json.dumps(answer, indent=2)] if options.json else [*table(answer, contents), "", words]
    except CannotTellError as error:
        print(f"Nobody can tell: {error}", file=sys.stderr)
        return CANNOT_TELL
    except (KeyError, TypeError, AttributeError) as error:
        print(f"Nobody can tell: the answer is not one of Nightjar's ({error!r}).", file=sys.stderr)
        return CANNOT_TELL
    print("\n".join(lines))
    return code


def run() -> NoReturn:
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
