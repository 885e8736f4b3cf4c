"""Whose estate is due for a look, and what the rules say about it."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from alerts.insights import Key, Opinion, Opinions
from alerts.models import WatchCursor
from alerts.rule import Advice, Estate, Rule, Subject
from alerts.tuning import Tunings
from observability.aws.models import AwsAccount
from observability.inventory.models import Deployment, Resource
from observability.tenants.models import Organization

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
SOON = timedelta(minutes=10)
"""After a deployment, and while a new account is being read, the next look comes this soon."""

SETTLING = timedelta(minutes=40)
"""So long after it was connected an account still brings new facts by the minute."""

MOST_TOPICS = 25
"""Of one rule about one resource."""


def due(*, now: datetime) -> list[int]:
    """Organizations with anything to advise on whose last look was an hour ago, or whose estate changed since."""
    known = Organization.objects.filter(Exists(Resource.objects.filter(organization=OuterRef("pk"))), archived_at=None)
    known = known.annotate(looked_at=F("watchcursor__advised_at"))
    waiting = Q(looked_at=None) | Q(looked_at__lte=now - EVERY)
    changed = Q(looked_at__lte=now - SOON) & (Q(_deployed_since()) | Q(_connected_since()))
    return list(known.filter(waiting | changed).order_by("looked_at", "pk").values_list("pk", flat=True))


def _deployed_since() -> Exists:
    """Or shortly before: a deployment is noticed some minutes later."""
    mine = Deployment.objects.filter(organization=OuterRef("pk"))
    return Exists(mine.filter(deployed_at__gt=OuterRef("looked_at") - SOON))


def _connected_since() -> Exists:
    mine = AwsAccount.objects.filter(organization=OuterRef("pk"))
    return Exists(mine.filter(connected_at__gt=OuterRef("looked_at") - SETTLING))


def take_turn(organization_id: int, *, now: datetime) -> bool:
    """Whether the look at ``now`` is the latest one; the cursor's row is locked until the transaction ends."""
    WatchCursor.objects.get_or_create(organization_id=organization_id)
    return bool(_cursor(organization_id, now).update(advised_at=now))


def _cursor(organization_id: int, now: datetime) -> QuerySet[WatchCursor]:
    mine = WatchCursor.objects.filter(organization_id=organization_id)
    return mine.filter(Q(advised_at=None) | Q(advised_at__lt=now))


def ask(estate: Estate, tuned: Tunings, rules: Iterable[Rule]) -> Opinions:
    """What every one of the rules that is switched on says about every resource of its types that is watched."""
    asked = {rule.kind: rule for rule in rules if tuned.is_on(rule.kind)}
    given: dict[Key, Opinion] = {}
    failed: dict[tuple[str, int], Exception] = {}
    for rule in asked.values():
        knobs = tuned.of(rule.kind, rule.knobs)
        for subject in (each for each in estate.of_type(*rule.types) if each.watched):
            advice = _asked(rule, subject, estate, knobs)
            if isinstance(advice, Exception):
                failed[rule.kind, subject.resource_id] = advice
                continue
            for each in advice:
                given[subject.resource_id, rule.kind, each.topic[:140]] = Opinion(rule, each)
    _log(failed, estate)
    return Opinions(given, asked, frozenset(failed))


def _asked(rule: Rule, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> list[Advice] | Exception:
    """The rule's advice, or why it failed: the shelf runner, for a rule's mistake must not stop the others."""
    try:
        return list(islice(rule.advise(subject, estate, knobs), MOST_TOPICS))
    except Exception as error:
        return error


def _log(failed: Mapping[tuple[str, int], Exception], estate: Estate) -> None:
    """Each rule that failed once, with how often it did."""
    often = Counter(kind for kind, _ in failed)
    for (kind, resource_id), error in failed.items():
        if often[kind]:
            extra = {"rule": kind, "resources": often[kind], "resource_id": resource_id}
            logger.error("rule.failed", exc_info=error, extra=extra | {"organization_id": estate.organization_id})
            often[kind] = 0
