"""Which collections are due, who has them, and when they are due again. The rows are the truth; Celery only rings.

A run that dies keeps its lease until it runs out, and then somebody else starts it again. However many ticks were
missed, a collection is due once. Each has its own phase within its interval, so that a thousand accounts which were
all due at the same moment are not so again the next time.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from ingest.collector import is_granted
from ingest.collectors import COLLECTORS
from ingest.models import Collection
from observability.aws import connecting, verification
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Target
from observability.inventory.models import Resource

LEASE = timedelta(seconds=90)
"""Longer than a run may take: calls give up after 20 s, and a turn of reading logs after 20 s more."""

LEAST_WAIT, MOST_WAIT = timedelta(seconds=15), timedelta(minutes=15)
"""How long a collection waits after its first failure, and at most after many."""

LISTING, ASSUME = "lambda_functions", "sts:AssumeRole"
FRESH = timedelta(minutes=10)


class LeaseLostError(Exception):
    """The run took longer than its lease, and another one may be under way: nothing of this one is kept."""


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed collection: all that its run needs to know. ``leased_until`` is the proof that it is still ours."""

    collection_id: int
    account_pk: int
    organization_id: int
    account: str
    region: str
    kind: str
    target: Target
    cursor: Mapping[str, Any]
    selection: Mapping[str, Any]
    failures: int
    leased_until: datetime


def plan(*, now: datetime) -> None:
    """Make the rows of accounts, regions and tiers that are new, remove those that are not granted any more.

    The first runs are due in the order of the shelf: functions everywhere before anything else.
    """
    for account in readable().annotate(rows=Count("collections")):
        kinds = [collector.kind for collector in COLLECTORS if is_granted(collector, account.tiers)]
        if account.rows != len(account.regions) * len(kinds):
            account.collections.exclude(region__in=account.regions, kind__in=kinds).delete()
            wanted = [(kind, region) for kind in kinds for region in account.regions]
            fresh = [
                Collection(account=account, region=region, kind=kind, due_at=now - timedelta(milliseconds=place))
                for place, (kind, region) in enumerate(reversed(wanted))
            ]
            Collection.objects.bulk_create(fresh, ignore_conflicts=True)


def readable() -> QuerySet[AwsAccount]:
    """The accounts that may be read: connected ones whose role proved to be safe."""
    return AwsAccount.objects.filter(
        status=AwsAccount.Status.CONNECTED, disconnected_at=None, organization__archived_at=None
    )


def hasten(*, now: datetime) -> int:
    """Have functions listed at once where telemetry told of one that AWS has not listed yet."""
    unknown = Resource.objects.filter(
        Q(first_seen_at__gt=OuterRef("succeeded_at")),
        organization=OuterRef("account__organization"),
        account=OuterRef("account__account_id"),
        region=OuterRef("region"),
        type="lambda_function",
        listed_at=None,
        first_seen_at__gt=now - FRESH,
    )
    return Collection.objects.filter(Exists(unknown), kind=LISTING, due_at__gt=now).update(due_at=now)


def retry(*, now: datetime) -> int:
    """Have what failed tried again at once where the account was found well since: somebody may have mended it."""
    failed = Collection.objects.filter(failures__gt=0, due_at__gt=now, account__in=readable())
    return failed.filter(started_at__lt=F("account__checked_at")).update(due_at=now)


def bring_forward(job: Job, kind: str, *, now: datetime) -> None:
    """Have another collector of the same place run at once: this run found something for it."""
    Collection.objects.filter(account=job.account_pk, region=job.region, kind=kind, due_at__gt=now).update(due_at=now)


def claim(*, now: datetime, at_once: int) -> list[int]:
    """Take what is due, as long as fewer than ``at_once`` runs are under way; every account gets its turn."""
    under_way = Collection.objects.filter(leased_until__gt=now).count()
    with transaction.atomic():
        waiting = due(now=now).annotate(
            turn=Window(RowNumber(), partition_by=F("account"), order_by=F("due_at").asc()),
        )
        first = list(waiting.order_by("turn", "due_at").values_list("pk", flat=True)[: max(at_once - under_way, 0)])
        mine = due(now=now).filter(pk__in=first).select_for_update(skip_locked=True, of=("self",))
        ids = list(mine.order_by("pk").values_list("pk", flat=True))
        Collection.objects.filter(pk__in=ids).update(leased_until=now + LEASE, started_at=now)
    return ids


def due(*, now: datetime) -> QuerySet[Collection]:
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    return Collection.objects.filter(free, due_at__lte=now, account__in=readable())


def job(*, collection_id: int, now: datetime) -> Job | None:
    """The claimed collection; None when the lease ran out while the task waited, or it is gone."""
    row = (
        Collection.objects.select_related("account__organization")
        .filter(pk=collection_id, leased_until__gt=now, account__in=readable())
        .first()
    )
    if row is None or row.leased_until is None:
        return None
    account = row.account
    return Job(
        row.pk, account.pk, account.organization_id, account.account_id, row.region, row.kind,
        connecting.target(account), row.cursor, account.selection, row.failures, row.leased_until,
    )  # fmt: skip


def succeed(
    job: Job, *, cursor: Mapping[str, Any], every: timedelta, now: datetime, note: str = "", more: bool = False
) -> None:
    """Done; due again in its next slot, or behind all others of its account that are due where there is more to do.

    In the transaction that stores what the run brought.
    """
    _release(
        job, cursor=dict(cursor), due_at=now if more else next_slot(job, every, now=now), failures=0, succeeded_at=now,
        trouble="access_denied" if note else "", detail=note[:500],
    )  # fmt: skip
    if note:
        verification.doubt_permissions(account_pk=job.account_pk, now=now)


def fail(job: Job, error: AwsError, *, now: datetime) -> None:
    """Try again later, each time later. What is wrong with the role or the account is for verification to look at."""
    wait = min(LEAST_WAIT * 2 ** min(job.failures, 10), MOST_WAIT)
    with transaction.atomic():
        _release(
            job, due_at=now + wait * (0.75 + 0.5 * _share(job, str(now))), failures=min(job.failures + 1, 1000),
            trouble=error.trouble, detail=error.told[:500],
        )  # fmt: skip
        if error.trouble == Trouble.ACCESS_DENIED:
            verification.doubt_permissions(account_pk=job.account_pk, now=now)
        elif error.trouble == Trouble.ACCOUNT_SUSPENDED or (error.action == ASSUME and not error.transient):
            verification.doubt(account_pk=job.account_pk, error=error, now=now)


def next_slot(job: Job, every: timedelta, *, now: datetime) -> datetime:
    """The first moment of this collection's phase that comes at least half an interval from now."""
    phase = every * _share(job)
    earliest = now + every / 2
    midnight = earliest.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + phase + every * -((midnight + phase - earliest) // every)


def _share(job: Job, salt: str = "") -> float:
    """A number from 0 to 1 that is this collection's own."""
    text = f"{job.account}/{job.region}/{job.kind}/{salt}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") / 2**32


def _release(job: Job, **fields: Any) -> None:
    mine = Collection.objects.filter(pk=job.collection_id, leased_until=job.leased_until)
    if not mine.update(leased_until=None, **fields):
        raise LeaseLostError(job.kind)
