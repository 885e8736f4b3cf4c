"""Functions that spend so much more than usual that a day of it would hurt; they may be calling themselves."""

from collections.abc import Iterable
from datetime import timedelta

from alerts.detector import FactWindow, Spending
from alerts.finding import Finding, Severity
from alerts.fingerprint import fingerprint
from alerts.rule import Knob


class Runaway:
    """One problem per function, told with the command that stops it."""

    kind = "runaway"
    title = "Runaway spending"
    severity = Severity.CRITICAL
    quiet = timedelta(minutes=15)
    knobs = (
        Knob("usd_per_hour", "Spending of a function that is worth a look", 1.0, "USD an hour", least=0.01, most=1e6),
        Knob("times", "and so many times what is usual", 4.0, "times", least=1.5, most=1000),
    )

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        for spending in window.spending:
            function = window.functions.get(spending.resource_id)
            name = function.name if function else "A function"
            yield Finding(
                kind=self.kind,
                fingerprint=fingerprint(resource_id=spending.resource_id, kind=self.kind),
                severity=self.severity,
                resource_id=spending.resource_id,
                title=_title(spending, name),
                count=1,
                first_at=spending.started_at,
                last_at=spending.at,
                detail={
                    "message": spending.reason,
                    "fixes": _fixes(spending),
                    "loop": list(spending.loop),
                    "usd_per_hour": spending.usd_per_hour,
                    "usual_usd_per_hour": spending.usual_usd_per_hour,
                    "at": spending.at.isoformat(),
                },
            )


def _fixes(spending: Spending) -> list[dict[str, str]]:
    stop = {"way": "cli", "name": "Stop it", "text": spending.stop}
    undo = {"way": "cli", "name": "Let it run again", "text": spending.undo}
    return [stop, undo] if spending.undo else [stop]


def _title(spending: Spending, name: str) -> str:
    if spending.loop:
        return f"{name} may be calling itself and spends ${spending.usd_per_hour:,.2f} an hour"
    return f"{name} spends ${spending.usd_per_hour:,.2f} an hour"
