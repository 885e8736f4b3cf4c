"""The contract of a transport: dress a message, send it once, say whether trying again can help."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from alerts.message import Message

OWNERS = "owners"
"""A configuration in which this is true reaches the organization's owners; ``send`` finds their addresses in ``to``."""


class TransportError(Exception):
    """A message was not delivered. ``permanent`` means that trying again cannot help; ``retry_after`` is in seconds.

    ``reached`` names, in words of the transport's own, those who have the message although others do not.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        reached: Collection[str] = frozenset(),
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.reached = frozenset(reached)


class Audience(StrEnum):
    """Who reads what a transport delivers; it decides what is worth sending there."""

    CHAT = "chat"
    """People, in a stream: they also hear who acknowledged, and a storm reaches them in few messages."""
    MAILBOX = "mailbox"
    """People, one letter at a time: no acknowledgements, and a storm reaches them in few letters."""
    MACHINE = "machine"
    """A program: it gets every step of every incident."""


@dataclass(frozen=True, slots=True)
class ConfigField:
    """One field of a transport's settings form."""

    name: str
    label: str
    help: str
    kind: str = "text"
    """``text``, ``url``, ``emails`` (one address a line) or ``secret`` (write-only, generated when left empty)."""
    required: bool = True
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side said when it accepted the message, for the delivery log."""

    detail: str = ""


class Transport(Protocol):
    """One way to reach people. ``kind`` is stored in channels; never rename it. ``icon`` is a Lucide name."""

    kind: str
    title: str
    icon: str
    fields: tuple[ConfigField, ...]
    audience: Audience

    def clean(self, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration, validated and normalised; raises ``ValueError`` with words for the form."""

    def send(self, config: dict[str, Any], message: Message) -> Receipt:
        """Deliver once, or raise ``TransportError``. Never follows redirects, never sends twice in one call."""


@runtime_checkable
class Rotating(Protocol):
    """A transport whose secret can be replaced while receivers still know only the old one."""

    def rotate(self, config: dict[str, Any], *, now: datetime) -> dict[str, Any]:
        """The configuration with a new secret; for a while the old one is used as well."""
