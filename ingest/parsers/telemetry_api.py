"""Events of the AWS Lambda Telemetry API, of one execution environment, to records.

An environment serves one request at a time, so a line without a request id belongs to the request that is open.
Only ``platform.report`` makes a fault of a status: ``runtimeDone`` says the same earlier, often in another batch.
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

import msgspec

from ingest.parser import Batch, ErrorDialect, ErrorReport, Event, Line
from ingest.verdict import EXITED, FAILED, TIMED_OUT, UNKNOWN, detail, outcome, printed_kind, report_line, reported_kind
from observability.telemetry.pricing import MANAGED, PROVISIONED, environment_price, invocation_usd, pays_for_snapshots
from observability.telemetry.records import Fault, FaultKind, Frame, Invocation, Level, LogLine, Outcome, Record

DAY_MS = 86_400_000
MAX_INT = 2**31 - 1
MAX_TYPE, MAX_MESSAGE, MAX_FRAMES = 200, 8_000, 100
"""Bounds of a fault: enough for a reader, and one runaway recursion cannot fill the store."""
_SERIOUS = frozenset({None, Level.ERROR, Level.FATAL})
"""Levels at which an unhandled error can stand; a line that says INFO is none."""

_ENDS = ("platform.runtimeDone", "platform.report")
_BORDERS = ("platform.start", "platform.initStart", *_ENDS)

_SETTLED = frozenset({FaultKind.TIMEOUT, FaultKind.OUT_OF_MEMORY})
_decode = msgspec.json.Decoder().decode
_time = attrgetter("at")

Found = tuple[Event, ErrorReport]


def parse(
    batch: Batch,
    *,
    read_text: Callable[[str], Line],
    read_json: Callable[[dict[str, object]], Line],
    errors: Sequence[ErrorDialect],
) -> list[Record]:
    """Records of a batch, with one fault for each failure that it gives evidence of."""
    return _Reading(batch, read_text, read_json, errors).run()


class _Reading:
    """One pass over a batch. ``open`` is the request that the environment is serving, as far as is known."""

    def __init__(
        self,
        batch: Batch,
        read_text: Callable[[str], Line],
        read_json: Callable[[dict[str, object]], Line],
        errors: Sequence[ErrorDialect],
    ) -> None:
        self.function = function = batch.function
        self.organization_id, self.resource_id = batch.organization_id, batch.resource_id
        self.events = _ordered(batch.events)
        self.read_text, self.read_json, self.errors = read_text, read_json, errors
        self.region, self.snapshots_cost = batch.region, pays_for_snapshots(function.runtime)
        self.initialized(function.init_type)
        # Managed instances serve many requests at once; there a line speaks only for itself.
        self.exclusive = function.init_type != MANAGED
        self.open = ""
        self.initializing = False
        self.version = function.version[:64]
        self.started: dict[str, datetime] = {}
        self.evidence: dict[str, Found] = {}
        self.hints: dict[str, Found] = {}
        self.init_failure: Found | None = None
        self.records: list[Record] = []
        self.faults: dict[str, int] = {}

    def run(self) -> list[Record]:
        self.open = _first_request(self.events) if self.exclusive else ""
        for event in self.events:
            type_ = event.type
            if type_ == "function":
                self.line(event)
            elif type_ in _HANDLERS:
                record = event.record
                if isinstance(record, dict):
                    _HANDLERS[type_](self, event, record)
                elif type_ == "platform.fault":
                    self.line(event)
        self.leftovers()
        return self.records

    def line(self, event: Event) -> None:
        """A line that the function wrote: a ``LogLine``, and perhaps evidence of a failure."""
        record = event.record
        if isinstance(record, str) and record[:1] == "{":
            record = _object(record)
        if isinstance(record, dict):
            level, request_id, message, attributes = self.read_json(record)
        else:
            record = record if isinstance(record, str) else _text(record)
            level, request_id, message, attributes = self.read_text(record)
        if request_id:
            request_id = _clean(request_id, 64)
            if not self.open and self.exclusive and not self.initializing:
                self.open = request_id
        else:
            request_id = self.open
        if level in _SERIOUS:
            level = self.examine(event, request_id, level, record if isinstance(record, dict) else message)
        if "\0" in message:
            message = message.replace("\0", "\ufffd")
        if "\\u0000" in attributes:
            attributes = attributes.replace("\\u0000", "\\ufffd")
        self.records.append(
            LogLine(
                self.organization_id, self.resource_id, event.day, event.event_id, event.at,
                request_id, level or Level.INFO, message, attributes,
            )
        )  # fmt: skip

    def examine(
        self, event: Event, request_id: str, level: Level | None, line: dict[str, object] | str
    ) -> Level | None:
        """Keep the best evidence of why this request fails; answer the line's level."""
        found: ErrorReport | None = None
        if isinstance(line, str):
            for dialect in self.errors:
                if found := dialect.parse(line):
                    break
        else:
            for dialect in self.errors:
                if found := dialect.parse_json(line):
                    break
        if found is None:
            return level
        kept = self.evidence if found.certain else self.hints
        if request_id not in kept or detail(found) > detail(kept[request_id][1]):
            kept[request_id] = (event, found)
        if request_id in self.faults and found.certain:
            self.improve(request_id)
        return level or Level.ERROR

    def platform_line(self, event: Event, request_id: str, message: str) -> None:
        """A line in the words that CloudWatch has for a platform event."""
        self.records.append(
            LogLine(
                self.organization_id, self.resource_id, event.day, event.event_id, event.at,
                request_id, Level.PLATFORM, message,
            )
        )  # fmt: skip

    # Phases of the environment ---------------------------------------------------------------------
    def initialized(self, init_type: str) -> None:
        """How the environment came to be says at which price it runs."""
        self.provisioned = init_type == PROVISIONED
        self.price = environment_price(self.region, self.function.architecture, init_type)

    def init_start(self, event: Event, record: Mapping[str, object]) -> None:
        self.initializing = True
        if told := _string(record, "initializationType"):
            self.initialized(told)
        if record.get("phase") != "invoke":
            self.open = ""
        version, arn = _string(record, "runtimeVersion"), _string(record, "runtimeVersionArn")
        self.platform_line(event, "", f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}".rstrip())

    def init_done(self, event: Event, record: Mapping[str, object]) -> None:
        """``initRuntimeDone``, ``initReport`` and their kin of a restored snapshot: the first to fail counts."""
        self.initializing = False
        status = _string(record, "status")
        if status not in FAILED:
            return
        type_ = _string(record, "errorType") or (TIMED_OUT if status == "timeout" else "Runtime.InitError")
        printed = self.evidence.pop(self.open, None) or self.hints.pop(self.open, None)
        if self.init_failure is None:
            what = "timed out" if status == "timeout" else "failed"
            self.init_failure = printed or (event, ErrorReport(type_, f"Initialization {what}"))
            self.platform_line(event, self.open, f"INIT_REPORT Status: {status}\tError Type: {type_}")

    def start(self, event: Event, record: Mapping[str, object]) -> None:
        request_id = _string(record, "requestId")
        self.initializing = False
        self.version = _string(record, "version")[:64] or self.version
        self.started[request_id] = event.at
        self.faults.pop(request_id, None)
        if self.exclusive:
            self.open = request_id

    def runtime_done(self, event: Event, record: Mapping[str, object]) -> None:
        """The runtime's own verdict tells whether what it printed was a failure; lines behind it still belong here."""
        request_id = _string(record, "requestId")
        status = _string(record, "status")
        if status in FAILED:
            if request_id in self.hints:
                self.evidence.setdefault(request_id, self.hints.pop(request_id))
        elif status == "success":
            self.evidence.pop(request_id, None)
        if self.exclusive and not self.open:
            self.open = request_id

    def report(self, event: Event, record: Mapping[str, object]) -> None:
        """The end of an invocation, and the one place where its status becomes a fault."""
        request_id = _string(record, "requestId")
        metrics = record.get("metrics")
        hint = self.hints.pop(request_id, None)
        found = self.evidence.pop(request_id, None) or hint
        invocation = self.invocation(event, request_id, record, metrics if isinstance(metrics, dict) else {}, found)
        self.records.append(invocation)
        self.platform_line(event, request_id, report_line(invocation))
        if self.open == request_id:
            self.open = ""
        if invocation.outcome is not Outcome.SUCCESS:
            self.fail(event, invocation, found)

    def logs_dropped(self, event: Event, record: Mapping[str, object]) -> None:
        count, size = _count(record.get("droppedRecords")), _count(record.get("droppedBytes"))
        self.platform_line(event, self.open, f"LOGS_DROPPED {count} lines, {size} bytes: {_string(record, 'reason')}")

    def extension(self, event: Event, record: Mapping[str, object]) -> None:
        error = _string(record, "errorType")
        if error:
            name, state = _string(record, "name"), _string(record, "state")
            self.platform_line(event, self.open, f"EXTENSION\tName: {name}\tState: {state}\tError Type: {error}")

    # Invocations and faults ------------------------------------------------------------------------
    def invocation(
        self,
        event: Event,
        request_id: str,
        record: Mapping[str, object],
        metrics: Mapping[str, object],
        found: Found | None,
    ) -> Invocation:
        duration = min(_number(metrics.get("durationMs")), DAY_MS)
        billed = min(_count(metrics.get("billedDurationMs")), DAY_MS)
        memory = _count(metrics.get("memorySizeMB")) or max(min(self.function.memory_mb or 0, MAX_INT), 0)
        used = _count(metrics.get("maxMemoryUsedMB"))
        # Restoring a snapshot (SnapStart) is the cold start of functions that have one.
        init = metrics.get("initDurationMs", metrics.get("restoreDurationMs"))
        error_type = _string(record, "errorType")
        ended = outcome(
            status=_string(record, "status"), error_type=error_type, memory_mb=memory, used_mb=used,
            evidence=found[1] if found else None,
        )  # fmt: skip
        tracing = record.get("tracing")
        return Invocation(
            self.organization_id, self.resource_id, event.day, event.event_id,
            self.started.pop(request_id) if request_id in self.started else event.at - timedelta(milliseconds=duration),
            request_id, self.version, ended, error_type,
            # Provisioned environments are initialized before a request waits for them.
            init is not None and not self.provisioned,
            duration, billed, min(_number(init), DAY_MS) if init is not None else None, memory, used,
            invocation_usd(
                self.price, billed_ms=billed, memory_mb=memory, ephemeral_mb=self.function.ephemeral_mb or 0,
                restored=self.snapshots_cost and "restoreDurationMs" in metrics,
            ),
            _string(tracing, "value")[:200] if isinstance(tracing, dict) else "",
        )  # fmt: skip

    def fail(self, event: Event, invocation: Invocation, found: Found | None) -> None:
        """One fault for a failed invocation, on the best evidence of this batch."""
        request_id = invocation.request_id
        if invocation.outcome is Outcome.TIMEOUT:
            seconds = self.function.timeout_s or invocation.duration_ms / 1000
            report = ErrorReport(TIMED_OUT, f"Task timed out after {seconds:.2f} seconds")
            self.faults[request_id] = len(self.records)
            self.fault(event, request_id, FaultKind.TIMEOUT, report)
            if self.init_failure and self.init_failure[1].type == TIMED_OUT:
                self.init_failure = None
            return
        init = self.init_failure
        if init is not None and (found is None or found[1].type == init[1].type):
            found, self.init_failure = init, None
            kind = FaultKind.INIT_ERROR
        elif found is not None:
            kind = printed_kind(found[1], memory_known=True)
        else:
            kind = reported_kind(invocation.error_type)
            self.faults[request_id] = len(self.records)
            found = event, ErrorReport(invocation.error_type or UNKNOWN, "")
        if invocation.outcome is Outcome.OUT_OF_MEMORY:
            kind = FaultKind.OUT_OF_MEMORY
            if found[1].message == "":
                used = f"Used {invocation.max_memory_mb} MB of {invocation.memory_mb} MB"
                found = found[0], ErrorReport(found[1].type.replace(UNKNOWN, EXITED), used, found[1].frames)
        self.fault(found[0], request_id, kind, found[1])

    def improve(self, request_id: str) -> None:
        """Evidence that came behind its report takes the place of the fault that had none, unless it says less."""
        index = self.faults.pop(request_id)
        event, report = self.evidence.pop(request_id)
        if self.records[index].kind in _SETTLED and not detail(report)[0]:  # type: ignore[union-attr]  # A fault.
            return
        self.fault(event, request_id, printed_kind(report, memory_known=True), report)
        self.records[index] = self.records.pop()

    def leftovers(self) -> None:
        """Failures whose report is not in this batch: told by what was printed, or by the init phase."""
        if self.init_failure is not None:
            event, report = self.evidence.pop("", self.init_failure)
            self.fault(event, "", FaultKind.INIT_ERROR, report)
        for request_id, (event, report) in self.evidence.items():
            self.fault(event, request_id, printed_kind(report), report)

    def fault(self, event: Event, request_id: str, kind: FaultKind, report: ErrorReport) -> None:
        self.records.append(
            Fault(
                self.organization_id, self.resource_id, event.day, event.event_id, event.at, request_id,
                self.version, kind, _clean(report.type, MAX_TYPE), _clean(report.message, MAX_MESSAGE),
                tuple(map(_clean_frame, report.frames[-MAX_FRAMES:])),
            )
        )  # fmt: skip


