"""Packages, images, environments and code storage that fill a limit of AWS far enough to be told.

Looked at every minute, so that a deployment is judged as soon as it was measured. Only what is over the lowest
threshold is read, and its history only when it is news.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from alerts.detector import Filling
from alerts.detectors.oversized_deployment import OversizedDeployment, identity, severity_of
from alerts.models import Incident, State, Transition
from alerts.text import shorten
from alerts.tuning import Tunings
from observability.aws.models import AwsAccount
from observability.inventory import limits, packages
from observability.inventory.models import Package, Resource
from observability.inventory.packages import Change
from observability.ui.units import size

FUNCTION, ACCOUNT = "lambda_function", "aws_account"
SHOWN = 3
"""So many of what grew are named."""


@dataclass(frozen=True, slots=True)
class Full:
    """Something over the lowest threshold. ``digest`` is the same until it is another package, or much fuller."""

    resource_id: int
    name: str
    limit: limits.Limit
    used: int
    allowed: int
    digest: str
    since: datetime
    version: str = ""
    package: Package | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What an incident says already; ``over`` where a person resolved it."""

    detail: Mapping[str, Any]
    over: bool


def fillings(organization_id: int, tuned: Tunings, *, now: datetime) -> list[Filling]:
    """Everything that is worth an incident, told before or not; what a person resolved only as another package."""
    if not tuned.is_on(OversizedDeployment.kind):
        return []
    knobs = tuned.of(OversizedDeployment.kind, OversizedDeployment.knobs)
    thresholds = (knobs["info"] / 100, knobs["warning"] / 100, knobs["critical"] / 100)
    found = list(_found(organization_id, min(thresholds), now=now))
    told = _told(organization_id) if found else {}
    known = [(each, told.get(_fingerprint(each, thresholds))) for each in found]
    return [_filling(each, before, thresholds, now=now) for each, before in known if not _is_over(each, before)]


def _fingerprint(full: Full, thresholds: tuple[float, float, float]) -> str:
    severity = severity_of(full.used / full.allowed, thresholds)
    return identity(full.resource_id, full.limit.key, severity, full.detail) if severity else ""


def _found(organization_id: int, least: float, *, now: datetime) -> Iterator[Full]:
    yield from _packages(organization_id, least)
    yield from _environments(organization_id, least, now=now)
    yield from _storages(organization_id, least, now=now)


def _packages(organization_id: int, least: float) -> Iterator[Full]:
    """Two queries, and mostly the first finds nothing."""
    large = Q(image_bytes__gte=least * limits.IMAGE.value) | Q(unzipped__gte=least * limits.UNZIPPED.value)
    rows = Package.objects.annotate(unzipped=F("code_bytes") + Coalesce(F("layers_bytes"), 0)).filter(large)
    mine = rows.filter(organization=organization_id, resource__gone_at=None, resource__type=FUNCTION)
    functions = dict(mine.values_list("resource_id", "resource__name").distinct())
    if not functions:
        return
    for package in packages.latest(organization_id=organization_id, resource_ids=functions).values():
        used = packages.total(package) or 0
        limit = limits.UNZIPPED if package.image_bytes is None else limits.IMAGE
        if used >= least * limit.value:
            yield Full(
                package.resource_id, functions[package.resource_id], limit, used, limit.value, package.digest,
                package.deployed_at, package.version, package,
            )  # fmt: skip


def _environments(organization_id: int, least: float, *, now: datetime) -> Iterator[Full]:
    allowed = limits.ENVIRONMENT.value
    rows = Resource.objects.filter(
        organization=organization_id, type=FUNCTION, gone_at=None, config__environment_bytes__gte=least * allowed
    )
    for pk, name, used in rows.values_list("pk", "name", "config__environment_bytes"):
        yield Full(pk, name, limits.ENVIRONMENT, int(used), allowed, _step(used, allowed), now)


def _storages(organization_id: int, least: float, *, now: datetime) -> Iterator[Full]:
    rows = Resource.objects.filter(organization=organization_id, type=ACCOUNT, gone_at=None)
    for pk, account, config in rows.values_list("pk", "account", "config"):
        for region, told in config.items():
            used = told.get("code_storage_bytes") if isinstance(told, Mapping) else None
            allowed = (told.get("code_storage_limit_bytes") or limits.CODE_STORAGE.value) if used else 0
            if used and used >= least * allowed:
                name = f"{region} in {_called(organization_id, account)}"
                detail = {"region": region}
                yield Full(pk, name, limits.CODE_STORAGE, used, allowed, _step(used, allowed), now, detail=detail)


