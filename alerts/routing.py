"""Who is told about which step: policies turn transitions into outbox rows, in the transaction of the step."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from alerts import channels
from alerts.finding import Severity
from alerts.models import Channel, Incident, Notification, Policy, Sensitivity, Transition
from alerts.transport import OWNERS, Audience
from alerts.transports import TRANSPORTS

Kind = Transition.Kind

DEFAULT_POLICY = "Everything, to everyone's e-mail"
DEFAULT_CHANNEL = "E-mail to the owners"

LOUDNESS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
ALARMS = frozenset({Kind.OPENED, Kind.REOPENED})
TELLS = {
    Audience.MACHINE: frozenset(Kind),
    Audience.CHAT: ALARMS | {Kind.ACKNOWLEDGED, Kind.RESOLVED},
    Audience.MAILBOX: ALARMS | {Kind.RESOLVED},
}
"""The steps worth telling to each audience."""

SURPRISING: Mapping[str, float] = {Sensitivity.LOW: 40.0, Sensitivity.MEDIUM: 30.0, Sensitivity.HIGH: 20.0}
"""From which surprise on (-log10 of a chance, summed over the ways to look at a series) an anomaly is told."""

PEOPLE = frozenset({Audience.CHAT, Audience.MAILBOX})
AUDIENCES = {transport.kind: transport.audience for transport in TRANSPORTS}


def route(*, organization_id: int, transitions: Sequence[Transition], now: datetime) -> None:
    """Write a notification for each transition and each channel that should hear of it, once whatever repeats.

    Only alarms reach a channel first: who never heard of an incident is spared the rest of it.
    """
    policies = _policies(organization_id) or _default(organization_id=organization_id, now=now)
    if not transitions:
        return
    involved = _involved(transitions)
    rows = [
        Notification(
            organization_id=organization_id,
            channel=channel,
            transition=step,
            policy_name=policy.name,
            due_at=now,
            created_at=now,
        )
        for step in transitions
        for channel, policy in _hearers(step, policies).items()
        if step.kind in ALARMS or (step.incident_id, channel.pk) in involved
    ]
    Notification.objects.bulk_create(rows, batch_size=1_000, ignore_conflicts=True)


def try_out(*, channel: Channel, now: datetime) -> Notification:
    """A notification that only tries the channel out, even when it is switched off."""
    return Notification.objects.create(
        organization_id=channel.organization_id, channel=channel, transition=None, due_at=now, created_at=now
    )


def tell_switched_off(*, channel: Channel, now: datetime) -> None:
    """Tell people that a channel is of no use any more: through the default policy's others, else the owners by mail.

    It ends: a channel that cannot carry this message is switched off as well, so that each time fewer are left.
    """
    default = Policy.objects.filter(organization=channel.organization_id, is_default=True, enabled=True)
    others = Channel.objects.filter(policies__in=default, enabled=True).order_by("pk")
    hearers = [other for other in others if AUDIENCES.get(other.kind) in PEOPLE]
    if not hearers and channels.owners(channel.organization_id):
        owners = _to_owners(channel.organization_id, now)
        hearers = [owners] if owners.enabled else []
    Notification.objects.bulk_create(
        Notification(organization_id=channel.organization_id, channel=hearer, about=channel, due_at=now, created_at=now)
        for hearer in hearers
    )


def covers(policy: Policy, incident: Incident) -> bool:
    """Whether a policy is about this kind of incident, at this severity, and an anomaly as odd as this."""
    loud_enough = LOUDNESS[Severity(incident.severity)] >= LOUDNESS[Severity(policy.minimum_severity)]
    surprise = incident.detail.get("surprise")
    odd_enough = surprise is None or surprise >= SURPRISING[policy.sensitivity]
    return loud_enough and odd_enough and (not policy.kinds or incident.kind in policy.kinds)


def keenest(organization_id: int) -> float:
    """From which surprise on somebody wants to hear of an anomaly."""
    rows = Policy.objects.filter(organization_id=organization_id, enabled=True)
    wanted = [SURPRISING[each] for each in rows.values_list("sensitivity", flat=True)]
    return min(wanted, default=SURPRISING[Sensitivity.MEDIUM])


def _hearers(step: Transition, policies: Iterable[Policy]) -> dict[Channel, Policy]:
    """The channels that should hear of a step, each with the first policy that says so."""
    hearers: dict[Channel, Policy] = {}
    for policy in policies:
        if not policy.enabled or not covers(policy, step.incident):
            continue
        if step.kind == Kind.RESOLVED and not policy.tell_resolved:
            continue
        for channel in policy.channels.all():
            if channel.enabled and step.kind in TELLS.get(AUDIENCES.get(channel.kind, Audience.MAILBOX), ALARMS):
                hearers.setdefault(channel, policy)
    return hearers


def _involved(transitions: Iterable[Transition]) -> set[tuple[int, int]]:
    """(incident, channel) of everything that the channels have been told before."""
    incidents = {step.incident_id for step in transitions if step.kind not in ALARMS}
    rows = Notification.objects.filter(transition__incident__in=incidents) if incidents else Notification.objects.none()
    return set(rows.values_list("transition__incident_id", "channel_id"))


def _policies(organization_id: int) -> list[Policy]:
    rows = Policy.objects.filter(organization_id=organization_id, organization__archived_at=None)
    return list(rows.order_by("-is_default", "pk").prefetch_related("channels"))


def _default(*, organization_id: int, now: datetime) -> list[Policy]:
    """What an organization without any policy gets: every problem goes to the owners' mailboxes."""
    if not channels.owners(organization_id):
        return []
    with transaction.atomic():
        channel = _to_owners(organization_id, now)
        policy, created = Policy.objects.get_or_create(
            organization_id=organization_id,
            is_default=True,
            defaults={"name": DEFAULT_POLICY, "minimum_severity": Severity.INFO, "created_at": now},
        )
        if created:
            policy.channels.add(channel)
    return [policy]


def _to_owners(organization_id: int, now: datetime) -> Channel:
    """The channel to the owners' mailboxes, made now if there is none."""
    channel, _ = Channel.objects.get_or_create(
        organization_id=organization_id,
        name=DEFAULT_CHANNEL,
        defaults={"kind": "email", "config": channels.seal({OWNERS: True}), "created_at": now},
    )
    return channel
