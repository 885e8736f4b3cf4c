"""The contract of a parser: from one validated batch, as buffered, to records. Pure; sees no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import msgspec

from observability.telemetry.records import Frame, Level, LogLine, Point

LEVELS: Mapping[str, Level] = {
    "TRACE": Level.TRACE,
    "TRCE": Level.TRACE,
    "DEBUG": Level.DEBUG,
    "DBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "INFORMATION": Level.INFO,
    "NOTICE": Level.INFO,
    "WARN": Level.WARN,
    "WARNING": Level.WARN,
    "ERROR": Level.ERROR,
    "FAIL": Level.ERROR,
    "SEVERE": Level.ERROR,
    "FATAL": Level.FATAL,
    "CRITICAL": Level.FATAL,
    "CRIT": Level.FATAL,
}
"""What the runtimes and the usual loggers call their levels, in upper case."""

Line = tuple[Level | None, str, str, str]
"""A log line as read: level if it tells one, request id or empty, message, other fields as JSON text or empty."""


class FunctionInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ``function`` part of the envelope; only the ARN is required."""

    arn: str
    name: str = ""
    version: str = ""
    memory_mb: int | None = None
    timeout_s: float | None = None
    runtime: str = ""
    architecture: str = ""
    init_type: str = ""
    log_group: str = ""
    ephemeral_mb: int | None = None


class ExtensionInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ``extension`` part of the envelope."""

    version: str = ""
    init_ms: float | None = None
    dropped: int = 0


class Event(msgspec.Struct, frozen=True):
    """One AWS Lambda Telemetry API event with its identity; ``record`` is decoded JSON (object or string)."""

    event_id: bytes
    day: date
    at: datetime
    type: str
    record: Any


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one execution environment, in the order they happened, and what is known about its function."""

    organization_id: int
    resource_id: int
    function: FunctionInfo
    region: str
    events: Sequence[Event]
    extension: ExtensionInfo | None = None


@dataclass(slots=True)
class Told:
    """What the extension says of itself and its environment, apart from what it passes on.

    ``unzipped`` is a fact for the inventory, as it is kept there, or None; ``extensions`` are names with the day on
    which each was seen.
    """

    lines: list[LogLine] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    unzipped: dict[str, Any] | None = None
    extensions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An unhandled error as a runtime printed it; ``frames`` are innermost last.

    ``certain`` is false where the runtime prints caught errors in just the same way: then only the failure
    of the invocation makes it one.
    """

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    certain: bool = True


class ErrorDialect(Protocol):
    """How one runtime prints an unhandled error; a module of ``ingest.parsers`` fulfils it by its functions.

    Both are pure, never raise, and answer None at once for the 99 % of lines that are no error.
    """

    def parse(self, text: str) -> ErrorReport | None:
        """Read a line of the text log format; its line breaks may be ``\\n``, ``\\r`` or both."""

    def parse_json(self, record: Mapping[str, object]) -> ErrorReport | None:
        """Read a decoded line of the JSON log format."""