def _called(organization_id: int, account: str) -> str:
    connections = AwsAccount.objects.filter(organization=organization_id, account_id=account, disconnected_at=None)
    return connections.values_list("name", flat=True).first() or account


def _step(used: float, allowed: float) -> str:
    """What has no packages is news again with every further twentieth."""
    return f"{int(20 * used / allowed)}/20"


def _told(organization_id: int) -> dict[str, Told]:
    """What is known of each problem, by fingerprint. One query."""
    resolved = Transition.objects.filter(incident=OuterRef("pk"), kind=Transition.Kind.RESOLVED).order_by("-pk")
    rows = Incident.objects.filter(organization=organization_id, kind=OversizedDeployment.kind)
    by_whom = rows.annotate(by_whom=Subquery(resolved.values("actor")[:1]))
    return {
        fingerprint: Told(detail, state == State.RESOLVED and actor is not None)
        for fingerprint, detail, state, actor in by_whom.values_list("fingerprint", "detail", "state", "by_whom")
    }


def _is_over(full: Full, told: Told | None) -> bool:
    """Whether a person resolved it, and nothing has changed since."""
    return told is not None and told.over and told.detail.get("digest") == full.digest


def _filling(full: Full, told: Told | None, thresholds: tuple[float, float, float], *, now: datetime) -> Filling:
    news = told is None or told.detail.get("digest") != full.digest
    detail = {**full.detail, "digest": full.digest}
    if told is None or news:
        message, more = described(full, min(thresholds))
    else:
        message = str(told.detail.get("message") or "")
        more = {key: told.detail[key] for key in KEPT if key in told.detail}
    return Filling(
        full.resource_id, full.name, full.limit.key, full.used, full.allowed, full.version, full.since, now,
        message=message, thresholds=thresholds, news=news, detail=detail | more,
    )  # fmt: skip


KEPT = ("grew", "forecast")
"""What ``described`` finds, as the detail of incidents keeps it."""


def described(full: Full, least: float) -> tuple[str, dict[str, Any]]:
    """A few sentences: what it consists of, what grew, since when it is over the threshold, and what to expect."""
    package = full.package
    if package is None:
        return f"{size(full.used)} of {size(full.allowed)}. {full.limit.beyond}", {}
    history = packages.history(
        organization_id=package.organization_id, resource_id=full.resource_id, most=packages.LOOK_BACK
    )
    more: dict[str, Any] = {}
    parts = [_consists(package)]
    if len(history) > 1:
        found = packages.diff(history[-2], history[-1])
        more["grew"] = [_grown(change) for change in _grew(found.dependencies or found.folders)]
        parts.append(_last_deployment(found.delta, more["grew"]))
    forecast = packages.forecast(history)
    if forecast and forecast.deployments is not None:
        more["forecast"] = forecast.sentence
        parts.append(forecast.sentence)
    parts += [_since(history, full, least), full.limit.beyond]
    return " ".join(part for part in parts if part), more


def _consists(package: Package) -> str:
    least = "" if package.complete else "At least "
    if package.image_bytes is not None:
        return f"{least}{size(package.image_bytes)}, compressed, as the registry tells it."
    return f"{least}{size(package.code_bytes)} of code and {size(package.layers_bytes or 0)} of layers, unzipped."


def _grew(changes: Iterable[Change]) -> list[Change]:
    return [change for change in changes if change.delta > 0][:SHOWN]


def _grown(change: Change) -> dict[str, Any]:
    return {"name": shorten(change.name, 80), "bytes": change.delta}


def _last_deployment(delta: int | None, grew: Iterable[Mapping[str, Any]]) -> str:
    if delta is None or delta <= 0:
        return ""
    named = ", ".join(f"{each['name']} +{size(each['bytes'])}" for each in grew)
    return f"The last deployment added {size(delta)}{f': {named}' if named else ''}."


def _since(history: Iterable[Package], full: Full, least: float) -> str:
    """Since which package it has been over the threshold without a break; nothing where that is the last one."""
    first = None
    for package in reversed(list(history)):
        if (packages.total(package) or 0) < least * full.allowed:
            break
        first = package
    if first is None or first.pk == getattr(full.package, "pk", None):
        return ""
    name = f"version {first.version}" if first.version.isdecimal() else "the deployment"
    return f"It has been over {least:.0%} since {name} of {first.deployed_at.day} {first.deployed_at:%b %Y}."