_HANDLERS: Mapping[str, Callable[[_Reading, Event, Mapping[str, object]], None]] = {
    "platform.initStart": _Reading.init_start,
    "platform.restoreStart": _Reading.init_start,
    "platform.initRuntimeDone": _Reading.init_done,
    "platform.initReport": _Reading.init_done,
    "platform.restoreRuntimeDone": _Reading.init_done,
    "platform.start": _Reading.start,
    "platform.runtimeDone": _Reading.runtime_done,
    "platform.report": _Reading.report,
    "platform.logsDropped": _Reading.logs_dropped,
    "platform.extension": _Reading.extension,
    "platform.fault": lambda reading, event, _: reading.line(event),
}


def _ordered(events: Sequence[Event]) -> Sequence[Event]:
    """By time, as one environment lived it. Requests that then overlap are of several: there arrival tells more."""
    ordered = sorted(events, key=_time)
    if ordered == list(events):
        return ordered
    open_ = ""
    for event in ordered:
        if event.type == "platform.start":
            if open_:
                return events
            open_ = _request_id(event)
        elif event.type in _ENDS and _request_id(event) == open_:
            open_ = ""
    return ordered


def _request_id(event: Event) -> str:
    return _string(event.record, "requestId") if isinstance(event.record, dict) else ""


