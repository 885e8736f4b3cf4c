"""READ FIRST. How telemetry comes in, stage by stage.

``receive`` takes what is pushed; the writer takes over from the buffer. ``collect`` fetches what is pulled.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from django.db import transaction
from django.db.models import QuerySet
from msgspec import UNSET, Struct, UnsetType

from ingest import backfills, log_groups, log_reading, schedule
from ingest.auth import authenticate
from ingest.buffer import get_buffer
from ingest.collector import Collector, Function, Harvest, Neighbour, Scope
from ingest.collectors import BY_KIND
from ingest.collectors.lambda_logs import LambdaLogs
from ingest.collectors.package_sizes import PackageSizes
from ingest.collectors.resource_metrics import MEASURED, ResourceMetrics
from ingest.compression import expand
from ingest.entry import Entry
from ingest.payload import check
from ingest.refusal import Rejected
from ingest.schedule import Job
from ingest.scrub import scrub
from observability.aws import sessions
from observability.aws.problems import AwsError
from observability.aws.sessions import Region
from observability.inventory import listing, measurements, packages
from observability.inventory.models import Resource
from observability.inventory.selection import Selection
from observability.telemetry.store import get_store
from observability.tenants.steering import Steering

LARGE = 32 * 1024
PATIENCE = timedelta(seconds=15)
"""After so long a run is told that its time is up."""

LOGS_PATIENCE = timedelta(seconds=20)
"""How long one run goes on taking up log groups."""

HISTORY_PATIENCE = timedelta(seconds=5)
"""The same for those of a backfill, once nothing live is due."""

_one_large_body = Lock()


@dataclass(frozen=True, slots=True)
class Post:
    """What of an HTTP request matters here. ``read`` reads the body, and refuses it when it is too long."""

    authorization: str
    query: str
    encoding: str
    arn: str
    read: Callable[[], bytes]


class Wishes(Struct, frozen=True):
    """What is asked of the sender: to be quiet for so many seconds, to send the lines of a share of invocations."""

    paused_s: int | UnsetType = UNSET
    sampling: float | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a body's events: ``accepted + duplicates + len(rejected)`` is what was posted.

    Duplicates are ids repeated within the body; copies of what was stored before are found, and dropped, later.
    """

    accepted: int
    duplicates: int
    rejected: tuple[Rejected, ...]
    config: Wishes | UnsetType = UNSET


def receive(post: Post, *, now: datetime) -> Receipt:
    """Accept one body. Raises ``RefusedError``. Once this returns, the accepted events are not lost any more."""
    key = authenticate(post.authorization, post.query, now=now)
    body = post.read()
    with turn(body):
        plain = expand(body, post.encoding)
        checked = check(plain, arn=post.arn, received_at=now)
        if checked.count:
            clean = scrub(checked.body)
            get_buffer().put(Entry(key.organization_id, key.id, checked.arn, now, checked.count, clean))
    return Receipt(checked.count, checked.duplicates, checked.rejected, wishes(key.steering, now=now))


def wishes(asked: Steering, *, now: datetime) -> Wishes | UnsetType:
    """What there is to ask of the sender; mostly nothing. No query: it is remembered with the key."""
    paused_s = asked.paused_s(now) or UNSET
    sampling = UNSET if asked.sampling is None else asked.sampling / 100
    return UNSET if paused_s is UNSET and sampling is UNSET else Wishes(paused_s, sampling)


def turn(body: bytes) -> AbstractContextManager[object]:
    """Large bodies wait for each other, so that a hundred bombs at once need the memory of one."""
    return _one_large_body if len(body) > LARGE else nullcontext()


def collect(*, collection_id: int, clock: Callable[[], datetime]) -> None:
    """One run of a claimed collection. What it brought and how far it got are stored together, or not at all."""
    job = schedule.job(collection_id=collection_id, now=clock())
    if job is None:
        return  # Its lease ran out while the task waited; the next tick claims it again.
    begun_at = clock()
    aws, scope = sessions.region(job.target, job.region), scope_of(job, now=begun_at)
    scope = replace(scope, time_is_up=lambda: clock() - begun_at >= PATIENCE)
    try:
        if job.kind == LambdaLogs.kind:
            read_logs(job, aws, scope, clock=clock)
        else:
            collector = BY_KIND[job.kind]
            keep(job, collector, collector.transform(collector.fetch(aws, scope), scope), scope, now=clock())
    except AwsError as error:
        schedule.fail(job, error, now=clock())


