"""Puts an incident into words: everything a transport needs to tell a person, as plain data."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from alerts.causes import suspect
from alerts.failures import NOTICED
from alerts.finding import STANDING, Severity
from alerts.message import Happening, Message
from alerts.models import Channel, Incident, Notification, Transition
from alerts.text import duration

CODE_LINES = 3
LONGEST_LINE = 200


def compose(notification: Notification, *, now: datetime) -> Message:
    """The message of one outbox row; one that is about nothing is a test of its channel. Only reads."""
    if notification.about is not None:
        return _switched_off(notification, notification.about, now=now)
    if notification.transition is None:
        return _test(notification, now=now)
    return _about(notification, notification.transition, now=now)


def _about(notification: Notification, transition: Transition, *, now: datetime) -> Message:
    incident = transition.incident
    resource = incident.resource
    slug = notification.organization.slug
    happening = Happening(transition.kind)
    detail: dict[str, Any] = incident.detail
    cause = _cause(incident)
    open_for = int((transition.happened_at - incident.opened_at).total_seconds())
    return Message(
        id=str(notification.pk),
        happening=happening,
        severity=Severity(incident.severity),
        title=incident.title,
        summary=_summary(incident, transition, happening, cause),
        incident_number=incident.number,
        incident_url=_url("alerts:incident", organization=slug, number=incident.number),
        organization=notification.organization.name,
        resource=resource.name,
        resource_url=_url("dashboards:function", organization=slug, resource_id=resource.pk),
        region=resource.region,
        account=resource.account,
        events=incident.events,
        opened_at=incident.opened_at,
        happened_at=transition.happened_at,
        last_seen_at=incident.last_seen_at,
        composed_at=now,
        kind=incident.kind,
        error_type=str(detail.get("type") or ""),
        error_message=str(detail.get("message") or ""),
        code=code(detail.get("frames") or []) or command(detail.get("fixes") or []),
        request_id=str(detail.get("request_id") or ""),
        actor=str(transition.actor or ""),
        likely_cause=cause,
        next_step=str(detail.get("next") or ""),
        policy=notification.policy_name,
        settings_url=_url("alerts:policies", organization=slug),
        duration_s=max(0, open_for) if happening is Happening.RESOLVED else 0,
        reached=frozenset(notification.reached),
    )


def _test(notification: Notification, *, now: datetime) -> Message:
    channel = notification.channel
    summary = f"This is a test of the channel “{channel.name}”. If you can read it, alerts will reach you here."
    message = _about_channel(notification, channel, now=now)
    return replace(message, title="Test message from Nightjar", summary=summary)


def _switched_off(notification: Notification, channel: Channel, *, now: datetime) -> Message:
    message = _about_channel(notification, channel, now=now)
    return replace(
        message,
        happening=Happening.SWITCHED_OFF,
        severity=Severity.WARNING,
        title=f"The channel “{channel.name}” was switched off",
        summary=f"It cannot be used any more: {channel.disabled_reason} "
        "Nobody is told anything through it until its settings are right and it is switched on again.",
    )


def _about_channel(notification: Notification, channel: Channel, *, now: datetime) -> Message:
    """What messages about channels have in common."""
    url = _url("alerts:channel", organization=notification.organization.slug, channel_id=channel.pk)
    return Message(
        id=str(notification.pk),
        happening=Happening.TEST,
        severity=Severity.INFO,
        title="",
        summary="",
        incident_number=0,
        incident_url=url,
        organization=notification.organization.name,
        resource="",
        resource_url="",
        region="",
        account="",
        events=0,
        opened_at=notification.created_at,
        happened_at=notification.created_at,
        last_seen_at=notification.created_at,
        composed_at=now,
        kind="",
        error_type="",
        error_message="",
        code="",
        request_id="",
        actor="",
        likely_cause="",
        policy="",
        settings_url=url,
        reached=frozenset(notification.reached),
    )


def _cause(incident: Incident) -> str:
    """One sentence. What we noticed ourselves says why; for failures of a function there may be a suspect."""
    if incident.kind in NOTICED | STANDING:
        return str(incident.detail.get("message") or "")
    cause = suspect(incident)
    return cause.sentence if cause else ""


def _summary(incident: Incident, transition: Transition, happening: Happening, cause: str) -> str:
    """One or two sentences, for places that show nothing else."""
    standing = incident.kind in STANDING
    events = f"{incident.events:,} event{'' if incident.events == 1 else 's'}"
    in_all, so_far = ("", "") if standing else (f" {events} in all.", f" {events} so far.")
    by = f" by {transition.actor}" if transition.actor else ""
    match happening:
        case Happening.ACKNOWLEDGED | Happening.MUTED | Happening.UNMUTED:
            return f"{happening.title()}{by}.{so_far}"
        case Happening.RESOLVED:
            length = duration((transition.happened_at - incident.opened_at).total_seconds())
            return f"Resolved{by} after {length}.{in_all}"
        case Happening.NOTE:
            return f"Note{by}: {transition.note}"
        case _ if standing:
            return cause
        case _:
            return f"{events} since {incident.opened_at:%H:%M} UTC. {cause}".rstrip()


def code(frames: list[dict[str, Any]]) -> str:
    """The innermost of the customer's own frames first, with its source where it is known; at most three lines."""
    own = [frame for frame in reversed(frames) if frame.get("own", True)]
    rows: list[str] = []
    for frame in own:
        rows.append(f"{frame.get('file', '')}:{frame.get('line', '')} in {frame.get('function', '')}")
        if source := str(frame.get("code") or "").strip():
            rows.append(f"    {source}")
    return "\n".join(rows[:CODE_LINES])


def command(fixes: list[dict[str, Any]]) -> str:
    """The command that mends it, in at most three lines; nothing where it is longer or takes more than that."""
    for fix in fixes:
        text = str(fix.get("text") or "")
        rows = text.splitlines()
        rows = rows if len(rows) <= CODE_LINES else re.sub(r"\s*\\\n\s*", " ", text).splitlines()
        if fix.get("way") == "cli" and 0 < len(rows) <= CODE_LINES and max(map(len, rows)) <= LONGEST_LINE:
            return "\n".join(rows)
    return ""


def _url(name: str, **kwargs: object) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name, kwargs=kwargs)}"
