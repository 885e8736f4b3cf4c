"""The watching stage: what is new of every series since the last look, and what of it is odd.

Everything that it remembers (how far each source was judged, the states of the series, anomalies) is written in the
caller's transaction: killed in between, the next look does the same again.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from alerts import routing
from alerts.detector import Filling, Function, Spending, Unusual
from alerts.detectors.anomaly import Anomaly
from alerts.models import Anomaly as Marked
from alerts.models import WatchCursor
from alerts.tuning import Tunings, tunings
from alerts.watching import blame, frames, judging, packages, runaway, shards, surprise, surroundings
from alerts.watching.frames import Estate, Frame
from alerts.watching.judging import NOTHING_SAID, Said, Sight
from alerts.watching.series import BY_NAME, SETTLED, STEP, TYPES, Source, key_of
from alerts.watching.telling import Rules, Teller
from observability.telemetry.grains import EPOCH, floor
from observability.telemetry.store import Store
from observability.tenants.models import Organization

logger = logging.getLogger(__name__)

EVERY = timedelta(seconds=50)
LEARNT_IN = timedelta(seconds=surprise.LEARNING * surprise.BLOCK)
AT_ONCE = 24_000
"""Steps, times resources, that are judged in one transaction, so that its time and memory are bounded."""

FEWEST, MOST = 12, 288
"""But at least an hour, so that catching up gets on, and at most a day."""

FIRST = timedelta(days=14)
"""How far back a first look learns from what is stored."""

FURTHEST = timedelta(hours=6)
"""What was missed longer ago, while Nightjar was down, is let go: nobody would be told of it, and today waits."""


SINCE = "since"
"""In the cursor: when the first number is of that was learnt from."""

TOLD = "told"
"""In the cursor: until when everything was told before the series had to be learnt anew."""

CAUGHT_UP = "caught_up"
"""In the cursor: whether what was stored before watching began has been learnt."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found; ``more`` says that there is more to look at at once."""

    anomalies: list[Unusual] = field(default_factory=list)
    spending: list[Spending] = field(default_factory=list)
    packages: list[Filling] = field(default_factory=list)
    functions: Mapping[int, Function] = field(default_factory=dict)
    more: bool = False


def waiting(*, now: datetime) -> list[int]:
    """Organizations that run something and were not looked at for a while, the one waiting longest first."""
    looked = dict(WatchCursor.objects.values_list("organization_id", "watched_at"))
    running = Organization.objects.filter(archived_at=None, resources__gone_at=None, resources__type__in=TYPES)
    due = [pk for pk in running.distinct().values_list("pk", flat=True) if (looked.get(pk) or EPOCH) <= now - EVERY]
    return sorted(due, key=lambda pk: looked.get(pk) or EPOCH)


def hold(organization_id: int, *, until: datetime) -> None:
    """Look no more before then: history is coming in, and the first look is to learn from all of it."""
    WatchCursor.objects.update_or_create(organization_id=organization_id, defaults={"watched_at": until})


def claim(organization_id: int, *, wait: bool = False) -> WatchCursor | None:
    """The organization's cursor, locked until the transaction ends; None while another look holds it.

    With ``wait`` it waits for its turn instead.
    """
    WatchCursor.objects.get_or_create(organization_id=organization_id)
    rows = WatchCursor.objects.filter(organization_id=organization_id)
    return rows.select_for_update(skip_locked=not wait, no_key=True).first()


