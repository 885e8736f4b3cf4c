"""Who changed what, for ever: an append-only chain of entries per organization.

Each entry's hash covers its content and the hash before it, and ``AuditHead`` remembers the last one, so an entry
that was altered, removed, moved or cut from the end is found by ``verify``. Every hash is logged as well: a log
archive elsewhere is a witness that a rewritten database cannot reach.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from observability.tenants.models import AuditEntry, AuditHead, Organization, User

logger = logging.getLogger(__name__)
SYSTEM = "Nightjar"
GENESIS = bytes(32)


def record(
    *,
    organization: Organization,
    actor: User | None,
    action: str,
    target: str,
    detail: Mapping[str, object] | None = None,
    now: datetime,
) -> AuditEntry:
    """Append one entry, in the caller's transaction if there is one.

    ``action`` is ``noun.verb`` in the past tense (``key.revoked``); ``actor`` is None for the system itself.
    ``detail`` must be JSON; never put a secret there.
    """
    with transaction.atomic():
        head, _ = AuditHead.objects.select_for_update().get_or_create(organization=organization)
        entry = AuditEntry(
            organization=organization,
            number=head.number + 1,
            actor=actor,
            actor_label=actor.email if actor else SYSTEM,
            action=action,
            target=target[:200],
            detail=_stable(detail or {}),
            created_at=now,
        )
        entry.hash = entry_hash(entry, previous=bytes(head.hash))
        entry.save(force_insert=True)
        head.number, head.hash = entry.number, entry.hash
        head.save(update_fields=["number", "hash"])
    logger.info(
        "audit.recorded",
        extra={"organization_id": organization.pk, "number": entry.number, "action": action, "hash": entry.hash.hex()},
    )
    return entry


def entry_hash(entry: AuditEntry, *, previous: bytes) -> bytes:
    """SHA-256 over the previous hash and everything the entry says."""
    content = [
        entry.organization_id,
        entry.number,
        entry.actor_id,
        entry.actor_label,
        entry.action,
        entry.target,
        entry.detail,
        entry.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
    ]
    return hashlib.sha256(previous + json.dumps(content, sort_keys=True).encode()).digest()


def verify(*, organization: Organization) -> str | None:
    """None when the chain is whole, else one sentence naming the first entry that is not what was recorded."""
    previous, number = GENESIS, 0
    for entry in organization.audit_entries.order_by("number").iterator(chunk_size=1000):
        number += 1
        if entry.number != number:
            return f"Entry {number} is missing."
        previous = entry_hash(entry, previous=previous)
        if previous != bytes(entry.hash):
            return f"Entry {number} is not what was recorded."
    head = AuditHead.objects.filter(organization=organization).first()
    if (head.number, bytes(head.hash)) != (number, previous) if head else number:
        return f"The log ends at entry {number}, which is not the last one recorded."
    return None


def _stable(detail: Mapping[str, object]) -> dict[str, Any]:
    """``detail`` in a form that comes back from the database exactly as it went in (it may respell fractions)."""
    plain: dict[str, Any] = json.loads(json.dumps(detail, default=str), parse_float=str)
    return plain
