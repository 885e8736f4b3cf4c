"""Schedules that were due and whose function did not run: known from EventBridge, without a ping in anybody's code.

Each function of each schedule has a row that says up to where it has been judged. A schedule that is new, changed or
switched on again is judged from that moment on; what was due before is nobody's fault.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ingest.blindness import is_blind
from ingest.models import Expectation
from ingest.noticing import noticed
from ingest.sightings import Sight, first_run, last_run
from ingest.timetable import Cron, Once, Rate, Timetable, read
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.inventory.selection import Selection
from observability.telemetry.grains import MINUTE
from observability.telemetry.records import Fault, FaultKind, Window
from observability.telemetry.store import get_store

LEAST_GRACE, MOST_GRACE = timedelta(minutes=2), timedelta(minutes=15)
"""A tenth of the time until the next run is due, within these; EventBridge itself takes up to a minute."""

MOST_DELAY = timedelta(minutes=30)
EARLY = timedelta(seconds=5)
"""Clocks differ."""

FURTHEST = timedelta(hours=3)
"""What was due longer ago, and could not be judged for so long, is let go."""

AT_ONCE = 30
"""Runs of one function by one schedule that are judged at a time."""

TYPE = "schedule_rule"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a rule runs its functions, as far as it says so."""

    text: str
    timetable: Timetable
    flexible: timedelta
    start_at: datetime | None
    end_at: datetime | None


def notice(*, account: AwsAccount, now: datetime) -> None:
    """Judge what was due since the last time, and store a fact for each run that did not come."""
    if account.connected_at is None or is_blind(account):
        return
    sight = Sight(account)
    with transaction.atomic():
        faults = []
        for row, schedule in _expected(account, now=now):
            before = (row.judged_until, row.delay_s)
            faults += list(_judge(row, schedule, sight, now=now))
            if before != (row.judged_until, row.delay_s):
                row.save(update_fields=["judged_until", "delay_s"])
        if faults:
            get_store().append(faults, now=now)


def schedule_of(config: Mapping[str, Any]) -> Schedule | None:
    """What a rule's config says of its times; None where it has none, is switched off, or says what we cannot read."""
    if config.get("state") != "ENABLED" or not config.get("expression"):
        return None
    try:
        timetable = read(config["expression"], config.get("timezone") or "")
        start_at, end_at = (_moment(config.get(name)) for name in ("start_at", "end_at"))
    except ValueError:
        return None
    text = " ".join(str(config.get(name) or "") for name in ("expression", "timezone", "start_at", "end_at"))
    return Schedule(text[:400], timetable, timedelta(seconds=config.get("flexible_s") or 0), start_at, end_at)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _expected(account: AwsAccount, *, now: datetime) -> list[tuple[Expectation, Schedule]]:
    """Every watched function of every schedule that is on, and since when; rows of all others are removed."""
    mine = Resource.objects.filter(organization=account.organization_id, account=account.account_id, gone_at=None)
    selection = Selection.from_json(account.selection)
    rows = mine.filter(type="lambda_function").only("arn", "name", "region", "config", "pushed_at", "organization")
    functions = {row.arn: row for row in rows if selection.matches(row.name, row.config.get("tags") or {})}
    kept = Expectation.objects.filter(
        function__organization=account.organization_id, function__account=account.account_id
    )
    known = {(row.rule_id, row.function_id): row for row in kept}
    found = []
    for rule in mine.filter(type=TYPE):
        schedule = schedule_of(rule.config)
        for arn in set(rule.config.get("targets") or ()) & functions.keys() if schedule else ():
            assert schedule is not None
            row = _row(known.pop((rule.pk, functions[arn].pk), None), rule, functions[arn], schedule, now=now)
            found.append((row, schedule))
    Expectation.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    return found


def _row(
    row: Expectation | None, rule: Resource, function: Resource, schedule: Schedule, *, now: datetime
) -> Expectation:
    """The row of a function of a schedule, begun anew where the schedule is another than it was."""
    if row is None or row.schedule != schedule.text:
        row, _ = Expectation.objects.update_or_create(
            rule=rule, function=function, defaults={"schedule": schedule.text, "judged_until": now, "delay_s": 0}
        )
    row.rule, row.function = rule, function
    return row


