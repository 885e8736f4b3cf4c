"""Storing dead letters after all, through the same pipeline; what fails again stays, with one attempt more."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from ingest.brake import Brake
from ingest.dead_letters import unseal
from ingest.digest import REFUSED, Digest
from ingest.models import DeadLetter
from observability.inventory.resources import Resources
from observability.telemetry.records import Point
from observability.telemetry.store import Store


class StillFailingError(Exception):
    """The letter cannot be stored this time either."""


def replay(letter_ids: Iterable[int], store: Store, *, now: datetime) -> tuple[int, int]:
    """Replay these letters; answers how many are stored now, and how many stay. Safe to repeat and to interrupt."""
    resources = Resources()
    stored = stay = 0
    for letter_id in letter_ids:
        try:
            with transaction.atomic():
                stored += _replay(letter_id, Digest(store, resources, Brake()), now=now)
        except (StillFailingError, *REFUSED) as error:
            reason = f"{type(error).__name__}: {error}".replace("\0", "\\0")[:500]
            DeadLetter.objects.filter(id=letter_id).update(attempts=F("attempts") + 1, reason=reason)
            stay += 1
    return stored, stay


def _replay(letter_id: int, digest: Digest, *, now: datetime) -> int:
    letter = DeadLetter.objects.select_for_update(skip_locked=True).filter(id=letter_id).first()
    if letter is None:
        return 0
    content = unseal(bytes(letter.payload))
    if isinstance(content, dict):
        outcome = digest.run([(letter.entry_id, content)], now=now)
        if outcome.dead and not outcome.dead["refused"]:
            raise StillFailingError(", ".join(outcome.dead))
    elif isinstance(content, Point):
        digest.store.append_points([content], now=now)
    else:
        digest.store.append([content], now=now)
    letter.delete()
    return 1
