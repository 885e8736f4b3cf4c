"""What admins change: channels and policies. Every change is one transaction with its entry in the audit log.

Locks are taken in one order, the row that changes before the head of the audit log, so that nobody waits in a circle.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from alerts import routing
from alerts.channels import readable_config_of, seal
from alerts.finding import Severity
from alerts.http import AddressRefusedError, parse
from alerts.models import TESTS, Channel, Notification, Policy
from alerts.transport import OWNERS, ConfigField, Rotating, Transport
from alerts.transports import get_transport
from observability.tenants import audit
from observability.tenants.models import Organization, User

QUOTA_WINDOW = timedelta(hours=1)
TESTS_PER_CHANNEL, TESTS_PER_ORGANIZATION = 5, 20
"""Nobody may use us to flood a mailbox. Counted in the audit log, which outlives the channel."""


class NotNowError(Exception):
    """The change makes no sense at the moment; the text is for the person who asked."""


# Channels ----------------------------------------------------------------------------------------
@transaction.atomic
def create_channel(
    *,
    organization: Organization,
    kind: str,
    name: str,
    config: Mapping[str, Any],
    tell_everything: bool,
    actor: User,
    now: datetime,
) -> Channel:
    """A new channel with a configuration that its transport has cleaned; on request the default policy uses it.

    Raises ``NotNowError`` when the name is taken, as does ``change_channel``.
    """
    channel = Channel(organization=organization, kind=kind, name=name, config=seal(dict(config)), created_at=now)
    _save_named(channel)
    if tell_everything:
        default_policy(organization=organization, now=now).channels.add(channel)
    detail = {"kind": kind, "where": where(channel), "tell_everything": tell_everything}
    _record(organization, actor, "channel.created", channel, now, detail)
    return channel


@transaction.atomic
def change_channel(*, channel: Channel, name: str, config: Mapping[str, Any], actor: User, now: datetime) -> None:
    """Another name or configuration. What disabled the channel is forgotten, but it stays as it is."""
    channel.name, channel.config = name, seal(dict(config))
    _save_named(channel)
    _record(channel.organization, actor, "channel.changed", channel, now, {"where": where(channel)})


def _save_named(channel: Channel) -> None:
    """Save a channel; raises ``NotNowError`` when somebody else took its name a moment before."""
    try:
        with transaction.atomic():
            channel.save(update_fields=["name", "config"] if channel.pk else None)
    except IntegrityError:
        raise NotNowError("Another channel has this name.") from None


@transaction.atomic
def switch_channel(*, channel: Channel, on: bool, actor: User, now: datetime) -> None:
    """Let it be told again, or no longer."""
    channel.enabled, channel.disabled_reason = on, "" if on else f"Switched off by {actor}."[:300]
    channel.save(update_fields=["enabled", "disabled_reason"])
    _record(channel.organization, actor, "channel.enabled" if on else "channel.disabled", channel, now)


@transaction.atomic
def delete_channel(*, channel: Channel, actor: User, now: datetime) -> None:
    """With its delivery log; what still waits in the outbox is not sent."""
    Channel.objects.select_for_update().filter(pk=channel.pk).first()  # Let a delivery finish its bookkeeping.
    channel.delete()
    _record(channel.organization, actor, "channel.deleted", channel, now, {"kind": channel.kind})


@transaction.atomic
def try_out(*, channel: Channel, actor: User, now: datetime) -> Notification:
    """Queue a test message; raises ``NotNowError`` while another one waits, or after too many of them."""
    Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
    _record(channel.organization, actor, "channel.tested", channel, now)  # First: its lock has others wait in line.
    waiting = channel.notifications.filter(TESTS, status=Notification.Status.PENDING)
    if waiting.exists():
        raise NotNowError("A test of this channel is still under way.")
    recent = channel.organization.audit_entries.filter(action="channel.tested", created_at__gt=now - QUOTA_WINDOW)
    if recent.count() > TESTS_PER_ORGANIZATION or recent.filter(target=str(channel)).count() > TESTS_PER_CHANNEL:
        raise NotNowError("That is enough tests for now. Try again in an hour.")
    return routing.try_out(channel=channel, now=now)


@transaction.atomic
def secrets_of(*, channel: Channel, actor: User, now: datetime) -> dict[str, str]:
    """The secret settings in the open, by label; looking at them is recorded."""
    config = readable_config_of(channel) or {}
    _record(channel.organization, actor, "channel.secret_shown", channel, now)
    return {field.label: str(config.get(field.name, "")) for field in fields(channel.kind) if field.kind == "secret"}


@transaction.atomic
def rotate_secret(*, channel: Channel, actor: User, now: datetime) -> None:
    """A new secret, with a time in which the old one works as well; raises ``NotNowError`` for other kinds."""
    channel = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
    config = readable_config_of(channel)
    transport: object = known(channel.kind)
    if config is None or not isinstance(transport, Rotating):
        raise NotNowError("Its secret is not ours to replace.")
    channel.config = seal(transport.rotate(config, now=now))
    channel.save(update_fields=["config"])
    _record(channel.organization, actor, "channel.secret_rotated", channel, now)


@transaction.atomic
def retry(*, notification: Notification, actor: User, now: datetime) -> bool:
    """Try a delivery again right away; false when it was sent meanwhile, or is being sent."""
    rows = Notification.objects.filter(pk=notification.pk).exclude(status=Notification.Status.SENT)
    free = rows.exclude(leased_until__gt=now)
    changed = free.update(status=Notification.Status.PENDING, attempts=0, due_at=now, leased_until=None)
    if changed:
        detail = {"notification": str(notification.pk)}
        _record(notification.organization, actor, "delivery.retried", notification.channel, now, detail)
    return bool(changed)


def fields(kind: str) -> tuple[ConfigField, ...]:
    """The settings of a kind of channel; none when this version does not know the kind."""
    transport = known(kind)
    return transport.fields if transport else ()


def known(kind: str) -> Transport | None:
    """The transport of a kind of channel, or None when this version does not know the kind."""
    try:
        return get_transport(kind)
    except KeyError:
        return None


def where(channel: Channel) -> str:
    """Whom a channel reaches, in words without secrets: addresses, or the host of a URL."""
    config = readable_config_of(channel) or {}
    if config.get(OWNERS):
        return "the owners"
    for field in fields(channel.kind):
        value = config.get(field.name)
        if field.kind == "emails" and isinstance(value, Sequence):
            return ", ".join(map(str, value))
        if field.name == "url":
            try:
                return parse(str(value)).authority
            except AddressRefusedError:
                return ""
    return ""


# Policies ----------------------------------------------------------------------------------------
def default_policy(*, organization: Organization, now: datetime) -> Policy:
    """The organization's default policy, made now if it was not yet."""
    routing.route(organization_id=organization.pk, transitions=[], now=now)
    policy, _ = Policy.objects.get_or_create(
        organization=organization,
        is_default=True,
        defaults={"name": routing.DEFAULT_POLICY, "minimum_severity": Severity.INFO, "created_at": now},
    )
    return policy


