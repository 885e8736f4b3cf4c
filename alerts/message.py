"""What a human is told: one message about one state of one incident (or a channel), ready for any transport."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from alerts.finding import STANDING, Severity


class Happening(StrEnum):
    """Why the message is sent."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    MUTED = "muted"
    UNMUTED = "unmuted"
    NOTE = "note"
    TEST = "test"
    SWITCHED_OFF = "switched_off"
    """A channel was, because its other side wants no more messages."""


@dataclass(frozen=True, slots=True)
class Message:
    """Plain data with every word a transport needs; times in UTC. ``id`` is the idempotency key of the delivery."""

    id: str
    happening: Happening
    severity: Severity
    title: str
    summary: str
    incident_number: int
    incident_url: str
    organization: str
    resource: str
    resource_url: str
    region: str
    account: str
    events: int
    opened_at: datetime
    happened_at: datetime
    last_seen_at: datetime
    composed_at: datetime
    """When this attempt to deliver it began."""
    kind: str
    error_type: str
    error_message: str
    code: str
    """The top own stack frames as text, at most three lines; empty when there are none."""
    request_id: str
    actor: str
    """Who acknowledged or resolved it; empty when Nightjar did it by itself."""
    likely_cause: str
    """One sentence, such as “Version 42 was deployed 4 minutes before.”; empty when nothing is known."""
    policy: str
    settings_url: str
    duration_s: int = 0
    """How long the incident was open, for resolved messages."""
    next_step: str = ""
    """What to look at first, in a sentence; empty when nothing is known."""
    reached: frozenset[str] = frozenset()
    """Who has it from an earlier try, as the transport named them (``TransportError.reached``)."""

    @property
    def acknowledge_url(self) -> str:
        """A page that asks before it acknowledges, because programs open links in messages too; empty without need."""
        return f"{self.incident_url}acknowledge/" if self.is_alarm and not self.is_about_channel else ""

    @property
    def what(self) -> str:
        """The title, naming the resource once."""
        return self.title if not self.resource or self.resource in self.title else f"{self.title} in {self.resource}"

    @property
    def is_alarm(self) -> bool:
        """Whether it asks for somebody, rather than telling what somebody did."""
        return self.happening in {Happening.OPENED, Happening.REOPENED, Happening.SWITCHED_OFF}

    @property
    def is_standing(self) -> bool:
        """Whether it is about what is so, rather than happens: no events are counted, and the cause is the reason."""
        return self.kind in STANDING

    @property
    def is_about_channel(self) -> bool:
        """Whether it is about a channel, whose page ``incident_url`` is then, and no incident."""
        return self.happening in {Happening.TEST, Happening.SWITCHED_OFF}
