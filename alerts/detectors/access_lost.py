"""Accounts that we have lost access to: whatever fails in them meanwhile, nobody hears of it."""

import re
from collections.abc import Iterable

from alerts.detector import FactWindow, finding_of, name_of, together
from alerts.finding import Finding, Severity
from alerts.fingerprint import fingerprint
from observability.telemetry.records import Fault, FaultKind

SINCE = re.compile(r"since (\d{1,2} \w{3} \d{4}), (\d\d:\d\d) UTC")


class AccessLost:
    """One problem per account; while it lasts, it is told again and again, so that it does not count as quiet."""

    kind = "access_lost"
    title = "Access lost"
    severity = Severity.CRITICAL
    quiet = None

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        faults = [fault for fault in window.faults if fault.kind == FaultKind.ACCESS_LOST]
        for identity, group in together(faults, _fingerprint).items():
            title = f"Blind on account {name_of(window, group[-1])}{_since(group[-1])}"
            yield finding_of(self, window, group, fingerprint=identity, title=title)


def _fingerprint(fault: Fault) -> str:
    return fingerprint(resource_id=fault.resource_id, kind=fault.kind)


def _since(fault: Fault) -> str:
    """Since when, as the fault tells it; the day only where it was another one."""
    told = SINCE.search(fault.message)
    if told is None:
        return ""
    today = f"{fault.at.day} {fault.at:%b %Y}"
    return f" since {told[2]} UTC" if told[1] == today else f" since {told[1]}, {told[2]} UTC"
