"""Advice that cannot wait: what a rule calls critical is an incident, with the fix in its message."""

from collections.abc import Iterable
from datetime import timedelta

from alerts.detector import FactWindow
from alerts.finding import Finding, Severity


class Insights:
    """One problem for each piece of advice. It counts once, however often it is looked at while it stands."""

    kind = "insight"
    title = "Critical advice"
    severity = Severity.CRITICAL
    quiet = timedelta(hours=4)  # Advice is worked out every hour; a look or two may fail.

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        for advised in window.advice:
            yield Finding(
                kind=self.kind,
                fingerprint=advised.fingerprint,
                severity=self.severity,
                resource_id=advised.resource_id,
                title=advised.title,
                count=int(advised.opened_at == advised.at),
                first_at=advised.opened_at,
                last_at=advised.at,
                detail={
                    "type": advised.rule, "message": advised.text, "at": advised.at.isoformat(), **advised.detail,
                },
            )  # fmt: skip
