"""What a channel's settings look like in the open, sealed as the database keeps them, and as transports get them."""

from typing import Any

import msgspec

from alerts.models import Channel
from alerts.transport import OWNERS
from observability.tenants import encryption
from observability.tenants.models import Membership, Role

MOST_OWNERS = 20


class NobodyError(Exception):
    """A channel to the owners reaches nobody at the moment; the text is for the delivery log."""


def seal(config: dict[str, Any]) -> bytes:
    """``Channel.config`` for these settings."""
    return encryption.encrypt(msgspec.json.encode(config))


def config_of(channel: Channel) -> dict[str, Any]:
    """The settings of a channel; raises ``encryption.DecryptionError`` when no key opens them."""
    config: dict[str, Any] = msgspec.json.decode(encryption.decrypt(bytes(channel.config)), type=dict[str, Any])
    return config


def readable_config_of(channel: Channel) -> dict[str, Any] | None:
    """The settings of a channel, or None when no key opens them: then they can only be entered again."""
    try:
        return config_of(channel)
    except encryption.DecryptionError:
        return None


def addressed(channel: Channel) -> dict[str, Any]:
    """The settings for ``Transport.send``, "the owners" being those of this moment.

    Raises ``NobodyError``, and ``encryption.DecryptionError`` when no key opens them.
    """
    config = config_of(channel)
    if not config.pop(OWNERS, False):
        return config
    addresses = owners(channel.organization_id)
    if not addresses:
        raise NobodyError("No owner of the organization has an active account.")
    return config | {"to": addresses}


def owners(organization_id: int) -> list[str]:
    """The mailboxes of an organization's owners, at most ``MOST_OWNERS``; none when it is archived."""
    rows = Membership.objects.filter(
        organization_id=organization_id, organization__archived_at=None, role=Role.OWNER, user__is_active=True
    )
    return list(rows.order_by("pk").values_list("user__email", flat=True)[:MOST_OWNERS])
