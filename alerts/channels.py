"""What a channel's settings look like in the open, and sealed as the database keeps them."""

from typing import Any

import msgspec

from alerts.models import Channel
from observability.tenants import encryption


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
