"""What else is known around an odd value: the deployment before it, what drives it, who holds what it lacks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from alerts.watching import reasons
from alerts.watching.judging import Sight
from alerts.watching.series import STEP
from observability.dashboards.changes import what
from observability.inventory.models import Deployment

SHORTLY = timedelta(hours=1)
"""A deployment so long before may be what changed it."""

Blame = Callable[[int, datetime], str]
"""Who held the concurrency of a resource's account at a time, as a sentence; empty where nobody can tell."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Read once for all sights of a look; ``of`` then answers for one."""

    deployments: dict[int, list[Deployment]] = field(default_factory=dict)
    blame: Blame = lambda _resource_id, _at: ""

    def of(self, sight: Sight, began_at: datetime) -> dict[str, Any]:
        """JSON-ready: ``deployment``, ``drivers``, ``blame``, of which only those are there that tell something."""
        told: dict[str, Any] = {}
        if deployment := self._deployment(sight.resource_id, began_at):
            told["deployment"] = {
                "id": deployment.pk,
                "version": deployment.version,
                "at": deployment.deployed_at.isoformat(),
                "what": what(deployment.changes),
                "since": reasons.since(deployment.version, deployment.deployed_at, began_at),
            }
        if behind := reasons.drivers(sight):
            told["drivers"] = behind
        if sight.metric.name == "throttles" and (sentence := self.blame(sight.resource_id, sight.at)):
            told["blame"] = sentence
        return told

    def _deployment(self, resource_id: int, began_at: datetime) -> Deployment | None:
        """The last one in the hour before, or within the step in which it began."""
        near = [
            each
            for each in self.deployments.get(resource_id, ())
            if began_at - SHORTLY <= each.deployed_at < began_at + STEP
        ]
        return max(near, key=lambda each: each.deployed_at, default=None)


def read(organization_id: int, sights: Iterable[Sight], *, blame: Blame) -> Surroundings:
    """One query, for those resources of which something is odd."""
    seen = list(sights)
    if not seen:
        return Surroundings(blame=blame)
    earliest = min(sight.at for sight in seen) - SHORTLY - timedelta(days=1)
    found: dict[int, list[Deployment]] = {}
    rows = Deployment.objects.filter(
        organization=organization_id, resource__in={sight.resource_id for sight in seen}, deployed_at__gte=earliest
    )
    for row in rows:
        found.setdefault(row.resource_id, []).append(row)
    return Surroundings(found, blame)
