"""Crashes of custom runtimes and container images: Rust panics and PHP's fatal errors."""

from collections.abc import Mapping

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame

_PHP = ("PHP Fatal error:  ", "Fatal error: ")


def parse(text: str) -> ErrorReport | None:
    """``thread 'main' panicked at src/main.rs:12:5:`` or ``PHP Fatal error:  Uncaught …``."""
    if text.startswith("thread '"):
        return _rust(text)
    if text.startswith(_PHP):
        return _php(text)
    return None


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """These processes print no JSON of their own; a structured logger's message may hold such a text."""
    message = record.get("message")
    return parse(message) if isinstance(message, str) else None


def _rust(text: str) -> ErrorReport | None:
    """The message stands below the place, and before Rust 1.73 in quotes in front of it."""
    head, _, rest = text.partition("\n")
    _, found, place = head.partition("panicked at ")
    if not found:
        return None
    if place.startswith("'"):
        message, _, place = place[1:].rpartition("', ")
    else:
        message = rest.partition("\n")[0]
    file, line = _position(place.rstrip(":"))
    return ErrorReport("panic", message.strip(), (Frame(file, line, "", own=not _is_library(file)),) if file else ())


def _position(place: str) -> tuple[str, int]:
    """``src/main.rs:12:5``."""
    parts = place.strip().split(":")
    return parts[0], int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() and len(parts[1]) < 9 else 0


def _is_library(file: str) -> bool:
    return "/.cargo/" in file or file.startswith(("/rustc/", "/root/.cargo/"))


def _php(text: str) -> ErrorReport:
    line = text.partition("\n")[0].partition(": ")[2].strip()
    message, _, place = line.removeprefix("Uncaught ").rpartition(" in ")
    type_, colon, rest = message.partition(": ")
    if not colon or " " in type_:
        type_, rest = "Fatal error", message or line
    file, _, number = place.replace(" on line ", ":").rpartition(":")
    own = "/vendor/" not in file
    frames = (Frame(file, int(number), "", own=own),) if number.isdecimal() and len(number) < 9 else ()
    return ErrorReport(type_, rest, frames)
