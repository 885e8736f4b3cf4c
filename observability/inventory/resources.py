"""Which resource a piece of telemetry belongs to: from ARNs to rows, with what the sender knows about the function."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from observability.inventory import deployments
from observability.inventory.models import Deployment, Resource
from observability.tenants.models import Organization

SEEN_EVERY = timedelta(minutes=1)
"""``last_seen_at`` and ``pushed_at`` are written at most this often."""

MOST_KNOWN = 100_000
RECENT = 20
"""Among so many of the newest deployments telemetry looks for the one that it tells of."""

LISTING_KNOWS = timedelta(days=1)
"""So long after AWS listed a function, its telemetry only adds to what the listing tells."""

ARN = re.compile(r"(arn:(aws[a-z-]*):lambda:([a-z0-9-]+):(\d{12}):function:([A-Za-z0-9_-]+))(?::(.+))?")

Config = Mapping[str, object]


class UnknownOrganizationError(LookupError):
    """The organization does not exist (any more)."""


class InvalidArnError(ValueError):
    """This is not the ARN of a Lambda function."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function as its telemetry describes it; ``config`` holds only what is known."""

    arn: str
    version: str = ""
    config: Config = field(default_factory=dict)


@dataclass(slots=True)
class Known:
    """What this process knows of a resource; ``told`` is what was last merged into it."""

    resource_id: int
    told: Function
    seen_at: datetime


class Resources:
    """Finds resources, and creates or updates them. Remembers, so that what is known costs no query."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, str], Known] = {}

    def resolve(
        self, organization_id: int, functions: Sequence[Function], *, now: datetime, at: datetime | None = None
    ) -> list[int]:
        """The ids of these functions' resources, in their order. Safe to repeat.

        ``at`` is when they said so, where that is not ``now``: what they changed is dated by it.
        Raises ``UnknownOrganizationError`` and ``InvalidArnError``.
        """
        stale: list[int] = []
        ids = []
        for function in functions:
            known = self.known.get((organization_id, function.arn))
            if known is None or known.told != function:
                known = self._learn(organization_id, function, now=now, at=min(at or now, now))
            elif now - known.seen_at >= SEEN_EVERY:
                known.seen_at = now
                stale.append(known.resource_id)
            ids.append(known.resource_id)
        if stale:
            self._forget(set(stale) - _touch(stale, now=now))
        return ids

    def _forget(self, gone: set[int]) -> None:
        """Resources that were deleted; the next time they are asked for, they are looked up."""
        if gone:
            self.known = {key: known for key, known in self.known.items() if known.resource_id not in gone}

    def _learn(self, organization_id: int, function: Function, *, now: datetime, at: datetime) -> Known:
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        resource_id = _merge(organization_id, function, now=now, at=at)
        known = self.known[organization_id, function.arn] = Known(resource_id, function, now)
        return known


def _touch(resource_ids: Sequence[int], *, now: datetime) -> set[int]:
    """Note that they are alive, and answer which exist; rows that somebody else is just writing are left to them."""
    with transaction.atomic():
        stale = Q(last_seen_at__lte=now - SEEN_EVERY) | Q(pushed_at=None) | Q(pushed_at__lte=now - SEEN_EVERY)
        due = Resource.objects.filter(stale, id__in=resource_ids)
        mine = list(due.select_for_update(skip_locked=True).order_by("id").values_list("id", flat=True))
        Resource.objects.filter(id__in=mine).update(last_seen_at=now, pushed_at=now)
    return set(Resource.objects.filter(id__in=resource_ids).values_list("id", flat=True))


def _merge(organization_id: int, function: Function, *, now: datetime, at: datetime) -> int:
    """Create the resource or add to it what this function tells anew; a change of it is a deployment."""
    parts = ARN.fullmatch(function.arn)
    if not parts:
        raise InvalidArnError(function.arn[:400])
    arn, _, region, account, name, _ = parts.groups()
    told = {"version": function.version, **function.config} if function.version else dict(function.config)
    if not Organization.objects.filter(id=organization_id).exists():
        raise UnknownOrganizationError(organization_id)
    with transaction.atomic():
        fresh = Resource(
            organization_id=organization_id, arn=arn, name=name[:140], region=region, account=account, config=told,
            first_seen_at=now, last_seen_at=now, pushed_at=now,
        )  # fmt: skip
        Resource.objects.bulk_create([fresh], ignore_conflicts=True)
        resource = Resource.objects.select_for_update().get(organization_id=organization_id, arn=arn)
        if not _is_older(resource.config, told):
            _apply(resource, told, now=now, at=at)
        return resource.id


def _is_older(config: Config, told: Config) -> bool:
    """Whether this comes from an earlier published version that still runs beside the current one."""
    current, version = str(config.get("version", "")), str(told.get("version", ""))
    return current.isdecimal() and version.isdecimal() and int(version) < int(current)


def _apply(resource: Resource, told: Config, *, now: datetime, at: datetime) -> None:
    before, told = resource.config, _news(resource, told, now=now)
    merged = {**before, **told}
    if found := deployments.changes(before, told, deployments.TOLD):
        _deploy(deployments.told(resource, found, running=str(merged.get("version") or ""), at=at))
    pushed_at = resource.pushed_at
    if merged != before or pushed_at is None or now - min(pushed_at, resource.last_seen_at) >= SEEN_EVERY:
        resource.config = merged
        resource.last_seen_at = max(now, resource.last_seen_at)
        resource.pushed_at = max(now, pushed_at or now)
        resource.save(update_fields=["config", "last_seen_at", "pushed_at"])


def _news(resource: Resource, told: Config, *, now: datetime) -> Config:
    """What telemetry tells that AWS's listing does not know better: which version runs, and what was not told at all.

    Old environments report old settings for a while; and what the listing told already is no second deployment.
    """
    if resource.listed_at is None or now - resource.listed_at > LISTING_KNOWS:
        return told
    return {key: value for key, value in told.items() if key == "version" or key not in resource.config}


def _deploy(fresh: Deployment) -> None:
    """Store a deployment once, or add it to that of the same change that AWS's listing has told of already."""
    known = Deployment.objects.filter(resource=fresh.resource)
    if known.filter(version=fresh.version).exists():
        return
    recent = known.exclude(listed_at=None).order_by("-deployed_at")[:RECENT]
    if other := deployments.partner(fresh, recent):
        deployments.join(other, fresh).save(update_fields=["version", "changes", "deployed_at"])
    else:
        Deployment.objects.bulk_create([fresh], ignore_conflicts=True)
