"""Packages that nearly fill a limit of AWS: one of the next deployments fails."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import floor

from alerts.detector import FactWindow, Filling
from alerts.finding import Finding, Severity
from alerts.fingerprint import fingerprint
from alerts.rule import Knob
from observability.ui.units import size

SUBJECTS: Mapping[str, str] = {
    "unzipped": "{name}",
    "image": "The image of {name}",
    "environment": "The environment of {name}",
    "code_storage": "Code storage of {name}",
}
"""What fills the limit, by the limit."""


class OversizedDeployment:
    """One problem for each limit of a resource and each severity: who was told of 80 % hears of 90 % as well.

    It counts once for every package that is too large.
    """

    kind = "oversized_deployment"
    title = "Oversized deployments"
    severity = Severity.WARNING
    quiet = timedelta(hours=1)  # It is looked at every minute, so an hour without says that it is over.
    knobs = (
        Knob("info", "Told for information from", 80, "% of a limit", least=1, most=1000),
        Knob("warning", "A warning from", 90, "% of a limit", least=1, most=1000),
        Knob("critical", "Critical from", 100, "% of a limit", least=1, most=1000),
    )

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        for filling in window.packages:
            severity = severity_of(filling.used / filling.limit, filling.thresholds)
            if severity is not None:
                yield Finding(
                    kind=self.kind,
                    fingerprint=identity(filling.resource_id, filling.limit_name, severity, filling.detail),
                    severity=severity,
                    resource_id=filling.resource_id,
                    title=_title(filling),
                    count=int(filling.news),
                    first_at=min(filling.since, filling.at),
                    last_at=filling.at,
                    detail={
                        **filling.detail, "type": filling.limit_name, "message": filling.message,
                        "version": filling.version, "at": filling.at.isoformat(),
                        "used": filling.used, "limit": filling.limit,
                    },
                )  # fmt: skip


def identity(resource_id: int, limit_name: str, severity: Severity, detail: Mapping[str, object]) -> str:
    """The fingerprint: an account has a limit of its own in every region."""
    limit = " ".join(filter(None, (limit_name, severity.value, str(detail.get("region") or ""))))
    return fingerprint(resource_id=resource_id, kind=OversizedDeployment.kind, error_type=limit)


def severity_of(share: float, thresholds: tuple[float, float, float]) -> Severity | None:
    """The loudest that is due; None below every threshold."""
    for threshold, severity in zip(thresholds[::-1], Severity, strict=True):
        if share >= threshold:
            return severity
    return None


def _title(filling: Filling) -> str:
    subject = SUBJECTS[filling.limit_name].format(name=filling.name)
    percent, limit = floor(100 * filling.used / filling.limit), size(filling.limit)
    if filling.used > filling.limit:
        return f"{subject} is over the limit of {limit}: {percent} %"
    return f"{subject} fills {percent} % of the {limit} limit"
