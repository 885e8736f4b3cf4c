"""Which deployments changed what a request costs, up or down, as measured before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from observability.inventory.models import Deployment
from observability.telemetry.records import Bucket, Rollup, Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization

STEP = timedelta(hours=1)
LONGEST = timedelta(days=7)
"""No further than this before and after a deployment is looked: what is longer ago compares with other times."""

FEWEST = 100
"""So many invocations there must be on either side."""

CHANGED = 0.1
"""From this share on the cost of a request counts as changed."""

MOST = 60
"""So many deployments are looked at, the newest."""


@dataclass(frozen=True, slots=True)
class Effect:
    """USD of a thousand requests (time and request, not what stands) before and after a deployment."""

    deployment: Deployment
    before: float
    after: float
    per_month: float
    """USD by which a month at the pace since then costs more."""

    @property
    def change(self) -> float:
        return self.after / self.before - 1


def effects(
    organization: Organization, window: Window, *, now: datetime, resource_id: int | None = None
) -> list[Effect]:
    """The deployments of a window that changed what a request costs, those that matter most first."""
    within = Deployment.objects.filter(
        organization=organization, deployed_at__gte=window.start, deployed_at__lt=min(window.end, now)
    )
    if resource_id is not None:
        within = within.filter(resource_id=resource_id)
    recent = list(within.select_related("resource").order_by("-deployed_at")[:MOST])
    if not recent:
        return []
    span = Window(recent[-1].deployed_at - LONGEST, min(now, recent[0].deployed_at + LONGEST))
    ids = sorted({deployment.resource_id for deployment in recent})
    series = get_store().series_by_resource(organization.pk, span, STEP, ids)
    return sorted(_changed(recent, series, now=now), key=lambda effect: -abs(effect.per_month))


def _changed(recent: Sequence[Deployment], series: Mapping[int, Sequence[Bucket]], *, now: datetime) -> list[Effect]:
    found = []
    for deployment in recent:
        others = [each.deployed_at for each in recent if each.resource_id == deployment.resource_id]
        effect = _effect(deployment, series[deployment.resource_id], others, now=now)
        if effect and abs(effect.change) >= CHANGED:
            found.append(effect)
    return found


def _effect(
    deployment: Deployment, buckets: Sequence[Bucket], others: Sequence[datetime], *, now: datetime
) -> Effect | None:
    """The hour in which it happened belongs to neither side."""
    at = deployment.deployed_at
    since = max([each for each in others if each < at], default=at - LONGEST)
    until = min([each for each in others if each > at], default=now)
    before = _sum(buckets, max(since, at - LONGEST), at - STEP)
    after = _sum(buckets, at, min(until, at + LONGEST) - STEP)
    if min(before.invocations, after.invocations) < FEWEST or before.cost_usd <= 0:
        return None
    per_before, per_after = (each.cost_usd / each.invocations * 1_000 for each in (before, after))
    hours = max((min(until, at + LONGEST) - at) / STEP - 1, 1)
    return Effect(deployment, per_before, per_after, (per_after - per_before) / 1_000 * after.invocations / hours * 730)


def _sum(buckets: Sequence[Bucket], start: datetime, end: datetime) -> Rollup:
    """Of the buckets that begin in ``(start, end]``."""
    found = Rollup()
    for bucket in buckets:
        if start < bucket.start <= end:
            found.merge(bucket.rollup)
    return found
