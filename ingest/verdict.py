"""How an invocation ended, and of which kind a failure is: the platform's words and figures, judged in one place."""

from ingest.parser import ErrorReport
from observability.telemetry.records import FaultKind, Invocation, Outcome

TIMED_OUT = "Sandbox.Timedout"
EXITED = "Runtime.ExitError"
UNKNOWN = "Runtime.Unknown"
KILLED = "signal: killed"

FAILED = frozenset({"error", "failure", "timeout"})
"""The statuses of platform events that are not success."""

OUT_OF_MEMORY = frozenset(
    {
        "MemoryError",
        "NoMemoryError",
        "java.lang.OutOfMemoryError",
        "System.OutOfMemoryException",
        "JavaScript heap out of memory",
        "Runtime.OutOfMemory",
    }
)
"""Error types by which runtimes say that memory ran out."""

INIT_ERRORS = frozenset(
    {
        "Runtime.ImportModuleError",
        "Runtime.HandlerNotFound",
        "Runtime.MalformedHandlerName",
        "Runtime.MalformedStreamingHandler",
        "Runtime.UserCodeSyntaxError",
        "Runtime.BuiltInModuleConflict",
        "Runtime.InvalidEntrypoint",
        "Runtime.InvalidWorkingDir",
        "Runtime.InitError",
    }
)
"""Error types that can only come up before a handler runs."""


def outcome(*, status: str, error_type: str, memory_mb: int, used_mb: int, evidence: ErrorReport | None) -> Outcome:
    """How an invocation ended.

    Lambda reports a process that was killed for its memory like any other error; only the figures tell. A process
    that lived to print its exception was not killed, however full its memory was. Where no status is told, as in a
    text ``REPORT``, only what was printed tells a failure.
    """
    if not status and evidence and evidence.certain:
        status = "timeout" if evidence.type == TIMED_OUT else "error"
    if status == "timeout" or error_type == TIMED_OUT:
        return Outcome.TIMEOUT
    if status not in FAILED:
        return Outcome.SUCCESS
    if error_type in OUT_OF_MEMORY or (evidence and evidence.type in OUT_OF_MEMORY):
        return Outcome.OUT_OF_MEMORY
    killed = evidence is None or evidence.type == EXITED
    if killed and 0 < memory_mb <= used_mb and not error_type.startswith("Function."):
        return Outcome.OUT_OF_MEMORY
    return Outcome.ERROR


def printed_kind(report: ErrorReport, *, memory_known: bool = False) -> FaultKind:
    """The kind of a printed error; ``memory_known`` says that the figures are there and clear memory of blame."""
    if report.type == TIMED_OUT:
        return FaultKind.TIMEOUT
    if report.type in OUT_OF_MEMORY or (report.type == EXITED and KILLED in report.message and not memory_known):
        return FaultKind.OUT_OF_MEMORY
    if report.type in INIT_ERRORS or report.type.startswith("Init<"):
        return FaultKind.INIT_ERROR
    if report.type == EXITED or report.type.startswith("Extension."):
        return FaultKind.EXIT
    return FaultKind.EXCEPTION


def reported_kind(error_type: str) -> FaultKind:
    """The kind of a failure of which nothing is known but the platform's error type."""
    kind = printed_kind(ErrorReport(error_type, ""))
    return FaultKind.UNKNOWN if kind is FaultKind.EXCEPTION else kind


def detail(report: ErrorReport) -> tuple[bool, bool]:
    """How much a report tells: an exception more than an exit, frames more than none. Comparable."""
    return report.type not in (EXITED, UNKNOWN, TIMED_OUT), bool(report.frames)


def report_line(invocation: Invocation) -> str:
    """What Lambda writes at the end of an invocation, for those that only its telemetry tells of."""
    line = (
        f"REPORT RequestId: {invocation.request_id}\tDuration: {invocation.duration_ms:.2f} ms\t"
        f"Billed Duration: {invocation.billed_ms} ms\tMemory Size: {invocation.memory_mb} MB\t"
        f"Max Memory Used: {invocation.max_memory_mb} MB"
    )
    if invocation.init_ms is not None:
        line += f"\tInit Duration: {invocation.init_ms:.2f} ms"
    if invocation.outcome is not Outcome.SUCCESS:
        line += f"\tStatus: {'timeout' if invocation.outcome is Outcome.TIMEOUT else 'error'}"
    return f"{line}\tError Type: {invocation.error_type}" if invocation.error_type else line
