"""What the demo remembers between starts: its ingest key, when it began, and up to when it has told its story."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class State:
    """``anchor`` is the first start (see demo.releases); all that ended in ``[told_from, told_until)`` was sent.

    Without ``told_from`` nothing of longer ago is to be told.
    """

    key: str
    anchor: datetime
    told_until: datetime
    told_from: datetime | None = None

    def until(self, moment: datetime) -> "State":
        return replace(self, told_until=moment)

    def since(self, moment: datetime | None) -> "State":
        return replace(self, told_from=moment)


def load(path: Path) -> State | None:
    """The remembered state, or None on the first start."""
    return msgspec.json.decode(path.read_bytes(), type=State) if path.exists() else None


def save(path: Path, state: State) -> None:
    """Replace the file in one step; it holds a key, so only the owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(msgspec.json.encode(asdict(state)))
    fresh.replace(path)
