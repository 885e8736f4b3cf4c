"""Schedules that were due and whose function nobody saw run."""

from collections.abc import Iterable
from datetime import timedelta

from alerts.detector import FactWindow, finding_of, name_of, together
from alerts.finding import Finding, Severity
from alerts.fingerprint import fingerprint
from observability.telemetry.records import Fault, FaultKind


class DidNotRun:
    """One problem per function; a fault's own time is when the run was due."""

    kind = "did_not_run"
    title = "Did not run"
    severity = Severity.CRITICAL
    quiet = timedelta(minutes=90)  # So that a function which misses every hour has one incident, not one an hour.

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        faults = [fault for fault in window.faults if fault.kind == FaultKind.DID_NOT_RUN]
        for identity, group in together(faults, _fingerprint).items():
            title = f"{name_of(window, group[-1])} did not run at {group[-1].at:%H:%M} UTC"
            yield finding_of(self, window, group, fingerprint=identity, title=title)


def _fingerprint(fault: Fault) -> str:
    return fingerprint(resource_id=fault.resource_id, kind=fault.kind)
