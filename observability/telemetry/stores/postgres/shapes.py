"""How records are laid out as rows: the columns of each table in order, with their types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from observability.telemetry.records import Fault

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of record is laid out as a row."""

    table: str
    columns: dict[str, str]
    row: Callable[[Any], Row]

    @property
    def staging(self) -> str:
        return f"staging_{self.table}"

    @property
    def names(self) -> str:
        return ", ".join(self.columns)


def columns(types: Mapping[str, str]) -> str:
    """Column definitions, as SQL."""
    return ", ".join(f"{name} {kind}" for name, kind in types.items())


def shape(table: str, columns: dict[str, str]) -> Shape:
    return Shape(table, columns, attrgetter(*columns))


INVOCATION = shape(
    "telemetry_invocation",
    {
        "organization_id": "int8", "resource_id": "int8", "started_at": "timestamptz", "event_id": "uuid",
        "duration_ms": "float8", "init_ms": "float8", "cost_usd": "float8", "day": "date", "billed_ms": "int4",
        "memory_mb": "int4", "max_memory_mb": "int4", "cold_start": "bool", "outcome": "text", "request_id": "text",
        "version": "text", "error_type": "text", "trace_id": "text",
    },
)  # fmt: skip
LOG_LINE = shape(
    "telemetry_log_line",
    {
        "organization_id": "int8", "resource_id": "int8", "at": "timestamptz", "event_id": "uuid", "day": "date",
        "level": "text", "request_id": "text", "message": "text", "attributes": "text",
    },
)  # fmt: skip
FAULT_HEAD = attrgetter("organization_id", "resource_id", "at", "event_id", "day")
FAULT_TAIL = attrgetter("kind", "request_id", "version", "type", "message")


def fault_row(fault: Fault) -> Row:
    frames = msgspec.json.encode(fault.frames).decode()
    return (*FAULT_HEAD(fault), *FAULT_TAIL(fault), frames)


FAULT = Shape(
    "telemetry_fault",
    {
        "organization_id": "int8", "resource_id": "int8", "at": "timestamptz", "event_id": "uuid", "day": "date",
        "kind": "text", "request_id": "text", "version": "text", "type": "text", "message": "text", "frames": "text",
    },
    fault_row,
)  # fmt: skip
SHAPES = (INVOCATION, LOG_LINE, FAULT)
