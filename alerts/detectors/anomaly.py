"""Numbers that are far from what is usual there and then, though nobody set a threshold."""

from collections.abc import Iterable
from datetime import timedelta

from alerts.detector import FactWindow
from alerts.finding import Finding, Severity
from alerts.rule import Knob


class Anomaly:
    """One problem for everything that became odd together: all metrics of a resource, or many resources at once."""

    kind = "anomaly"
    title = "Anomalies"
    severity = Severity.WARNING
    quiet = timedelta(hours=1)
    knobs = (
        Knob("a_day", "Most incidents a day, unless something is far beyond", 3, "a day", least=0, most=100),
        Knob("together", "Resources of an account that make one incident", 5, "resources", least=2, most=1000),
    )

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        for unusual in window.anomalies:
            yield Finding(
                kind=self.kind,
                fingerprint=unusual.fingerprint,
                severity=self.severity,
                resource_id=unusual.resource_id,
                title=str(unusual.detail.get("title") or unusual.reason),
                count=1,
                first_at=unusual.started_at,
                last_at=unusual.at,
                detail={**unusual.detail, "message": unusual.reason, "surprise": unusual.surprise},
            )
