"""The life of an incident: what facts, time and people may do to it.

Every step is one ``Transition`` row, made while the incident's row is locked, so that concurrent steps queue up and
the later one sees what the earlier did. Rows are locked in the order of their ids.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from alerts import routing
from alerts.detectors import DETECTORS
from alerts.finding import Finding
from alerts.models import Incident, State, Transition
from observability.tenants import audit
from observability.tenants.models import Membership, Organization, User

Kind = Transition.Kind

HISTORY = timedelta(hours=6)
"""Failures older than this when they become known are history: recorded, but nobody is told."""

SETTLED_AT_ONCE = 500

SLOW: Mapping[str, timedelta] = {detector.kind: detector.quiet for detector in DETECTORS if detector.quiet}
"""The kinds of incidents that need more than the usual quiet until they are over."""

STEPPED = ["state", "opened_at", "resolved_at", "muted_until", "reopened"]
"""The fields that a step changes."""

COUNTED = [*STEPPED, "events", "first_seen_at", "last_seen_at", "title", "severity", "detail"]
"""The fields that a finding changes."""

LEGAL: Mapping[Kind, frozenset[State]] = {
    Kind.ACKNOWLEDGED: frozenset({State.OPEN, State.MUTED}),
    Kind.MUTED: frozenset({State.OPEN, State.ACKNOWLEDGED, State.MUTED}),
    Kind.UNMUTED: frozenset({State.MUTED}),
    Kind.RESOLVED: frozenset({State.OPEN, State.ACKNOWLEDGED, State.MUTED}),
    Kind.REOPENED: frozenset({State.RESOLVED}),
    Kind.NOTE: frozenset(State),
}
"""The states in which people may take each step."""

BECOMES: Mapping[Kind, State] = {
    Kind.ACKNOWLEDGED: State.ACKNOWLEDGED,
    Kind.MUTED: State.MUTED,
    Kind.UNMUTED: State.OPEN,
    Kind.RESOLVED: State.RESOLVED,
    Kind.REOPENED: State.OPEN,
}


class IllegalTransitionError(Exception):
    """The incident is not in a state that allows this step; the text is for the person who tried."""


# Facts -------------------------------------------------------------------------------------------
def apply(*, organization_id: int, findings: Iterable[Finding], now: datetime) -> list[Transition]:
    """Count findings on their incidents, open and reopen what they call for; answers with the steps to be told.

    The caller holds the organization's evaluation cursor, so that incident numbers have one giver.
    """
    found = merge(findings)
    known = {row.fingerprint: row for row in _locked(organization_id).filter(fingerprint__in=found)}
    steps = [step for key, incident in known.items() for step in count(incident, found[key], now=now)]
    # An upsert of rows that exist: thirty times as fast as ``bulk_update`` when everything fails at once.
    Incident.objects.bulk_create(
        known.values(), batch_size=500, update_conflicts=True, unique_fields=["id"], update_fields=COUNTED
    )
    steps += _open(organization_id, [finding for key, finding in found.items() if key not in known], now=now)
    Transition.objects.bulk_create(steps, batch_size=1_000)
    return [step for step in steps if not is_history(step.incident, now)]


def merge(findings: Iterable[Finding]) -> dict[str, Finding]:
    """One finding for each fingerprint, in order of first sight: counts add up, the latest evidence stays."""
    merged: dict[str, Finding] = {}
    for finding in findings:
        other = merged.get(finding.fingerprint)
        if other is not None:
            latest = finding if finding.last_at >= other.last_at else other
            first_at = min(finding.first_at, other.first_at)
            finding = replace(latest, count=finding.count + other.count, first_at=first_at)
        merged[finding.fingerprint] = finding
    return merged


def count(incident: Incident, finding: Finding, *, now: datetime) -> list[Transition]:
    """Add a finding to an incident (unsaved); the steps are those that it causes."""
    comes_back = _comes_back(incident, finding, now)
    incident.events += finding.count
    incident.first_seen_at = min(incident.first_seen_at, finding.first_at)
    if finding.last_at >= incident.last_seen_at:
        incident.last_seen_at = finding.last_at
        incident.title, incident.severity, incident.detail = finding.title[:300], finding.severity, finding.detail
    if incident.state == State.MUTED and incident.muted_until and incident.muted_until <= now:
        return _wake(incident, now)
    if not comes_back:
        return []
    incident.reopened += 1
    return [_step(incident, Kind.REOPENED, now)]


def is_history(incident: Incident, now: datetime) -> bool:
    """Whether the incident was over, long ago, when Nightjar learned of it."""
    return incident.last_seen_at <= now - HISTORY


def _open(organization_id: int, findings: list[Finding], *, now: datetime) -> list[Transition]:
    if not findings:
        return []
    last = Incident.objects.filter(organization_id=organization_id).aggregate(last=Max("number"))["last"] or 0
    incidents = [
        _incident(organization_id, number, finding, now) for number, finding in enumerate(findings, start=last + 1)
    ]
    Incident.objects.bulk_create(incidents, batch_size=500)
    steps = [
        Transition(incident=row, kind=Kind.OPENED, happened_at=row.opened_at if row.resolved_at else now)
        for row in incidents
    ]
    return steps + [
        Transition(incident=row, kind=Kind.RESOLVED, happened_at=row.resolved_at)
        for row in incidents
        if row.resolved_at is not None
    ]


def _incident(organization_id: int, number: int, finding: Finding, now: datetime) -> Incident:
    incident = Incident(
        organization_id=organization_id,
        number=number,
        fingerprint=finding.fingerprint,
        kind=finding.kind,
        severity=finding.severity,
        title=finding.title[:300],
        resource_id=finding.resource_id,
        detail=finding.detail,
        events=finding.count,
        opened_at=min(finding.first_at, now),
        first_seen_at=finding.first_at,
        last_seen_at=finding.last_at,
    )
    if is_history(incident, now):
        incident.state, incident.resolved_at = State.RESOLVED, finding.last_at + quiet(finding.kind)
    return incident


def _comes_back(incident: Incident, finding: Finding, now: datetime) -> bool:
    """Whether a finding contradicts that the incident is resolved.

    A person has resolved what happened until then. Quiet is only the absence of facts, so that one which arrives late
    contradicts it as well.
    """
    if incident.state != State.RESOLVED or incident.resolved_at is None or finding.last_at <= now - HISTORY:
        return False
    if finding.last_at > incident.resolved_at:
        return True
    return finding.last_at > max(incident.last_seen_at, now - quiet(incident.kind)) and not _resolved_by_person(
        incident
    )


def _resolved_by_person(incident: Incident) -> bool:
    resolved = incident.transitions.filter(kind=Kind.RESOLVED).order_by("-pk").first()
    return resolved is not None and resolved.actor_id is not None


# Time --------------------------------------------------------------------------------------------
def quiet(kind: str) -> timedelta:
    """How long nothing must happen until an incident of this kind counts as resolved."""
    return max(timedelta(seconds=settings.INCIDENT_QUIET_SECONDS), SLOW.get(kind, timedelta()))


def settle(*, organization_id: int, now: datetime) -> list[Transition]:
    """End the mutes that are over and resolve what stayed quiet; answers with the steps to be told."""
    steps: list[Transition] = []
    muted = _locked(organization_id).filter(state=State.MUTED, muted_until__lte=now)
    for incident in muted[:SETTLED_AT_ONCE]:
        steps += _wake(incident, now)
        incident.save(update_fields=STEPPED)
    active = _locked(organization_id).filter(state__in=(State.OPEN, State.ACKNOWLEDGED))
    for incident in active.filter(_stayed_quiet(now))[:SETTLED_AT_ONCE]:
        steps.append(_step(incident, Kind.RESOLVED, now))
        incident.save(update_fields=STEPPED)
    return Transition.objects.bulk_create(steps)


def _stayed_quiet(now: datetime) -> Q:
    """Nothing happened for long enough, also since somebody opened it again."""
    usual = now - quiet("")
    found = Q(last_seen_at__lte=usual, opened_at__lte=usual) & ~Q(kind__in=SLOW)
    for kind in SLOW:
        since = now - quiet(kind)
        found |= Q(kind=kind, last_seen_at__lte=since, opened_at__lte=since)
    return found


def _wake(incident: Incident, now: datetime) -> list[Transition]:
    """End a mute (unsaved). Who is still affected is told again, for nobody was told meanwhile."""
    steps = [_step(incident, Kind.UNMUTED, now)]
    if incident.last_seen_at > now - quiet(incident.kind):
        again = Transition(incident=incident, kind=Kind.REOPENED, happened_at=now, note="Still failing after the mute.")
        steps.append(again)
    return steps


# People ------------------------------------------------------------------------------------------
def acknowledge(*, organization: Organization, number: int, actor: User, now: datetime) -> Incident:
    """Somebody looks after it. All actions raise ``Incident.DoesNotExist`` and ``IllegalTransitionError``."""
    return _act(organization, number, actor, Kind.ACKNOWLEDGED, now)


def resolve(*, organization: Organization, number: int, actor: User, now: datetime) -> Incident:
    """It is over; failures after ``now`` reopen it."""
    return _act(organization, number, actor, Kind.RESOLVED, now)


def reopen(*, organization: Organization, number: int, actor: User, now: datetime) -> Incident:
    """It was not over after all."""
    return _act(organization, number, actor, Kind.REOPENED, now)


def mute(*, organization: Organization, number: int, actor: User, until: datetime | None, now: datetime) -> Incident:
    """Count on, but tell nobody until then (None: until somebody unmutes it)."""
    if until is not None and until <= now:
        raise IllegalTransitionError("Choose a time in the future for the mute to end.")
    note = f"Until {until:%d %b %Y %H:%M} UTC." if until else "Until somebody unmutes it."
    return _act(organization, number, actor, Kind.MUTED, now, note=note, until=until)


def unmute(*, organization: Organization, number: int, actor: User, now: datetime) -> Incident:
    """Tell people again."""
    return _act(organization, number, actor, Kind.UNMUTED, now)


def note(*, organization: Organization, number: int, actor: User, text: str, now: datetime) -> Incident:
    """Write a note on the timeline."""
    if not text.strip():
        raise IllegalTransitionError("The note is empty.")
    return _act(organization, number, actor, Kind.NOTE, now, note=text.strip())


@transaction.atomic
def assign(*, organization: Organization, number: int, actor: User, assignee: User | None, now: datetime) -> Incident:
    """Make a member (or, with None, nobody) the one who looks after it."""
    # Locked before the incident: whoever is removed meanwhile loses it as well, or is no member here.
    member = Membership.objects.select_for_update(no_key=True).filter(organization=organization, user=assignee).first()
    if assignee and member is None:
        raise IllegalTransitionError(f"{assignee} is not a member of {organization}.")
    words = f"Assigned to {assignee}." if assignee else "Assigned to nobody."
    incident = _act(organization, number, actor, Kind.NOTE, now, note=words)
    incident.assignee = member
    incident.save(update_fields=["assignee"])
    return incident


@transaction.atomic
def _act(
    organization: Organization,
    number: int,
    actor: User,
    kind: Kind,
    now: datetime,
    *,
    note: str = "",
    until: datetime | None = None,
) -> Incident:
    incident = _locked(organization.pk).get(number=number)
    if incident.state not in LEGAL[kind]:
        raise IllegalTransitionError(_refusal(incident, kind))
    step = _step(incident, kind, now, actor=actor, note=note, until=until)
    incident.reopened += kind == Kind.REOPENED
    incident.save(update_fields=STEPPED)
    step.save()
    routing.route(organization_id=organization.pk, transitions=[step], now=now)
    detail = {"note": note} if note else None
    audit.record(
        organization=organization, actor=actor, action=_audited(kind), target=str(incident), detail=detail, now=now
    )
    return incident


def _audited(kind: Kind) -> str:
    return "incident.noted" if kind == Kind.NOTE else f"incident.{kind.value}"


def _refusal(incident: Incident, kind: Kind) -> str:
    if BECOMES.get(kind) == incident.state:
        return f"#{incident.number} is already {incident.get_state_display().lower()}."
    return f"#{incident.number} is {incident.get_state_display().lower()}, so it cannot be {kind.label.lower()}."


# Both --------------------------------------------------------------------------------------------
def _step(
    incident: Incident,
    kind: Kind,
    now: datetime,
    *,
    actor: User | None = None,
    note: str = "",
    until: datetime | None = None,
) -> Transition:
    """Change an incident's state and its times (unsaved), and describe the step."""
    if kind in BECOMES:
        incident.state = BECOMES[kind]
        incident.muted_until = until
        incident.resolved_at = now if kind == Kind.RESOLVED else None
    if kind == Kind.REOPENED:
        incident.opened_at = now
    return Transition(incident=incident, kind=kind, actor=actor, note=note, happened_at=now)


def _locked(organization_id: int) -> QuerySet[Incident]:
    return Incident.objects.filter(organization_id=organization_id).select_for_update(no_key=True).order_by("pk")
