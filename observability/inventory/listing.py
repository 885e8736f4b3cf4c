"""What AWS lists becomes resources: new ones, changed ones with their deployments, and those that are gone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Q, QuerySet

from observability.inventory.deployments import LISTED, changes, join, listed, partner
from observability.inventory.models import Deployment, Resource

AT_ONCE = 1000
FUNCTION = "lambda_function"
GLOBAL = "global"
"""The region of what has none in its ARN."""

JUST_MADE = timedelta(minutes=10)
"""Telemetry may know a function that was made while AWS was being asked; so long it is not missed."""

TOLD_SINCE = timedelta(days=1)
"""So far back a deployment that telemetry told of may be the one that a listing finds now."""


class Seen(Protocol):
    """One resource as a collector found it. ``config`` holds what is known, ``tags`` is None when they are not."""

    @property
    def type(self) -> str: ...
    @property
    def arn(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def config(self) -> Mapping[str, Any]: ...
    @property
    def tags(self) -> Mapping[str, str] | None: ...


@dataclass(frozen=True, slots=True)
class Applied:
    """How many resources are new, changed (also: came back) and gone, and how many deployments were found."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    deployments: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    organization_id: int
    account: str
    region: str


def apply(
    *,
    organization_id: int,
    account: str,
    region: str,
    found: Iterable[Seen],
    complete: Collection[str],
    now: datetime,
    since: datetime | None = None,
) -> Applied:
    """Store what was found, in one transaction. ``now`` is when AWS was asked, ``account`` the twelve digits.

    What is found again keeps what only telemetry told of it. Only what is of a ``complete`` type, of this account and
    region, and was not found is gone, once; not found ``since`` a moment, where the listing took until now in parts. A
    listing older than what is stored changes nothing. Safe to repeat.
    """
    place = Place(organization_id, account, region)
    by_arn = {each.arn: each for each in found}
    arns = sorted(by_arn)
    new, changed, fresh = 0, 0, 0
    with transaction.atomic():
        for start in range(0, len(arns), AT_ONCE):
            part = _learn(place, {arn: by_arn[arn] for arn in arns[start : start + AT_ONCE]}, now=now)
            new, changed, fresh = new + part.new, changed + part.changed, fresh + part.deployments
        gone = _mark_gone(place, complete, since=since or now, now=now)
    return Applied(new, changed, gone, fresh)


def _learn(place: Place, found: Mapping[str, Seen], *, now: datetime) -> Applied:
    """One part of a listing. Most of it is as it was; what seems to have changed is looked at again under its lock."""
    rows = Resource.objects.filter(organization_id=place.organization_id, arn__in=list(found))
    known = {row.arn: row for row in rows}
    missing = sorted(found.keys() - known.keys())
    Resource.objects.bulk_create([_row(place, found[arn], now=now) for arn in missing], ignore_conflicts=True)
    news = {arn for arn, row in known.items() if row.listed_at is None or _changes(row, found[arn])}
    mine = _lock(rows, now=now)
    rows.filter(pk__in=mine, arn__in=known.keys() - news).update(listed_at=now)
    deployments: list[Deployment] = []
    changed: list[Resource] = []
    for row in rows.filter(pk__in=mine, arn__in=[*news, *missing]):
        deployments += _deployments(row, found[row.arn], now=now)
        if row.listed_at != now or _changes(row, found[row.arn]):  # Telemetry can have been quicker to make the row.
            _update(row, found[row.arn], now=now)
            changed.append(row)
    _store(changed)
    _deploy(deployments)
    return Applied(new=len(missing), changed=len(changed), deployments=len(deployments))


def _lock(rows: QuerySet[Resource], *, now: datetime) -> list[int]:
    """Lock those that no newer listing has told of, in the order of their ARNs: two runs wait instead of colliding."""
    older = rows.filter(Q(listed_at=None) | Q(listed_at__lte=now)).order_by("arn")
    return list(older.select_for_update(no_key=True).values_list("pk", flat=True))


def _store(rows: Sequence[Resource]) -> None:
    """Write rows that exist. An upsert, because it is ten times as fast as an update of as many."""
    Resource.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["organization", "arn"],
        update_fields=["name", "config", "listed_at", "gone_at"],
    )


def _row(place: Place, seen: Seen, *, now: datetime) -> Resource:
    return Resource(
        organization_id=place.organization_id, type=seen.type, arn=seen.arn, name=(seen.name or place.account)[:140],
        region=seen.arn.split(":")[3] or GLOBAL, account=place.account, config=_known({}, seen),
        first_seen_at=now, last_seen_at=now, listed_at=now,
    )  # fmt: skip


def _known(config: Mapping[str, Any], seen: Seen) -> dict[str, Any]:
    """The config with what was seen: what the listing does not tell of stays as it is."""
    return {**config, **seen.config, **({} if seen.tags is None else {"tags": dict(seen.tags)})}


def _changes(row: Resource, seen: Seen) -> bool:
    """Whether what was seen differs from what is stored, or had been gone. An empty name tells none."""
    return row.gone_at is not None or seen.name[:140] not in ("", row.name) or _known(row.config, seen) != row.config


def _update(row: Resource, seen: Seen, *, now: datetime) -> None:
    row.name, row.config, row.gone_at = seen.name[:140] or row.name, _known(row.config, seen), None
    row.listed_at = now


def _deployments(row: Resource, seen: Seen, *, now: datetime) -> list[Deployment]:
    """What changed since the last listing; what the first one finds is where counting begins."""
    if row.type != FUNCTION or row.listed_at is None:
        return []
    found = changes(row.config, seen.config, LISTED)
    return [listed(row, found, at=_when(row.config, seen.config, now=now), now=now)] if found else []


def _when(before: Mapping[str, Any], after: Mapping[str, Any], *, now: datetime) -> datetime:
    """AWS's own time of the change, where it is news; aliases, limits and triggers change without one."""
    known, told = before.get("last_modified"), after.get("last_modified")
    if known and told and datetime.fromisoformat(told) > datetime.fromisoformat(known):
        return min(datetime.fromisoformat(told), now)
    return now


def _deploy(deployments: Sequence[Deployment]) -> None:
    """Store them, or add them to those of the same change that telemetry has told of meanwhile."""
    if not deployments:
        return
    since = min(deployment.deployed_at for deployment in deployments) - TOLD_SINCE
    ids = [deployment.resource_id for deployment in deployments]
    told = list(Deployment.objects.filter(resource_id__in=ids, listed_at=None, deployed_at__gte=since))
    joined, fresh = [], []
    for deployment in deployments:
        if other := partner(deployment, told):
            joined.append(join(other, deployment))
        else:
            fresh.append(deployment)
    Deployment.objects.bulk_create(fresh, ignore_conflicts=True)
    Deployment.objects.bulk_update(joined, ["version", "changes", "deployed_at", "listed_at"])


def _mark_gone(place: Place, complete: Collection[str], *, since: datetime, now: datetime) -> int:
    """Everything found was listed since then, so what was not is gone. Newer listings know better than this one."""
    missed = Q(listed_at__lt=since) | Q(listed_at=None, first_seen_at__lt=since - JUST_MADE)
    here = Resource.objects.filter(
        missed, organization_id=place.organization_id, account=place.account, region=place.region, gone_at=None
    )
    return here.filter(type__in=complete).update(gone_at=now) if complete else 0
