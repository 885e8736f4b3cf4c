"""Where the demo's receivers keep what they took: one small JSON file per message, the newest ``KEPT``."""

import re
import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

KEPT = 200
NAME = re.compile(r"\d{19}-(slack|webhook|mail)")


class Kind(StrEnum):
    SLACK = "slack"
    WEBHOOK = "webhook"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Message:
    """One received message; ``content`` is what the kind's page shows (see ``receivers``)."""

    kind: Kind
    received_at: datetime
    content: dict[str, Any]
    name: str = ""


def folder() -> Path:
    path: Path = settings.VAR_DIR / "demo" / "inbox"
    return path


def put(message: Message) -> None:
    """Keep a message and forget the oldest ones; a reader never sees half a file."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{time.time_ns():019d}-{message.kind}"
    fresh = place / f"{name}.new"
    fresh.write_bytes(msgspec.json.encode(asdict(message)))
    fresh.replace(place / f"{name}.json")
    for old in names()[KEPT:]:
        (place / f"{old}.json").unlink(missing_ok=True)


def names() -> list[str]:
    """Every kept message, newest first."""
    return sorted((path.stem for path in folder().glob("*.json")), reverse=True)


def get(name: str) -> Message | None:
    """One message; None when the name is none of ours or its file is gone."""
    if not NAME.fullmatch(name):
        return None
    try:
        stored = msgspec.json.decode((folder() / f"{name}.json").read_bytes(), type=Message)
    except OSError:
        return None
    return replace(stored, name=name)


def latest(limit: int) -> list[Message]:
    """The newest messages, newest first."""
    return [message for name in names()[:limit] if (message := get(name))]
