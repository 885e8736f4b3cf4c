"""History of an account's log groups, read on demand: the newest hour first, when nothing live is due.

What was read before is stored once, however often it is asked for. Failures of long ago are recorded, nobody is told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from ingest import log_reading
from ingest.collector import Scope
from ingest.collectors.lambda_logs import PAGES
from ingest.log_groups import UNREAD, Group, place
from ingest.log_reading import ITS_OWN, Gathered
from ingest.log_windows import PAGE
from ingest.models import Backfill, BackfillGroup, LogGroup
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError
from observability.aws.sessions import Region
from observability.telemetry.records import Window
from observability.tenants import audit
from observability.tenants.models import User

MOST = timedelta(days=7)
STEP, LEAST_STEP = timedelta(hours=1), timedelta(seconds=10)
"""How much of a group is read at once; less where more was written than fits into a turn."""

EVERY_PAGE = 1_000_000


class NothingToReadError(ValueError):
    """The stretch lies in the future, or before anything that is kept."""


class AlreadyRunningError(RuntimeError):
    """An account has one backfill at a time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill is: a share from 0 to 1, and what it brought."""

    share: float
    groups: int
    done: int
    events: int
    finished_at: datetime | None


def start(*, account: AwsAccount, start: datetime, end: datetime, actor: User, now: datetime) -> Backfill:
    """Ask for what the account's functions wrote in ``[start, end)``, as far back as a week and as what is kept.

    Raises ``NothingToReadError`` and ``AlreadyRunningError``.
    """
    kept = timedelta(days=settings.RETENTION_RAW_DAYS) - timedelta(hours=1)
    start, end = max(start, now - MOST, now - kept), min(end, now)
    if start >= end:
        raise NothingToReadError
    with transaction.atomic():
        AwsAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        if account.backfills.filter(finished_at=None).exists():
            raise AlreadyRunningError
        groups = list(LogGroup.objects.filter(account=account).exclude(trouble__in=UNREAD))
        backfill = Backfill.objects.create(
            account=account,
            requested_by=actor,
            start=start,
            end=end,
            created_at=now,
            finished_at=None if groups else now,
        )
        rows = [BackfillGroup(backfill=backfill, group=group, read_until=end) for group in groups]
        BackfillGroup.objects.bulk_create(rows)
        audit.record(
            organization=account.organization, actor=actor, action="backfill.started", target=account.name,
            detail={"start": start.isoformat(), "end": end.isoformat(), "log_groups": len(groups)}, now=now,
        )  # fmt: skip
    return backfill


def progress(backfill: Backfill) -> Progress:
    """What a progress bar shows."""
    rows = list(backfill.groups.values_list("read_until", "done"))
    whole = (backfill.end - backfill.start) * len(rows)
    read = sum((backfill.end - (backfill.start if done else until) for until, done in rows), timedelta())
    share = 1.0 if backfill.finished_at or not whole else read / whole
    return Progress(share, len(rows), sum(done for _, done in rows), backfill.events, backfill.finished_at)


def work(*, aws: Region, scope: Scope, account_pk: int, clock: Callable[[], datetime], patience: timedelta) -> None:
    """Read on in this region's groups, as long as ``patience`` lasts; what AWS does not give now is asked for later."""
    started = clock()
    while (now := clock()) - started < patience:
        row = _next(account_pk, scope.region)
        if row is None:
            return
        try:
            if row.group.trouble in UNREAD:
                _finish(row, now=now)
            else:
                _read(aws, scope, row, now=now)
        except AwsError as error:
            if error.trouble not in ITS_OWN:
                return
            _finish(row, now=now)  # The group itself tells why.


def _next(account_pk: int, region: str) -> BackfillGroup | None:
    """The group of which the least is read."""
    waiting = BackfillGroup.objects.filter(
        backfill__account=account_pk, backfill__finished_at=None, group__region=region, done=False
    )
    return waiting.select_related("backfill", "group").order_by("-read_until", "pk").first()


def _read(aws: Region, scope: Scope, row: BackfillGroup, *, now: datetime) -> None:
    """The stretch before what is read. Of one that holds too much the beginning is kept; the next one is shorter."""
    size = step(row.pace)
    window = Window(max(row.backfill.start, row.read_until - size), row.read_until)
    pages = EVERY_PAGE if size <= LEAST_STEP else PAGES
    group = Group(row.group_id, row.group.name, place(row.group), row.group.retention_days, row.group.pushes_since)
    gathered = log_reading.gather(aws, scope, group, window, beyond=window.start, now=now, pages=pages)
    with transaction.atomic():
        mine = BackfillGroup.objects.filter(pk=row.pk, read_until=row.read_until, done=False)
        if not mine.select_for_update(no_key=True, of=("self",)).exists():
            return  # Somebody else was faster.
        new = log_reading.store(gathered.records, now=now)
        mine.update(pace=_pace(window, gathered), read_until=window.start if gathered.complete else row.read_until)
        Backfill.objects.filter(pk=row.backfill_id).update(events=F("events") + new)
        if gathered.complete and window.start <= row.backfill.start:
            _finish(row, now=now)
    if gathered.error:
        raise gathered.error


def step(pace: float) -> timedelta:
    """How much to read at once of a group that had so many events per second."""
    seconds = PAGES * PAGE / 2 / pace if pace > 0 else STEP.total_seconds()
    return min(max(timedelta(seconds=seconds), LEAST_STEP), STEP)


def _pace(window: Window, gathered: Gathered) -> float:
    """Events per second; at least as many as make the next step shorter than what fitted now, if not all did."""
    seconds = max((gathered.until - window.start).total_seconds(), 0.001)
    return gathered.events / seconds if gathered.complete else max(gathered.events, PAGES * PAGE) / seconds


def _finish(row: BackfillGroup, *, now: datetime) -> None:
    with transaction.atomic():
        BackfillGroup.objects.filter(pk=row.pk).update(done=True)
        if not BackfillGroup.objects.filter(backfill=row.backfill_id, done=False).exists():
            Backfill.objects.filter(pk=row.backfill_id, finished_at=None).update(finished_at=now)
