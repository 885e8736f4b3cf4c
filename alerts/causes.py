"""What may have caused an incident: for now, the last deployment of its resource, when it came shortly before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.failures import NOTICED
from alerts.models import Incident
from alerts.text import shorten
from observability.inventory.models import Deployment

SHORTLY = timedelta(hours=1)
NOTICED_LATE = timedelta(minutes=1)
"""A deployment is noticed with its first invocation, which may be the very one that fails."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A deployment, and how long before the incident's first event it was noticed."""

    version: str
    deployed_at: datetime
    before: timedelta

    @property
    def name(self) -> str:
        """The version as it stands in a sentence."""
        return f"version {shorten(self.version, 24)}"

    @property
    def label(self) -> str:
        """The version where there is little room."""
        return f"v{self.version}" if self.version.isdecimal() else shorten(self.version, 16)

    @property
    def sentence(self) -> str:
        return f"{self.name.capitalize()} was deployed {self.how_long_before}."

    @property
    def how_long_before(self) -> str:
        minutes = round(self.before.total_seconds() / 60)
        if minutes < 1:
            return "just before the first event"
        return f"{minutes} minute{'' if minutes == 1 else 's'} before the first event"


def suspect(incident: Incident) -> Suspect | None:
    """The deployment that came shortly before it began (this time), unless the failures ran on another version."""
    if incident.kind in NOTICED:
        return None
    began = beginning(incident)
    deployment = (
        Deployment.objects.filter(
            organization_id=incident.organization_id,
            resource_id=incident.resource_id,
            deployed_at__range=(began - SHORTLY, began + NOTICED_LATE),
        )
        .order_by("-deployed_at")
        .first()
    )
    if deployment is None or _is_another(deployment.version, str(incident.detail.get("version") or "")):
        return None
    before = max(timedelta(), began - deployment.deployed_at)
    return Suspect(deployment.version, deployment.deployed_at, before)


def beginning(incident: Incident) -> datetime:
    """When its present life began: the first failure of all, or the return of a resolved incident."""
    return incident.opened_at if incident.reopened else incident.first_seen_at


def _is_another(deployed: str, failed: str) -> bool:
    """Whether two published versions differ. Code hashes and ``$LATEST`` say nothing about each other."""
    return deployed.isdecimal() and failed.isdecimal() and deployed != failed