def _judge(row: Expectation, schedule: Schedule, sight: Sight, *, now: datetime) -> Iterator[Fault]:
    """Look at the runs that were due, and move on as far as can be known."""
    if isinstance(schedule.timetable, Rate):
        yield from _judge_rate(row, schedule, schedule.timetable.every, sight, now=now)
    else:
        yield from _judge_moments(row, schedule, schedule.timetable, sight, now=now)


def _judge_moments(
    row: Expectation, schedule: Schedule, timetable: Cron | Once, sight: Sight, *, now: datetime
) -> Iterator[Fault]:
    row.judged_until = max(row.judged_until, now - FURTHEST)
    for due in timetable.occurrences(row.judged_until, now)[:AT_ONCE]:
        until = due + _grace(row, schedule, timetable, due)
        if not _can_be_judged(row, due, until, sight, now=now):
            return
        if _is_within(schedule, due):
            began = first_run(row.function, Window(due - EARLY, until))
            if began is None:
                yield _fault(row, due, until)
            else:
                row.delay_s = max(row.delay_s * 0.9, (began - due).total_seconds(), 0.0)
        row.judged_until = due + MINUTE


def _judge_rate(
    row: Expectation, schedule: Schedule, every: timedelta, sight: Sight, *, now: datetime
) -> Iterator[Fault]:
    """Whenever it ran last, the next run comes within the interval; other callers only make this more lenient."""
    row.judged_until = max(row.judged_until, now - every - FURTHEST, schedule.start_at or row.judged_until)
    due = row.judged_until + every
    until = due + max(LEAST_GRACE, min(every / 10, MOST_GRACE)) + schedule.flexible
    if not _can_be_judged(row, due, until, sight, now=now):
        return
    began = last_run(row.function, Window(row.judged_until + timedelta(seconds=1), until))
    if began is None and _is_within(schedule, due):
        yield _fault(row, due, until)
    row.judged_until = began or due


def _grace(row: Expectation, schedule: Schedule, timetable: Cron | Once, due: datetime) -> timedelta:
    """How late a run may begin: a part of the interval, and twice as late as it usually is."""
    following = timetable.occurrences(due + MINUTE, due + 10 * MOST_GRACE)
    part = (following[0] - due) / 10 if following else MOST_GRACE
    usual = min(2 * timedelta(seconds=row.delay_s), MOST_DELAY)
    return max(LEAST_GRACE, min(part, MOST_GRACE), usual) + schedule.flexible


def _can_be_judged(row: Expectation, due: datetime, until: datetime, sight: Sight, *, now: datetime) -> bool:
    """Metrics and logs tell of a run only when it has ended, so it is given its whole time.

    The schedule must have been seen since, for what was switched off meanwhile was not due at all.
    """
    ended = until + timedelta(seconds=float(row.function.config.get("timeout_s") or 0))
    seen_since = row.rule.listed_at is not None and row.rule.listed_at >= due
    return seen_since and ended <= now and sight.reaches(row.function, ended)


def _is_within(schedule: Schedule, due: datetime) -> bool:
    return (schedule.start_at is None or schedule.start_at <= due) and (
        schedule.end_at is None or due <= schedule.end_at
    )


def _fault(row: Expectation, due: datetime, until: datetime) -> Fault:
    rule, expression = row.rule, row.rule.config["expression"]
    kind = "schedule" if rule.config.get("kind") == "schedule" else "rule"
    zone = str(rule.config.get("timezone") or "UTC")
    told = expression if zone == "UTC" else f"{expression} in {zone}"
    return noticed(
        FaultKind.DID_NOT_RUN,
        organization_id=row.function.organization_id,
        resource_id=row.function.pk,
        about=(rule.pk, due.isoformat()),
        at=due,
        reason=rule.name,
        message=f"The {kind} {rule.name}, {told}, was due on {due.day} {due:%b %Y at %H:%M} UTC. "
        f"No run of the function began from then until {until:%H:%M} UTC.",
    )