def _first_request(events: Iterable[Event]) -> str:
    """The request that a batch begins in the middle of: the first one that ends before any starts."""
    first = next((event for event in events if event.type in _BORDERS), None)
    return _request_id(first) if first and first.type in _ENDS else ""


def _object(text: str) -> dict[str, object] | str:
    """The object that a text line holds when a program's own logger writes JSON, else the text."""
    if text[-2:].rstrip()[-1:] != "}":
        return text
    try:
        decoded = _decode(text)
    except (ValueError, RecursionError):
        return text
    return decoded if isinstance(decoded, dict) else text


def _text(value: object) -> str:
    """A record that is neither text nor an object."""
    try:
        return msgspec.json.encode(value).decode()
    except (ValueError, TypeError, OverflowError, RecursionError):
        return ""


def _string(record: Mapping[str, object], key: str) -> str:
    value = record.get(key)
    return _clean(value, MAX_TYPE) if isinstance(value, str) else ""


def _clean(text: str, limit: int) -> str:
    """Without NUL, which PostgreSQL refuses, and bounded."""
    return text[:limit].replace("\0", "\ufffd")


def _clean_frame(frame: Frame) -> Frame:
    if "\0" not in frame.file + frame.function + frame.code and len(frame.code) + len(frame.file) < 1_000:
        return frame
    return Frame(_clean(frame.file, 500), frame.line, _clean(frame.function, 500), _clean(frame.code, 500), frame.own)


def _number(value: object) -> float:
    """A figure that is not below zero; everything else is 0."""
    return float(min(value, 1e15)) if isinstance(value, int | float) and value > 0 else 0.0


def _count(value: object) -> int:
    return int(min(value, MAX_INT)) if isinstance(value, int | float) and value > 0 else 0