@transaction.atomic
def save_policy(*, policy: Policy, channels: Iterable[Channel], actor: User, now: datetime) -> None:
    """Store a new or changed policy and the channels that it uses."""
    created = policy.pk is None
    policy.save()
    chosen = list(channels)
    policy.channels.set(chosen)
    detail = {
        "minimum_severity": str(policy.minimum_severity),
        "sensitivity": str(policy.sensitivity),
        "kinds": policy.kinds,
        "channels": [channel.name for channel in chosen],
        "tell_resolved": policy.tell_resolved,
        "enabled": policy.enabled,
    }
    _record(policy.organization, actor, "policy.created" if created else "policy.changed", policy, now, detail)


@transaction.atomic
def delete_policy(*, policy: Policy, actor: User, now: datetime) -> None:
    """Any but the default one, which can only be switched off; raises ``NotNowError``."""
    if policy.is_default:
        raise NotNowError("The default policy cannot be deleted. Switch it off instead.")
    policy.delete()
    _record(policy.organization, actor, "policy.deleted", policy, now)


def _record(
    organization: Organization,
    actor: User,
    action: str,
    target: Channel | Policy,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> None:
    audit.record(organization=organization, actor=actor, action=action, target=str(target), detail=detail, now=now)


def unused(channels: Collection[Channel], policies: Iterable[Policy]) -> set[int]:
    """The ids of channels that no enabled policy uses, so that nothing but tests reaches them."""
    used = {channel.pk for policy in policies if policy.enabled for channel in policy.channels.all()}
    return {channel.pk for channel in channels} - used
