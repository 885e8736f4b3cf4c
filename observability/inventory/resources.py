"""Which resource a piece of telemetry belongs to: from ARNs to rows, with what the sender knows about the function."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from observability.inventory.models import Deployment, Resource
from observability.tenants.models import Organization

SEEN_EVERY = timedelta(minutes=1)
"""``last_seen_at`` is written at most this often."""

MOST_KNOWN = 100_000
TELLING = ("version", "runtime", "memory_mb", "timeout_s", "architecture")
"""A change of one of these is a deployment."""

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
        due = Resource.objects.filter(id__in=resource_ids, last_seen_at__lte=now - SEEN_EVERY)
        mine = list(due.select_for_update(skip_locked=True).order_by("id").values_list("id", flat=True))
        Resource.objects.filter(id__in=mine).update(last_seen_at=now)
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
            first_seen_at=now, last_seen_at=now,
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
    before = resource.config
    changes = {
        key: [before[key], told[key]] for key in TELLING if key in before and key in told and before[key] != told[key]
    }
    if changes:
        Deployment.objects.bulk_create([_deployment(resource, changes, told, at=at)], ignore_conflicts=True)
    merged = {**before, **told}
    if merged != before or now - resource.last_seen_at >= SEEN_EVERY:
        resource.config = merged
        resource.last_seen_at = max(now, resource.last_seen_at)
        resource.save(update_fields=["config", "last_seen_at"])


def _deployment(resource: Resource, changes: Config, told: Config, *, at: datetime) -> Deployment:
    """A published version is its own name. ``$LATEST`` changes under one name, so the day and a digest tell it apart:

    while old and new environments run side by side, their reports alternate, and yet each change shows once.
    """
    version = str(told.get("version") or resource.config.get("version") or "$LATEST")[:40]
    if "version" not in changes:
        digest = hashlib.sha256(msgspec.json.encode([changes[key][1] for key in sorted(changes)])).hexdigest()  # type: ignore[index]  # Pairs of before and after.
        version = f"{version} {at:%Y-%m-%d} {digest[:6]}"
    return Deployment(
        organization_id=resource.organization_id, resource=resource, version=version, changes=changes, deployed_at=at
    )
