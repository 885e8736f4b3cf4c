"""Invocations that Lambda ended because their time was up."""

import re
from collections.abc import Iterable

from alerts.detector import FactWindow, finding_of, name_of, together
from alerts.finding import Finding, Severity
from alerts.fingerprint import fingerprint
from observability.telemetry.records import Fault, FaultKind

SECONDS = re.compile(r"\d+(?:\.\d+)?(?= ?s(?:ec|\b))")


class Timeouts:
    """One problem per function: where the time went is for its logs to tell."""

    kind = "timeouts"
    title = "Timeouts"
    severity = Severity.CRITICAL
    quiet = None

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        faults = [fault for fault in window.faults if fault.kind == FaultKind.TIMEOUT]
        for identity, group in together(faults, _fingerprint).items():
            limit = _limit(window, group[-1])
            title = f"{name_of(window, group[-1])} timed out" + (f" after {limit:g} s" if limit else "")
            yield finding_of(self, window, group, fingerprint=identity, title=title)


def _fingerprint(fault: Fault) -> str:
    return fingerprint(resource_id=fault.resource_id, kind=fault.kind)


def _limit(window: FactWindow, fault: Fault) -> float | None:
    """The time limit in seconds, as configured or as the platform's message tells it."""
    function = window.functions.get(fault.resource_id)
    if function and function.timeout_s:
        return function.timeout_s
    told = SECONDS.search(fault.message)
    return round(float(told[0]), 1) if told else None
