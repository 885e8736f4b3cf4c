"""The life of advice: given, put off, followed, given again. ``outcomes`` tells what following it brought.

Absent is not fixed: what nobody could judge (a rule that failed, an account that cannot be seen) stays as it is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from alerts import outcomes
from alerts.detector import Advised
from alerts.finding import Severity
from alerts.fingerprint import fingerprint
from alerts.models import Insight
from alerts.rule import Advice, Estate, Rule
from alerts.tuning import Tunings
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.tenants import audit
from observability.tenants.models import Organization, User

State = Insight.State
Key = tuple[int, str, str]
"""Resource, rule and topic."""

STALE = timedelta(days=1)
"""What AWS has not listed for longer than this may have changed since."""

LONGEST_SNOOZE = timedelta(days=366)
AT_ONCE = 1_000

ADVISED = (
    "severity", "text", "evidence", "fixes", "confidence", "usd_low", "usd_high", "saved_bytes", "saved_ms", "seen_at",
)  # fmt: skip
LIVED = (
    "state", "opened_at", "fixed_at", "snoozed_until", "snooze_reason", "snoozed_by_id", "before", "outcome",
)  # fmt: skip
"""The fields that a look changes: what is advised, and the life of it."""

CHANGED = [*ADVISED, *LIVED[:5], "snoozed_by", *LIVED[6:]]


class RefusedError(Exception):
    """This cannot be done to the insight now; the text is for the person who tried."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """One piece of advice of one rule."""

    rule: Rule
    advice: Advice


@dataclass(frozen=True, slots=True)
class Opinions:
    """What rules had to say: ``asked`` by kind, and of whom (kind and resource) one of them could say nothing."""

    given: Mapping[Key, Opinion]
    asked: Mapping[str, Rule]
    unknown: Collection[tuple[str, int]] = frozenset()


# Looks -------------------------------------------------------------------------------------------
def keep(*, opinions: Opinions, estate: Estate, tuned: Tunings, now: datetime) -> None:
    """Store what was advised, and find out what was followed. The caller has the turn (``advising.take_turn``)."""
    rows = Insight.objects.filter(organization_id=estate.organization_id)
    known = {_key(row): row for row in rows.defer("evidence", "fixes", "text").select_for_update(no_key=True)}
    _store(_seen(known.get(key), key, opinion, estate, now) for key, opinion in opinions.given.items())
    gone = {key: row for key, row in known.items() if key not in opinions.given and row.state != State.FIXED}
    _settle([row for row in gone.values() if _was_judged(row, opinions)], estate, tuned, now)


def _key(row: Insight) -> Key:
    return row.resource_id, row.rule, row.topic


def _seen(known: Insight | None, key: Key, opinion: Opinion, estate: Estate, now: datetime) -> Insight:
    """The row of a piece of advice (unsaved): new, as before, woken, or given again."""
    row = Insight(organization_id=estate.organization_id, resource_id=key[0], rule=key[1], topic=key[2], opened_at=now)
    if known is not None:
        for name in LIVED:
            setattr(row, name, getattr(known, name))
    if row.state == State.FIXED:
        row.state, row.opened_at, row.fixed_at, row.outcome = State.OPEN, now, None, {}
    elif row.state == State.SNOOZED and row.snoozed_until and row.snoozed_until <= now:
        _wake(row)
    rule, advice = opinion.rule, opinion.advice
    row.severity, row.text, row.confidence = advice.severity or rule.severity, advice.text[:500], advice.confidence
    row.evidence, row.fixes = [list(each) for each in advice.evidence], [asdict(fix) for fix in advice.fixes]
    row.usd_low, row.usd_high = advice.usd_month or (None, None)
    row.saved_bytes, row.saved_ms, row.seen_at = advice.saved_bytes, advice.saved_ms, now
    row.before = outcomes.measures(rule, estate.subjects[key[0]], estate) or row.before
    return row


def _wake(row: Insight) -> None:
    row.state, row.snoozed_until, row.snooze_reason, row.snoozed_by = State.OPEN, None, "", None


def _store(rows: Iterator[Insight]) -> None:
    while some := list(islice(rows, AT_ONCE)):
        Insight.objects.bulk_create(
            some, update_conflicts=True, unique_fields=["resource", "rule", "topic"], update_fields=CHANGED
        )


def _was_judged(row: Insight, opinions: Opinions) -> bool:
    return row.rule in opinions.asked and (row.rule, row.resource_id) not in opinions.unknown


def _settle(missing: Iterable[Insight], estate: Estate, tuned: Tunings, now: datetime) -> None:
    """What is no longer found was followed, unless nobody can tell, or wants to know: that is forgotten."""
    rows = list(missing)
    if not rows:
        return
    gone = _clear({row.resource_id for row in rows}, estate.organization_id, now)
    unwanted = {row.pk for row in rows if not _watched(row, estate)}
    unwanted |= {row.pk for row in rows if row.resource_id in gone and _turned(tuned, row)}
    Insight.objects.filter(pk__in=unwanted).delete()
    fixed = [row for row in rows if row.resource_id in gone and row.pk not in unwanted]
    for deleted, outcome in ((False, {}), (True, outcomes.GONE)):
        some = Insight.objects.filter(pk__in=[row.pk for row in fixed if gone[row.resource_id] is deleted])
        some.update(
            state=State.FIXED, fixed_at=now, outcome=outcome, snoozed_until=None, snooze_reason="", snoozed_by=None
        )


def _turned(tuned: Tunings, row: Insight) -> bool:
    tuning = tuned.rows.get(row.rule)
    return tuning is not None and tuning.changed_at is not None and tuning.changed_at > row.seen_at


def _watched(row: Insight, estate: Estate) -> bool:
    subject = estate.subjects.get(row.resource_id)
    return subject is None or subject.watched


def _clear(resource_ids: Collection[int], organization_id: int, now: datetime) -> dict[int, bool]:
    """Those of the resources whose facts are fresh enough to tell that something is over, and whether they are gone."""
    accounts = AwsAccount.objects.filter(organization_id=organization_id)
    seeing = accounts.filter(blind_since=None, disconnected_at=None).values("account_id")
    blind = accounts.exclude(account_id__in=seeing).values("account_id")
    fresh = Q(listed_at=None) | Q(listed_at__gt=now - STALE)
    told = Q(gone_at__isnull=False) | (fresh & ~Q(account__in=blind))
    rows = Resource.objects.filter(told, pk__in=resource_ids).values_list("pk", "gone_at")
    return {pk: gone_at is not None for pk, gone_at in rows}


def critical(*, organization_id: int, rules: Mapping[str, Rule], now: datetime) -> list[Advised]:
    """What cannot wait for somebody to read the page."""
    rows = Insight.objects.filter(organization_id=organization_id, state=State.OPEN, severity=Severity.CRITICAL)
    return [_advised(row, rules[row.rule], now) for row in rows.filter(rule__in=rules).select_related("resource")]


def _advised(row: Insight, rule: Rule, now: datetime) -> Advised:
    return Advised(
        resource_id=row.resource_id,
        rule=row.rule,
        title=f"{row.resource.name or row.resource.account}: {rule.title}",
        text=row.text,
        fingerprint=fingerprint(resource_id=row.resource_id, kind="insight", error_type=f"{row.rule}:{row.topic}"),
        opened_at=row.opened_at,
        at=now,
        detail={"why": rule.why, "source": rule.source, "evidence": row.evidence, "fixes": row.fixes},
    )


# People ------------------------------------------------------------------------------------------
@transaction.atomic
def snooze(
    *, organization: Organization, ids: Collection[int], reason: str, until: datetime, actor: User, now: datetime
) -> int:
    """Put advice off, with a reason, until then; answers how many. What is fixed is left alone."""
    if not reason.strip():
        raise RefusedError("Say why, so that your colleagues know.")
    if not now < until <= now + LONGEST_SNOOZE:
        raise RefusedError("Choose a time within the next year.")
    rows = _locked(organization, ids).exclude(state=State.FIXED)
    return _change(
        rows, organization, actor, "insight.snoozed", now,
        {"reason": reason.strip()[:300], "until": until.isoformat()},
        state=State.SNOOZED, snoozed_until=until, snooze_reason=reason.strip()[:300], snoozed_by=actor,
    )  # fmt: skip


@transaction.atomic
def unsnooze(*, organization: Organization, ids: Collection[int], actor: User, now: datetime) -> int:
    """Bring it back."""
    rows = _locked(organization, ids).filter(state=State.SNOOZED)
    return _change(
        rows, organization, actor, "insight.unsnoozed", now, {},
        state=State.OPEN, snoozed_until=None, snooze_reason="", snoozed_by=None,
    )  # fmt: skip


def _locked(organization: Organization, ids: Collection[int]) -> QuerySet[Insight]:
    mine = Insight.objects.filter(organization=organization, pk__in=ids).select_related("resource")
    mine = mine.defer("evidence", "fixes", "text", "resource__config")
    return mine.select_for_update(no_key=True, of=("self",)).order_by("pk")


def _change(
    rows: QuerySet[Insight],
    organization: Organization,
    actor: User,
    action: str,
    now: datetime,
    detail: dict[str, Any],
    **fields: Any,
) -> int:
    found = list(rows)
    if not found:
        raise RefusedError("It has changed meanwhile: look again.")
    Insight.objects.filter(pk__in=[row.pk for row in found]).update(**fields)
    target = ", ".join(f"{row.rule} of {row.resource.name or row.resource.account}" for row in found)
    detail |= {"insights": [row.pk for row in found]}
    audit.record(organization=organization, actor=actor, action=action, target=target, detail=detail, now=now)
    return len(found)
