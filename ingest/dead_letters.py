"""Events that storing refused: kept for 14 days, so that they can be looked at and stored after a fix."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from ingest.compression import pack, unpack
from ingest.entry import Fields
from ingest.models import DeadLetter
from observability.telemetry.records import Fault, Invocation, LogLine, Point, Record
from observability.tenants.models import Organization

KEPT = timedelta(days=14)
KINDS: Mapping[str, type[Record | Point]] = {
    "invocation": Invocation,
    "log_line": LogLine,
    "fault": Fault,
    "point": Point,
}
WHOLE = 0
"""The position of a letter that holds a whole entry; its records count from 1."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One event, or one whole entry, and why it could not be stored."""

    organization_id: int
    entry_id: str
    position: int
    code: str
    reason: str
    content: Record | Point | Fields


def bury(letters: Iterable[Letter], *, now: datetime) -> None:
    """Keep them, each once however often this is repeated. What belonged to an organization that is gone, goes too."""
    letters = list(letters)
    owners = Organization.objects.filter(id__in={letter.organization_id for letter in letters})
    alive = set(owners.values_list("id", flat=True))
    rows = [
        DeadLetter(
            organization_id=letter.organization_id,
            entry_id=letter.entry_id,
            position=letter.position,
            code=letter.code,
            reason=printable(letter.reason)[:500],
            payload=seal(letter.content),
            created_at=now,
        )
        for letter in letters
        if letter.organization_id in alive
    ]
    DeadLetter.objects.bulk_create(rows, ignore_conflicts=True)


def printable(text: str) -> str:
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def seal(content: Record | Point | Fields) -> bytes:
    """Pack what is to be kept. JSON by the standard library: it carries even what UTF-8 cannot."""
    if isinstance(content, dict):
        fields = {name.decode(): base64.b64encode(value).decode() for name, value in content.items()}
        return pack(json.dumps({"kind": "entry", "content": fields}).encode())
    kind = next(name for name, kind in KINDS.items() if isinstance(content, kind))
    return pack(json.dumps({"kind": kind, "content": msgspec.to_builtins(content)}).encode())


def unseal(payload: bytes) -> Record | Point | Fields:
    """What ``seal`` packed."""
    opened = json.loads(unpack(payload))
    kind, content = opened["kind"], opened["content"]
    if kind == "entry":
        return {name.encode(): base64.b64decode(value) for name, value in content.items()}
    record: Record | Point = msgspec.convert(content, KINDS[kind])
    return record


def forget_old(*, now: datetime) -> int:
    """Delete letters past their time."""
    return DeadLetter.objects.filter(created_at__lt=now - KEPT).delete()[0]
