"""Which change of a function is a deployment, and which are one: AWS's listing and telemetry tell of the same thing.

Telemetry knows within seconds which version runs, AWS's listing knows within minutes everything else. Whoever is second
adds what he knows to the deployment of the first, so that one change at AWS is one row: see ``listed`` and ``told``.
Both decide while they hold the lock on the resource's row, and the name of a deployment is unique for its resource.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from observability.inventory.models import Deployment, Resource

Changes = dict[str, list[Any]]
Config = Mapping[str, Any]

TOLD = ("version", "runtime", "memory_mb", "timeout_s", "architecture")
"""What telemetry tells; a change of one of these is a deployment."""

LISTED = (
    "code_sha256", "runtime", "runtime_version_arn", "handler", "memory_mb", "timeout_s", "architecture",
    "ephemeral_mb", "package_type", "layers", "environment", "role", "vpc", "file_systems", "tracing", "snap_start",
    "dead_letter", "log_group", "log_format", "log_level", "system_log_level", "aliases", "reserved_concurrency",
    "provisioned", "event_invoke", "event_sources", "url",
)  # fmt: skip
"""What AWS's listing tells; a change of one of these is a deployment. Tags, sizes and states are none."""

TOGETHER = timedelta(minutes=10)
"""What listing and telemetry tell of within so long is one change, unless both tell of the same key."""

LATEST = "$LATEST"


def changes(before: Config, after: Config, keys: Iterable[str]) -> Changes:
    """What both know, and differently: ``{key: [before, after]}``. What is known for the first time is no change."""
    found: Changes = {}
    for key in keys:
        if key in before and key in after and before[key] != after[key]:
            pair = SHOWN[key](before[key], after[key]) if key in SHOWN else [before[key], after[key]]
            if pair[0] != pair[1]:
                found[key] = pair
    return found


def _environment(before: Mapping[str, str], after: Mapping[str, str]) -> list[Any]:
    """Names of variables: gone ones before, new ones and those with a new value after. No digest leaves the config."""
    gone = sorted(before.keys() - after.keys())
    new = sorted(after.keys() - before.keys())
    changed = [name for name in sorted(before.keys() & after.keys()) if _differ(before[name], after[name])]
    return [gone, new + [f"{name} (new value)" for name in changed]]


def _differ(before: str, after: str) -> bool:
    """Whether two digests tell that the value changed; those under different keys (``key:digest``) do not."""
    return before != after and before.partition(":")[0] == after.partition(":")[0]


def _layers(before: Sequence[Config], after: Sequence[Config]) -> list[Any]:
    """The ARN of a layer's version says it all."""
    return [[layer["arn"] for layer in layers] for layers in (before, after)]


def _aliases(before: Mapping[str, Config], after: Mapping[str, Config]) -> list[Any]:
    """Only those that changed: ``{"prod": "7"}``, or ``{"prod": "7 and 8 (10 %)"}`` while calls are shared."""
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return [{name: _target(aliases[name]) for name in names if name in aliases} for aliases in (before, after)]


def _target(alias: Config) -> str:
    shares = (f"{version} ({float(share):.0%})".replace("%", " %") for version, share in alias["weights"].items())
    return " and ".join([alias["version"], *shares])


SHOWN: Mapping[str, Callable[[Any, Any], list[Any]]] = {
    "environment": _environment,
    "layers": _layers,
    "aliases": _aliases,
}


def listed(resource: Resource, found: Changes, *, at: datetime, now: datetime) -> Deployment:
    """A new deployment that AWS's listing tells of. ``at`` is when AWS says that it was, or ``now``.

    Its name tells apart what changed when, and is the same however often, and by whomever, the change is noticed.
    """
    digest = hashlib.sha256(msgspec.json.encode([at, found])).hexdigest()[:6]
    return Deployment(
        organization_id=resource.organization_id, resource=resource, version=f"{LATEST} {at:%Y-%m-%d} {digest}",
        changes=found, deployed_at=at, listed_at=now,
    )  # fmt: skip


def told(resource: Resource, found: Changes, *, running: str, at: datetime) -> Deployment:
    """A new deployment that telemetry tells of. A published version is its own name.

    ``$LATEST`` changes under one name, so the day and a digest tell it apart: while old and new environments run side
    by side, their reports alternate, and yet each change shows once.
    """
    version = (running or LATEST)[:40]
    if "version" not in found:
        digest = hashlib.sha256(msgspec.json.encode([found[key][1] for key in sorted(found)])).hexdigest()
        version = f"{version} {at:%Y-%m-%d} {digest[:6]}"
    return Deployment(
        organization_id=resource.organization_id, resource=resource, version=version, changes=found, deployed_at=at
    )


def partner(fresh: Deployment, known: Iterable[Deployment]) -> Deployment | None:
    """The newest of the known deployments that the other side told of and that is this very change, if there is one."""
    mine = (other for other in known if _one_change(fresh, other))
    return max(mine, key=lambda other: other.deployed_at, default=None)


def _one_change(fresh: Deployment, other: Deployment) -> bool:
    if fresh.resource_id != other.resource_id or (fresh.listed_at is None) == (other.listed_at is None):
        return False
    if fresh.changes.keys() & other.changes.keys():
        return False
    return abs(fresh.deployed_at - other.deployed_at) <= TOGETHER or _same_version(fresh, other)


def _same_version(one: Deployment, other: Deployment) -> bool:
    """Whether telemetry saw the version running to which an alias was pointed, however much later."""
    listing, telemetry = (one, other) if one.listed_at else (other, one)
    pointed = listing.changes.get("aliases", [{}, {}])[1]
    return "version" in telemetry.changes and telemetry.version in {
        word for target in pointed.values() for word in target.split()
    }


def join(other: Deployment, fresh: Deployment) -> Deployment:
    """Add what ``fresh`` tells to the known deployment: it happened at the earlier moment, a version is its name."""
    listing = other if other.listed_at else fresh
    other.version = fresh.version if "version" in fresh.changes else other.version
    other.changes = {**other.changes, **fresh.changes}
    other.deployed_at = min(other.deployed_at, fresh.deployed_at)
    other.listed_at = listing.listed_at
    return other
