"""Unhandled exceptions, failed starts, crashes, and failures that nobody explains."""

from collections.abc import Iterable

from alerts.detector import FactWindow, finding_of, name_of, together
from alerts.finding import Finding, Severity
from alerts.fingerprint import fingerprint
from observability.telemetry.records import Fault, FaultKind

ERRORS = (FaultKind.EXCEPTION, FaultKind.INIT_ERROR, FaultKind.EXIT, FaultKind.UNKNOWN)


class Errors:
    """Failures in the code's own words. The same error at the same place in the code is one problem."""

    kind = "errors"
    title = "Errors"
    severity = Severity.CRITICAL
    quiet = None

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        faults = [fault for fault in window.faults if fault.kind in ERRORS]
        for identity, group in together(faults, _fingerprint).items():
            latest = group[-1]
            title = _title(latest, name_of(window, latest))
            yield finding_of(self, window, group, fingerprint=identity, title=title, severity=_severity(latest))


def _fingerprint(fault: Fault) -> str:
    return fingerprint(
        resource_id=fault.resource_id,
        kind=fault.kind,
        error_type=fault.type,
        message=fault.message,
        frames=fault.frames,
    )


def _severity(fault: Fault) -> Severity:
    """Without a word of explanation it may be as little as a client that hung up."""
    return Severity.WARNING if fault.kind == FaultKind.UNKNOWN else Severity.CRITICAL


def _title(fault: Fault, name: str) -> str:
    error = ": ".join(part for part in (_short(fault.type), _line(fault.message)) if part)
    match fault.kind:
        case FaultKind.INIT_ERROR:
            return f"{name} failed to start: {error}" if error else f"{name} failed to start"
        case FaultKind.EXIT:
            return f"{name} crashed: {_line(fault.message) or error}" if error else f"{name} crashed"
        case FaultKind.UNKNOWN:
            return f"{name} failed: {error}" if error not in ("", "unknown") else f"{name} failed without saying why"
        case _:
            return f"{error or 'Unhandled exception'} in {name}"


def _short(error_type: str) -> str:
    """``StripeTimeout`` of ``com.acme.StripeTimeout``; types that are not dotted names stay as they are."""
    head, dot, last = error_type.rpartition(".")
    return last if dot and last.isidentifier() and " " not in head else error_type


def _line(message: str) -> str:
    """The first line that says something, short enough for a title."""
    line = next((" ".join(line.split()) for line in message.splitlines() if line.strip()), "")
    return line if len(line) <= 120 else line[:119].rstrip() + "…"
