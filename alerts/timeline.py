"""The story of one incident: its steps, who was told of each, and the deployment that came before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts.causes import Suspect
from alerts.models import Incident, Notification, Transition
from alerts.routing import ALARMS

SHOWN = 60
ICONS = {
    Transition.Kind.OPENED: "circle-dot",
    Transition.Kind.ACKNOWLEDGED: "eye",
    Transition.Kind.MUTED: "bell-off",
    Transition.Kind.UNMUTED: "bell",
    Transition.Kind.RESOLVED: "circle-check",
    Transition.Kind.REOPENED: "rotate-ccw",
    Transition.Kind.NOTE: "message-square",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A message about a step: to which channel, and what became of it."""

    channel_id: int
    channel: str
    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the timeline."""

    at: datetime
    icon: str
    heading: str
    text: str = ""
    alarming: bool = False
    told: Sequence[Told] = field(default_factory=tuple)


def timeline(incident: Incident, cause: Suspect | None) -> list[Event]:
    """The newest steps in order of time; two queries."""
    steps = list(incident.transitions.select_related("actor").order_by("-happened_at", "-pk")[:SHOWN])
    told = _told([step.pk for step in steps])
    events = [_event(step, told.get(step.pk, [])) for step in reversed(steps)]
    if cause:
        events.append(Event(cause.deployed_at, "rocket", f"Deployed {cause.name}", cause.how_long_before.capitalize()))
    return sorted(events, key=lambda event: event.at)


def _told(steps: Sequence[int]) -> dict[int, list[Told]]:
    told: dict[int, list[Told]] = {}
    rows = Notification.objects.filter(transition__in=steps).select_related("channel").order_by("created_at", "pk")
    for row in rows:
        if row.transition_id is not None:
            told.setdefault(row.transition_id, []).append(_what_became(row))
    return told


def _what_became(row: Notification) -> Told:
    if row.status == Notification.Status.SENT and row.sent_at:
        seconds = max(0.0, (row.sent_at - row.created_at).total_seconds())
        detail = f"sent after {seconds:.1f} s" if seconds < 60 else f"sent after {seconds / 60:.0f} min"
        detail += ", together with others" if row.told_with_id else ""
    elif row.status == Notification.Status.FAILED:
        detail = f"not sent: {row.last_error}"
    else:
        detail = f"trying again: {row.last_error}" if row.last_error else "waiting"
    return Told(row.channel_id, row.channel.name, row.status, detail)


def _event(step: Transition, told: Sequence[Told]) -> Event:
    kind = Transition.Kind(step.kind)
    who = str(step.actor) if step.actor else ""
    if kind is Transition.Kind.NOTE:
        heading = who or "Nightjar"
    elif who:
        heading = f"{kind.label} by {who}"
    else:
        heading = "Resolved after a quiet time" if kind is Transition.Kind.RESOLVED else kind.label
    return Event(step.happened_at, ICONS[kind], heading, step.note, kind in ALARMS, told)
