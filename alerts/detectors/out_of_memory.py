"""Invocations that died because their memory was used up."""

from collections.abc import Iterable

from alerts.detector import FactWindow, finding_of, name_of, together
from alerts.finding import Finding, Severity
from alerts.fingerprint import fingerprint
from observability.telemetry.records import Fault, FaultKind


class OutOfMemory:
    """One problem per function."""

    kind = "out_of_memory"
    title = "Out of memory"
    severity = Severity.CRITICAL
    quiet = None

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        faults = [fault for fault in window.faults if fault.kind == FaultKind.OUT_OF_MEMORY]
        for identity, group in together(faults, _fingerprint).items():
            function = window.functions.get(group[-1].resource_id)
            size = f" ({function.memory_mb} MB)" if function and function.memory_mb else ""
            title = f"{name_of(window, group[-1])} ran out of memory{size}"
            yield finding_of(self, window, group, fingerprint=identity, title=title)


def _fingerprint(fault: Fault) -> str:
    return fingerprint(resource_id=fault.resource_id, kind=fault.kind)