def scope_of(job: Job, *, now: datetime) -> Scope:
    """What is known of the place and watched there: functions, and where others are measured, those."""
    selection = Selection.from_json(job.selection)
    there = Resource.objects.filter(
        organization_id=job.organization_id, account=job.account, region=job.region, gone_at=None
    )
    functions = {
        row.name: Function(row.pk, row.arn, row.name, row.config, row.pushed_at)
        for row in there.filter(type="lambda_function")
        if selection.matches(row.name, row.config.get("tags", {}))
    }
    neighbours = _neighbours(there, selection) if job.kind == ResourceMetrics.kind else []
    return Scope(
        job.organization_id, job.account, job.target.partition, job.region, now, cursor=job.cursor,
        functions=functions, neighbours=neighbours,
    )  # fmt: skip


def _neighbours(there: QuerySet[Resource], selection: Selection) -> list[Neighbour]:
    rows = there.filter(type__in=MEASURED).values_list("pk", "type", "arn", "name", "config__tags")
    return [
        Neighbour(pk, type_, arn, name) for pk, type_, arn, name, tags in rows if selection.matches(name, tags or {})
    ]


def read_logs(job: Job, aws: Region, scope: Scope, *, clock: Callable[[], datetime]) -> None:
    """Logs have a place of their own for each group, which moves with what was read of it."""
    turn = log_reading.read_due(aws=aws, scope=scope, account_pk=job.account_pk, clock=clock, patience=LOGS_PATIENCE)
    if turn.idle:
        backfills.work(aws=aws, scope=scope, account_pk=job.account_pk, clock=clock, patience=HISTORY_PATIENCE)
    schedule.succeed(job, cursor=turn.cursor, every=LambdaLogs.every, now=clock(), note=turn.note)


@transaction.atomic
def keep(job: Job, collector: Collector, harvest: Harvest, scope: Scope, *, now: datetime) -> None:
    """Store what a run brought, as of when it began, and with it how far the collection has got."""
    applied = listing.apply(
        organization_id=job.organization_id, account=job.account, region=job.region,
        found=harvest.found, complete=harvest.complete, since=harvest.since, now=scope.now,
    )  # fmt: skip
    if applied.new:
        schedule.bring_forward(job, _reader(job.kind), now=now)
    if job.kind == schedule.LISTING:
        weigh(job, applied, scope, now=now)
    for layer in harvest.layers:
        packages.record_layer(organization_id=job.organization_id, measured=layer, now=scope.now)
    for resource_id, measured in harvest.packages:
        packages.record(
            organization_id=job.organization_id, resource_id=resource_id, measured=measured, now=scope.now
        )  # fmt: skip
    get_store().append_points(harvest.points, now=now)
    if harvest.active:
        log_groups.wake(account_pk=job.account_pk, region=job.region, names=harvest.active, now=now)
    lacking = f"Not allowed: {', '.join(sorted(harvest.lacking))}" if harvest.lacking else ""
    schedule.succeed(job, cursor=harvest.cursor, every=collector.every, now=now, note=lacking, more=harvest.more)


def weigh(job: Job, applied: listing.Applied, scope: Scope, *, now: datetime) -> None:
    """What was deployed has a package to read; and what extensions measured can now be told whose size it is."""
    if applied.new or applied.deployments:
        schedule.bring_forward(job, PackageSizes.kind, now=now)
    measurements.settle(organization_id=job.organization_id, account=job.account, region=job.region, now=scope.now)


def _reader(kind: str) -> str:
    """Who reads what a listing of that kind found: the logs of functions, the metrics of all else."""
    return LambdaLogs.kind if kind == schedule.LISTING else ResourceMetrics.kind
