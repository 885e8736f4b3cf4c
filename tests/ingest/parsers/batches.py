"""Batches of Telemetry API events as the extension sends them, one every ten milliseconds."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from ingest.parser import Batch, Event, FunctionInfo
from ingest.parsers import parse
from observability.telemetry.records import Fault, Invocation, LogLine

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
ID = "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa"
OTHER = "0b5f1c1e-2f7b-4a53-9d0a-5b1f3a0f7c11"
FUNCTION = FunctionInfo(
    arn="arn:aws:lambda:eu-west-1:123456789012:function:checkout",
    version="$LATEST",
    memory_mb=128,
    timeout_s=3.0,
    architecture="arm64",
)

Raw = tuple[str, Any]


def batch(*raws: Raw, function: FunctionInfo = FUNCTION, region: str = "eu-west-1") -> Batch:
    """Events in this order; the id of each is its position."""
    events = [
        Event(index.to_bytes(16, "big"), DAY, NOW + timedelta(milliseconds=10 * index), type_, record)
        for index, (type_, record) in enumerate(raws)
    ]
    return Batch(1, 2, function, region, events)


def start(request_id: str = ID) -> Raw:
    return "platform.start", {"requestId": request_id, "version": "7"}


def line(record: object) -> Raw:
    return "function", record


def done(request_id: str = ID, status: str = "success", **more: object) -> Raw:
    return "platform.runtimeDone", {"requestId": request_id, "status": status, **more}


def report(
    request_id: str = ID,
    status: str = "success",
    *,
    used: int = 60,
    metrics: dict[str, object] | None = None,
    **more: object,
) -> Raw:
    figures: dict[str, object] = {
        "durationMs": 20.5,
        "billedDurationMs": 21,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": used,
    }
    return "platform.report", {"requestId": request_id, "status": status, "metrics": figures | (metrics or {}), **more}


def init_start(phase: str = "init") -> Raw:
    record = {"initializationType": "on-demand", "phase": phase, "runtimeVersion": "python:3.13.v50"}
    return "platform.initStart", record


def init_done(status: str = "success", **more: object) -> Raw:
    return "platform.initRuntimeDone", {"initializationType": "on-demand", "phase": "init", "status": status, **more}


def init_report(status: str = "success", **more: object) -> Raw:
    record = {"initializationType": "on-demand", "phase": "init", "status": status, "metrics": {"durationMs": 100.2}}
    return "platform.initReport", record | more


def invocations(read: Batch) -> list[Invocation]:
    return [record for record in parse(read) if isinstance(record, Invocation)]


def lines(read: Batch) -> list[LogLine]:
    return [record for record in parse(read) if isinstance(record, LogLine)]


def faults(read: Batch) -> list[Fault]:
    return [record for record in parse(read) if isinstance(record, Fault)]
