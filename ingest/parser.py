"""The contract of a parser: from one validated batch, as buffered, to records. Pure; sees no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec


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


@dataclass(frozen=True, slots=True)
class Event:
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


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An unhandled error as a runtime printed it; ``frames`` are ``records.Frame``, innermost last."""

    type: str
    message: str
    frames: tuple[Any, ...] = ()