def look(cursor: WatchCursor, store: Store, *, now: datetime) -> Looked:
    """Judge what has settled since the last look, and what runs this very minute; moves the cursor.

    What runs this minute does not wait until everything that was missed is judged.
    """
    organization_id = cursor.organization_id
    estate, tuned = frames.estate(organization_id), tunings(organization_id)
    sights: list[Sight] = []
    more = False
    threshold = routing.keenest(organization_id)
    most = min(MOST, max(FEWEST, AT_ONCE // max(1, len(estate))))
    if not estate:
        return Looked()
    _renew(cursor)
    for source in Source:
        starts = due(cursor, source, now=now)[:most]
        if starts:
            read = frames.read(store, organization_id, source, starts, estate)
            if SINCE not in cursor.watched and (began := _began(read)):
                cursor.watched[SINCE] = began.isoformat()
            sights += _news(
                cursor, judge(organization_id, read, estate, threshold=threshold, said=_said(cursor, starts))
            )
            cursor.watched[source] = (starts[-1] + STEP).isoformat()
            more = more or bool(due(cursor, source, now=now))
    anomalies = _tell(organization_id, store, estate, sights, rules(tuned, threshold), now=now) if sights else []
    at_once = not more or cursor.watched_at is None or cursor.watched_at <= now - EVERY
    spending = runaway.look(organization_id, store, tuned, now=now) if at_once else []
    full = packages.fillings(organization_id, tuned, now=now) if at_once else []
    cursor.watched_at = now
    cursor.watched[CAUGHT_UP] = cursor.watched.get(CAUGHT_UP, False) or not more
    cursor.save(update_fields=["watched", "watched_at"])
    named = {each.resource_id for each in spending}
    functions = {key: _function(estate, key) for key in named if key in estate}
    return Looked(anomalies, spending, full, functions, more)


def due(cursor: WatchCursor, source: Source, *, now: datetime) -> list[datetime]:
    """The starts of the steps that have settled and were not judged."""
    until = floor(now - SETTLED[source], STEP)
    told = cursor.watched.get(source)
    start = datetime.fromisoformat(told) if told else floor(now - FIRST, STEP)
    if cursor.watched.get(CAUGHT_UP) and until - start > FURTHEST:
        hours = (until - FURTHEST - start) / timedelta(hours=1)
        told = {"organization_id": cursor.organization_id, "source": source.value, "hours": hours}
        logger.warning("watching.skipped", extra=told)
        start = until - FURTHEST
    return [start + STEP * place for place in range(max(0, (until - start) // STEP))]


def _renew(cursor: WatchCursor) -> None:
    """Learn anew from what is stored where the memory is that of another version; what was told stays told."""
    if not shards.is_outdated(cursor.organization_id):
        return
    shards.forget(cursor.organization_id)
    told = min((cursor.watched[source] for source in Source if source in cursor.watched), default=None)
    cursor.watched = {TOLD: told} if told else {}
    logger.warning("watching.anew", extra={"organization_id": cursor.organization_id})


def _news(cursor: WatchCursor, sights: list[Sight]) -> list[Sight]:
    told = cursor.watched.get(TOLD)
    return [sight for sight in sights if sight.at >= datetime.fromisoformat(told)] if told else sights


def _said(cursor: WatchCursor, starts: list[datetime]) -> dict[datetime, list[Said]]:
    """What people said of what ended in these steps, where those are learnt again."""
    told = cursor.watched.get(TOLD)
    if not told or starts[0] >= datetime.fromisoformat(told):
        return {}
    found: dict[datetime, list[Said]] = {}
    rows = Marked.objects.filter(organization=cursor.organization_id, ended_at__range=(starts[0], starts[-1] + STEP))
    for row in rows.exclude(feedback=""):
        if row.metric in BY_NAME:
            key = key_of(row.resource_id, BY_NAME[row.metric])
            found.setdefault(row.ended_at - STEP, []).append((key, row.feedback == Marked.Feedback.EXPECTED))
    return found


def judge(
    organization_id: int,
    read: list[Frame],
    estate: Estate,
    *,
    threshold: float,
    said: Mapping[datetime, Sequence[Said]] = NOTHING_SAID,
) -> list[Sight]:
    """Take every series through the frames, shard by shard."""
    wanted = np.unique(np.concatenate([frame.keys for frame in read]))
    if not len(wanted):
        return []
    found: list[Sight] = []
    for number, joining in shards.plan(organization_id, wanted):
        shard = shards.load(organization_id, number)
        shards.leave(shard, estate)
        shard.add(joining)
        found += judging.judge(shard, read, threshold=threshold, said=said)
        shards.store(organization_id, shard)
    return found


def ready_at(cursor: WatchCursor | None) -> datetime | None:
    """When the first series will have been learnt; None before the first number."""
    since = cursor.watched.get(SINCE) if cursor else None
    return datetime.fromisoformat(since) + LEARNT_IN if since else None


def _began(read: list[Frame]) -> datetime | None:
    return next((frame.at for frame in read if len(frame.keys)), None)


def rules(tuned: Tunings, threshold: float) -> Rules:
    knobs = tuned.of(Anomaly.kind, Anomaly.knobs)
    return Rules(threshold, knobs["a_day"], knobs["together"], tuned.is_on(Anomaly.kind))


def _tell(
    organization_id: int, store: Store, estate: Estate, sights: list[Sight], rules: Rules, *, now: datetime
) -> list[Unusual]:
    around = surroundings.read(organization_id, sights, blame=blame.Pools(store, organization_id).sentence)
    teller = Teller(organization_id, estate, rules, around, now)
    by_step: dict[datetime, list[Sight]] = {}
    for sight in sights:
        by_step.setdefault(sight.at, []).append(sight)
    teller.recall(min(by_step, default=EPOCH))
    for at in sorted(by_step):
        teller.take(at, by_step[at])
    return teller.finish()


def _function(estate: Estate, resource_id: int) -> Function:
    resource = estate[resource_id]
    return Function(resource_id, resource.name, resource.region, "", None, None)
