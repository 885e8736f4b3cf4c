"""Invocations that AWS counted and that are not stored here: what happened in them is not known."""

import re
from collections.abc import Iterable
from datetime import timedelta

from alerts.detector import FactWindow, finding_of, name_of, together
from alerts.finding import Finding, Severity
from alerts.fingerprint import fingerprint
from observability.telemetry.records import Fault, FaultKind

STORED = re.compile(r"[Ss]tored ([\d,]{1,20}) of ([\d,]{1,20}) invocations")


class Coverage:
    """One problem per function, or per account where many of its functions share the cause."""

    kind = "coverage"
    title = "Missing invocations"
    severity = Severity.WARNING
    quiet = timedelta(minutes=130)  # It is reckoned once an hour, so two good hours say that it is over.

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        faults = [fault for fault in window.faults if fault.kind == FaultKind.COVERAGE]
        for identity, group in together(faults, _fingerprint).items():
            title = _title(group[-1], name_of(window, group[-1]))
            yield finding_of(self, window, group, fingerprint=identity, title=title)


def _fingerprint(fault: Fault) -> str:
    return fingerprint(resource_id=fault.resource_id, kind=fault.kind)


def _title(fault: Fault, name: str) -> str:
    told = STORED.search(fault.message)
    if told is None:
        return f"Invocations of {name} are missing"
    stored, reported = (int(number.replace(",", "") or 0) for number in told.groups())
    return f"{reported - stored:,} of {reported:,} invocations of {name} are missing"
