"""What a connection's role may do and why: the collectors' permissions, as `manage.py role` wrote them down.

``permissions.json`` stands between the collectors, which this package must not know, and everybody who grants, shows
or probes what they need.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from observability.aws.models import Tier

PERMISSIONS = Path(__file__).with_name("permissions.json")


@dataclass(frozen=True, slots=True)
class Need:
    """One action: why, what is lost without it, the narrowest resource, and a harmless call that tries it out."""

    action: str
    why: str
    without: str
    resource: str
    wild: str = ""
    """Why ``resource`` is ``*``, where it is that."""
    tier: str = Tier.BASE.value
    collectors: tuple[str, ...] = ()
    probe: tuple[str, str, Mapping[str, Any]] | None = None
    """Service, operation, parameters; None where every call would change something."""


@cache
def needs() -> tuple[Need, ...]:
    """All of them, in the order of the file."""
    return tuple(_need(entry) for entry in json.loads(PERMISSIONS.read_text()))


def of(tiers: Collection[str]) -> tuple[Need, ...]:
    """What these tiers need; the base is always among them."""
    return tuple(need for need in needs() if need.tier == Tier.BASE or need.tier in tiers)


def text(rows: Sequence[Need]) -> str:
    """The content of ``permissions.json``."""
    return json.dumps([asdict(need) for need in rows], indent=2, ensure_ascii=False) + "\n"


def _need(entry: Mapping[str, Any]) -> Need:
    probe = entry["probe"]
    return Need(**{**entry, "collectors": tuple(entry["collectors"]), "probe": tuple(probe) if probe else None})
