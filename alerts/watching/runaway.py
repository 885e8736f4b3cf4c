"""Functions that spend far more than usual right now: told within minutes, with the command that stops them.

A function is a suspect while the last two minutes project to more than so many USD an hour. It is told when a CUSUM
over single minutes says that it runs at a multiple of the most that was usual lately, which a burst does not.
Page, "Continuous inspection schemes", Biometrika 1954, https://doi.org/10.2307/2333009
Nothing is remembered between looks: the minutes are stored.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log

from alerts.detector import Spending
from alerts.detectors.runaway import Runaway
from alerts.models import Incident, State
from alerts.tuning import Tunings
from alerts.watching import loops
from alerts.watching.loops import Node
from alerts.watching.series import FUNCTION
from observability.inventory.models import Resource
from observability.telemetry.grains import MINUTE, floor
from observability.telemetry.records import Bucket, Window
from observability.telemetry.store import Store
from observability.ui.units import dollars

PROJECTED = 2 * MINUTE
LATELY = timedelta(minutes=30)
"""What of it is new; before it is what was usual."""

DAY, WEEK = timedelta(days=1), timedelta(days=8)
"""What was usual is looked for in a day, and of what is odd then in a week: jobs of nights rest at weekends."""

SPAN = timedelta(minutes=5)
"""What was usual is the most that was spent in so long."""

CERTAIN = 12.0
"""From here on the CUSUM (a log-likelihood ratio) is no matter of chance: e^-12 is one in 160,000."""

MINUTES_AN_HOUR = 60
CONFIGURED = ("lambda_function", "sqs_queue", "sns_topic", "schedule_rule")


@dataclass(frozen=True, slots=True)
class Course:
    """What a suspect cost minute by minute lately, in USD, and what it cost a minute at most before."""

    minutes: Sequence[float]
    runs: Sequence[int]
    usual: float
    usual_runs: float


def look(organization_id: int, store: Store, tuned: Tunings, *, now: datetime) -> list[Spending]:
    """Every function that is running away at the moment."""
    if not tuned.is_on(Runaway.kind):
        return []
    knobs = tuned.of(Runaway.kind, Runaway.knobs)
    projected = suspects(store, organization_id, now=now, floor_usd=knobs["usd_per_hour"])
    if not projected:
        return []
    told = _told(organization_id, projected)
    courses: Mapping[int, Course] = {}
    for usual in (DAY, WEEK):
        courses = _courses(store, organization_id, projected, told, usual, now=now)
        projected = {key: usd for key, usd in projected.items() if runs_away(courses[key], usd, times=knobs["times"])}
        if not projected:
            return []
    suspicious = {key: (usd, courses[key]) for key, usd in projected.items()}
    new_usd = knobs["times"] * knobs["usd_per_hour"]
    return list(_described(organization_id, suspicious, told, new_usd=new_usd, now=now))


def suspects(store: Store, organization_id: int, *, now: datetime, floor_usd: float) -> dict[int, float]:
    """USD an hour of the functions whose last minutes project to at least so many."""
    end = floor(now, MINUTE)
    spent = store.by_resource(organization_id, Window(end - PROJECTED, now))
    elapsed = (now - end + PROJECTED) / MINUTE
    projected = {key: each.rollup.cost_usd / elapsed * MINUTES_AN_HOUR for key, each in spent.items()}
    return {key: usd for key, usd in projected.items() if usd >= floor_usd}


def runs_away(course: Course, usd_per_hour: float, *, times: float) -> bool:
    """Whether it costs so many times the usual, and has done so for longer than chance explains."""
    if usd_per_hour / MINUTES_AN_HOUR < times * course.usual:
        return False
    return cusum(course) >= CERTAIN


def cusum(course: Course) -> float:
    """How much likelier it runs at twice its usual most than at that, from where that began.

    Minutes count as runs of the usual price, so that dearer runs count like more of them.
    """
    price = _price(course)
    if not price:
        return 0.0
    rate = max(course.usual / price, 0.5)
    score = 0.0
    for spent in course.minutes:
        score = max(0.0, score + spent / price * log(2) - rate)
    return score


def _price(course: Course) -> float:
    """What a run costs usually, or now where none ran before."""
    if course.usual_runs and course.usual:
        return course.usual / course.usual_runs
    runs = sum(course.runs)
    return sum(course.minutes) / runs if runs else 0.0


def _courses(
    store: Store,
    organization_id: int,
    resource_ids: Iterable[int],
    told: Mapping[int, Incident],
    usual: timedelta,
    *,
    now: datetime,
) -> dict[int, Course]:
    """What was usual ends before it is known to have run away; most did not, and are read together."""
    end = floor(now, MINUTE)
    by_end: dict[datetime, list[int]] = {}
    for key in resource_ids:
        before = min(end - LATELY, told[key].opened_at - SPAN) if key in told else end - LATELY
        by_end.setdefault(before, []).append(key)
    found: dict[int, Course] = {}
    for before, keys in by_end.items():
        lately = store.series_by_resource(organization_id, Window(end - LATELY, now), MINUTE, keys)
        earlier = store.series_by_resource(organization_id, Window(before - usual, before), SPAN, keys)
        found |= {key: _course(lately[key], earlier[key]) for key in keys}
    return found


def _course(lately: Sequence[Bucket], earlier: Sequence[Bucket]) -> Course:
    dearest = max(earlier, key=lambda bucket: bucket.rollup.cost_usd, default=None)
    span = SPAN / MINUTE
    return Course(
        minutes=[bucket.rollup.cost_usd for bucket in lately],
        runs=[bucket.rollup.invocations for bucket in lately],
        usual=dearest.rollup.cost_usd / span if dearest else 0.0,
        usual_runs=dearest.rollup.invocations / span if dearest else 0.0,
    )


def _told(organization_id: int, resource_ids: Iterable[int]) -> dict[int, Incident]:
    """What was told of each of them, and goes on."""
    rows = Incident.objects.filter(organization=organization_id, kind=Runaway.kind, resource__in=list(resource_ids))
    return {row.resource_id: row for row in rows.exclude(state=State.RESOLVED)}


def _described(
    organization_id: int,
    found: Mapping[int, tuple[float, Course]],
    told: Mapping[int, Incident],
    *,
    new_usd: float,
    now: datetime,
) -> Iterable[Spending]:
    """Nothing is usual of what never ran: it must be dearer, unless it may be calling itself."""
    rows = list(Resource.objects.filter(organization=organization_id, type__in=CONFIGURED, gone_at=None))
    edges = loops.edges(Node(row.arn, row.name, row.type, row.config) for row in rows)
    names = {row.arn: row.name for row in rows}
    for row in rows:
        if row.pk not in found or row.type != FUNCTION:
            continue
        usd, course = found[row.pk]
        way = tuple(names.get(arn, arn.rsplit(":", 1)[-1]) for arn in loops.loop(row.arn, edges))
        if course.usual or way or usd >= new_usd:
            usual = course.usual * MINUTES_AN_HOUR
            before = told.get(row.pk)
            yield Spending(
                resource_id=row.pk,
                usd_per_hour=usd,
                usual_usd_per_hour=usual,
                reason=reason(usd, usual, way),
                stop=stop(row),
                started_at=before.opened_at if before else _began(course, now),
                at=now,
                loop=way,
                undo=undo(row, before),
            )


def _began(course: Course, now: datetime) -> datetime:
    """The first of the last minutes in a row that cost more than twice the usual most."""
    minutes = 0
    for spent in reversed(course.minutes):
        if minutes > 1 and spent <= 2 * course.usual:
            break
        minutes += 1
    return floor(now, MINUTE) - MINUTE * max(0, minutes - 1)


def reason(usd: float, usual: float, way: Sequence[str]) -> str:
    """What it costs, what that becomes, and what may be behind it."""
    before = f"at most {dollars(usual)} an hour in the week before" if usual >= 0.005 else "next to nothing before"
    told = f"It spends {dollars(usd)} an hour, {before}: {dollars(usd * 24)} a day if nobody stops it."
    if way:
        told += f" It may be calling itself: {' → '.join((*way, way[0]))}."
    return f"{told} The command stops it by leaving it no concurrency."


def stop(row: Resource) -> str:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
    return _command("put-function-concurrency", row) + " --reserved-concurrent-executions 0"


def undo(row: Resource, told: Incident | None) -> str:
    """What takes the stop back. Once it is stopped, only what was told before knows what was reserved."""
    reserved = row.config.get("reserved_concurrency")
    if reserved:
        return _command("put-function-concurrency", row) + f" --reserved-concurrent-executions {reserved}"
    earlier = [fix["text"] for fix in (told.detail.get("fixes") or ())[1:]] if told and reserved == 0 else []
    return str(earlier[0]) if earlier else _command("delete-function-concurrency", row)


def _command(verb: str, row: Resource) -> str:
    return f"aws lambda {verb} --function-name {shlex.quote(row.name)} --region {row.region}"
