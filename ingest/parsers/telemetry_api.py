"""Events of the AWS Lambda Telemetry API, of one execution environment and in order, to records.

An environment serves one request at a time, so a line without a request id belongs to the request that is open.
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from ingest.parser import Batch, ErrorDialect, ErrorReport, Event
from observability.telemetry.pricing import invocation_usd, price
from observability.telemetry.records import Fault, FaultKind, Invocation, Level, LogLine, Outcome, Record

DAY_MS = 86_400_000
_OUTCOMES = {"success": Outcome.SUCCESS, "timeout": Outcome.TIMEOUT}


def parse(
    batch: Batch,
    *,
    read_text: Callable[[str], tuple[Level | None, str, str]],
    read_json: Callable[[dict[str, object]], tuple[Level | None, str, str, str]],
    errors: Sequence[ErrorDialect],
) -> list[Record]:
    """Records of a batch in the order of its events, with the faults that they give evidence of."""
    return _Reading(batch, read_text, read_json, errors).run()


class _Reading:
    def __init__(self, batch: Batch, read_text: Any, read_json: Any, errors: Sequence[ErrorDialect]) -> None:
        self.batch, self.read_text, self.read_json, self.errors = batch, read_text, read_json, errors
        self.records: list[Record] = []
        self.evidence: dict[str, tuple[Event, ErrorReport]] = {}
        self.starts: dict[str, datetime] = {}
        self.request_id = ""
        self.version = batch.function.version

    def run(self) -> list[Record]:
        events = sorted(self.batch.events, key=attrgetter("at"))
        for event in events:
            if event.type in ("platform.start", "platform.runtimeDone", "platform.report"):
                if event.type != "platform.start" and isinstance(event.record, dict):
                    self.request_id = str(event.record.get("requestId", ""))
                break
        for event in events:
            if event.type == "function":
                self.line(event)
            elif isinstance(event.record, dict):
                if event.type == "platform.start":
                    self.request_id = str(event.record.get("requestId", ""))
                    self.starts[self.request_id] = event.at
                    self.version = str(event.record.get("version") or self.version)
                elif event.type == "platform.report":
                    self.report(event, event.record)
        for request_id, (event, found) in self.evidence.items():
            self.fault(event, request_id, FaultKind.EXCEPTION, found)
        return self.records

    def line(self, event: Event) -> None:
        record = event.record
        attributes = ""
        if isinstance(record, dict):
            level, request_id, message, attributes = self.read_json(record)
        else:
            level, request_id, message = self.read_text(record if isinstance(record, str) else str(record))
        request_id = request_id or self.request_id
        for dialect in self.errors:
            found = dialect.parse_json(record) if isinstance(record, dict) else dialect.parse(str(record))
            if found:
                level = level or Level.ERROR
                self.evidence[request_id] = (event, found)
                break
        batch = self.batch
        self.records.append(
            LogLine(
                batch.organization_id, batch.resource_id, event.day, event.event_id, event.at,
                request_id, level or Level.INFO, message, attributes,
            )  # fmt: skip
        )

    def report(self, event: Event, record: dict[str, Any]) -> None:
        metrics = record.get("metrics")
        if not isinstance(metrics, dict):
            metrics = {}
        request_id = str(record.get("requestId", ""))
        self.request_id = ""
        status = record.get("status", "success")
        error_type = str(record.get("errorType") or "")
        duration = min(max(_number(metrics.get("durationMs")), 0.0), DAY_MS)
        billed = int(min(max(_number(metrics.get("billedDurationMs")), 0.0), DAY_MS))
        memory = int(min(_number(metrics.get("memorySizeMB")), 2**31 - 1)) or self.batch.function.memory_mb or 0
        used = int(min(_number(metrics.get("maxMemoryUsedMB")), 2**31 - 1))
        init = metrics.get("initDurationMs")
        outcome = _OUTCOMES.get(str(status), Outcome.ERROR)
        if outcome == Outcome.ERROR and memory and used >= memory:
            outcome = Outcome.OUT_OF_MEMORY
        tracing = record.get("tracing")
        batch = self.batch
        self.records.append(
            Invocation(
                batch.organization_id, batch.resource_id, event.day, event.event_id,
                self.starts.get(request_id) or event.at - timedelta(milliseconds=duration),
                request_id, self.version, outcome, error_type, init is not None,
                duration, billed, _number(init) if init is not None else None, memory, used,
                invocation_usd(
                    price(batch.region, batch.function.architecture), billed_ms=billed, memory_mb=memory,
                    ephemeral_mb=batch.function.ephemeral_mb or 0,
                ),
                str(tracing.get("value", "")) if isinstance(tracing, dict) else "",
            )  # fmt: skip
        )
        evidence = self.evidence.pop(request_id, None)
        if outcome == Outcome.TIMEOUT:
            self.fault(event, request_id, FaultKind.TIMEOUT, ErrorReport("timeout", f"Task timed out after {duration / 1000:.2f} seconds"))
        elif outcome == Outcome.OUT_OF_MEMORY:
            self.fault(event, request_id, FaultKind.OUT_OF_MEMORY, ErrorReport(error_type or "out of memory", f"{used} of {memory} MB used"))
        elif outcome == Outcome.ERROR and evidence:
            self.fault(evidence[0], request_id, FaultKind.EXCEPTION, evidence[1])
        elif outcome == Outcome.ERROR:
            self.fault(event, request_id, FaultKind.UNKNOWN, ErrorReport(error_type or "unknown", ""))

    def fault(self, event: Event, request_id: str, kind: FaultKind, found: ErrorReport) -> None:
        batch = self.batch
        self.records.append(
            Fault(
                batch.organization_id, batch.resource_id, event.day, event.event_id, event.at,
                request_id, self.version, kind, found.type, found.message, found.frames,
            )  # fmt: skip
        )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
