"""The log groups of an account's region: which there are, which are due, who has one, and why one is not read."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Greatest

from ingest.collector import Found, Function
from ingest.collectors.lambda_logs import log_group
from ingest.log_windows import COLD, FIRST, Outcome, Place, advanced, wait
from ingest.models import LogGroup
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.inventory.models import Resource
from observability.telemetry.records import Window

LEASE = timedelta(minutes=2)
"""When a reader dies, its group is due again after so long."""

PUSHES_FOR = timedelta(minutes=15)
"""A function whose extension sent something so lately is not read."""

PUSHES, EXCLUDED, WRONG_CLASS, MISSING = "pushes", "excluded", "log_class", "missing_log_group"
UNREAD = (PUSHES, EXCLUDED, WRONG_CLASS)
"""With these troubles, and only with these, a group is never due."""

REASONS: Mapping[str, str] = {
    PUSHES: "The function's extension sends its telemetry itself.",
    EXCLUDED: "Its functions are not watched, or are gone.",
    WRONG_CLASS: "CloudWatch does not let us read log groups of this class.",
    MISSING: "There is no such log group. Lambda makes it when the function first runs, if its role may write logs.",
}


@dataclass(frozen=True, slots=True)
class Group:
    """A claimed log group: its name, and from where to read on."""

    pk: int
    name: str
    place: Place
    retention_days: int | None
    pushes_since: datetime | None = None

    def kept_since(self, now: datetime, most_days: int) -> datetime:
        """Older events are deleted already, or soon would be."""
        return now - timedelta(days=min(self.retention_days or most_days, most_days)) + timedelta(hours=1)


def pushes(function: Function, *, now: datetime) -> bool:
    """Whether its extension sends its telemetry, so that its log would say the same once more."""
    return function.pushed_at is not None and function.pushed_at > now - PUSHES_FOR


def cover(*, account_pk: int, region: str, functions: Mapping[str, Function], now: datetime) -> bool:
    """Have a row for each log group, with the reason where one is not read; answers whether there are new ones."""
    writers: dict[str, list[Function]] = defaultdict(list)
    for function in functions.values():
        writers[log_group(function)].append(function)
    rows = {row.name: row for row in LogGroup.objects.filter(account=account_pk, region=region)}
    fresh = [_fresh(account_pk, region, name, theirs, now=now) for name, theirs in writers.items() if name not in rows]
    LogGroup.objects.bulk_create(fresh, ignore_conflicts=True)
    for name, row in rows.items():
        _judge(row, writers.get(name, []), now=now)
    return bool(fresh)


def _fresh(account_pk: int, region: str, name: str, writers: Sequence[Function], *, now: datetime) -> LogGroup:
    reason = PUSHES if all(pushes(writer, now=now) for writer in writers) else ""
    return LogGroup(
        account_id=account_pk, resource_id=writers[0].resource_id, region=region, name=name, due_at=now,
        read_until=now - FIRST, swept_until=now - FIRST, trouble=reason, detail=REASONS.get(reason, ""),
    )  # fmt: skip


def _judge(row: LogGroup, writers: Sequence[Function], *, now: datetime) -> None:
    """Stop reading a group, or start again: not from where it stopped, for that is told by others or was not wanted."""
    read = [writer for writer in writers if not pushes(writer, now=now)]
    reason = "" if read else PUSHES if writers else EXCLUDED
    pushing_since = (row.pushes_since or now) if reason == PUSHES else None
    mine = LogGroup.objects.filter(pk=row.pk, trouble=row.trouble)
    if pushing_since != row.pushes_since:
        LogGroup.objects.filter(pk=row.pk).update(pushes_since=pushing_since)
    if pushing_since and not row.trouble and row.swept_until < pushing_since:
        return  # What was before the extension is not all read yet, nor what of it comes in late.
    if reason and row.trouble != reason:
        mine.update(trouble=reason, detail=REASONS[reason])
    elif not reason and row.trouble in (PUSHES, EXCLUDED):
        since = max(row.read_until, now - FIRST)
        mine.update(trouble="", detail="", due_at=now, idle=0, read_until=since, swept_until=since)
    if writers and row.resource_id not in {writer.resource_id for writer in writers}:
        LogGroup.objects.filter(pk=row.pk).update(resource_id=writers[0].resource_id)


def describe(*, account_pk: int, region: str, found: Sequence[Found], now: datetime) -> None:
    """Note what AWS tells of the groups. Those that it does not know show when they are read."""
    rows = {row.name: row for row in LogGroup.objects.filter(account=account_pk, region=region)}
    for each in found:
        row = rows.get(each.name)
        if row is None:
            continue
        row.retention_days, row.described_at = each.config["retention_days"], now
        if each.config["class"] not in ("", "STANDARD"):
            if row.trouble not in (EXCLUDED, PUSHES):
                row.trouble, row.detail = WRONG_CLASS, f"{REASONS[WRONG_CLASS]} ({each.config['class']})"
        elif row.trouble == WRONG_CLASS:  # Another group of the same name.
            row.trouble, row.detail = "", ""
        row.save(update_fields=["retention_days", "described_at", "trouble", "detail"])


def wake(*, account_pk: int, region: str, names: Collection[str], now: datetime) -> int:
    """Have the logs of these functions read at once, as they ran."""
    account = AwsAccount.objects.get(pk=account_pk)
    ran = Resource.objects.filter(
        organization=account.organization_id, account=account.account_id, region=region, name__in=names,
        type="lambda_function",
    )  # fmt: skip
    groups = {log_group(row) for row in ran.only("name", "config")}
    idle = LogGroup.objects.filter(account=account_pk, region=region, name__in=groups, idle__gt=0, due_at__gt=now)
    return idle.exclude(trouble__in=UNREAD).update(due_at=now, idle=0)


def claim(*, account_pk: int, region: str, now: datetime) -> Group | None:
    """Take the group that has been due for longest; None when there is none."""
    with transaction.atomic():
        due = LogGroup.objects.filter(account=account_pk, region=region, due_at__lte=now).exclude(trouble__in=UNREAD)
        row = due.select_for_update(skip_locked=True, no_key=True).order_by("due_at").first()
        if row is None:
            return None
        LogGroup.objects.filter(pk=row.pk).update(due_at=now + LEASE)
    return Group(row.pk, row.name, place(row), row.retention_days, row.pushes_since)


def place(row: LogGroup) -> Place:
    return Place(row.read_until, row.swept_until, row.idle, row.pace)


def hold(group: Group) -> bool:
    """Lock the group until the transaction ends; False when somebody else has read on since it was claimed."""
    mine = LogGroup.objects.filter(pk=group.pk, read_until=group.place.read_until, swept_until=group.place.swept_until)
    return mine.select_for_update(no_key=True).exists()


def advance(group: Group, window: Window, outcome: Outcome, *, latest: datetime | None) -> Place:
    """Note how far it has been read, in the transaction that stores what was read."""
    after = advanced(group.place, window, outcome)
    again = outcome.now + wait(after.idle, _share(group)) if outcome.complete else outcome.now
    fields = {"last_event_at": Greatest("last_event_at", Value(latest))} if latest else {}
    LogGroup.objects.filter(pk=group.pk).update(
        read_until=after.read_until, swept_until=after.swept_until, idle=after.idle, pace=after.pace, due_at=again,
        trouble="", detail="", **fields,
    )  # fmt: skip
    return after


def give_back(group: Group, *, now: datetime) -> None:
    """It was not read, and stays due."""
    LogGroup.objects.filter(pk=group.pk).update(due_at=now)


def fail(group: Group, error: AwsError, *, now: datetime) -> None:
    """Name what is wrong with this one group, and try again later, each time later."""
    missing = error.trouble is Trouble.NOT_FOUND
    idle = min(group.place.idle + 1, 1_000)
    LogGroup.objects.filter(pk=group.pk).update(
        trouble=MISSING if missing else str(error.trouble), detail=(REASONS[MISSING] if missing else str(error))[:500],
        idle=idle, due_at=now + min(wait(idle + 1, _share(group)), COLD),
    )  # fmt: skip


def _share(group: Group) -> float:
    return int.from_bytes(hashlib.blake2b(group.name.encode(), digest_size=4).digest(), "big") / 2**32
