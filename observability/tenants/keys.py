"""Ingest keys: write-only credentials ``njk_<key id>_<secret><checksum>`` of one organization.

``verify`` stands in front of every telemetry request, so what it learns from the database is kept in the process for
``FRESH``: a few microseconds per request, and a revoked key stops working everywhere within five seconds.
"""

import contextlib
import hmac
import secrets
import string
import threading
import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from typing import TypeVar

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from observability.tenants import audit, steering
from observability.tenants.models import IngestKey, Organization, User
from observability.tenants.steering import NOTHING, Steering

T = TypeVar("T")
PREFIX = "njk_"
ALPHABET = string.digits + string.ascii_letters
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 12, 43, 6  # 62^43 > 2^256.
ID = slice(len(PREFIX), len(PREFIX) + ID_LENGTH)
SECRET = slice(ID.stop + 1, ID.stop + 1 + SECRET_LENGTH)
TOKEN_LENGTH = SECRET.stop + CHECKSUM_LENGTH

FRESH = timedelta(seconds=4)  # Leaves the revoking transaction a second of the promised five.
STALE = timedelta(minutes=5)  # How long known keys keep working while the database is away; telemetry must not be lost.
UNKNOWN_FRESH = timedelta(seconds=10)
USED_EVERY = timedelta(minutes=1)
CAPACITY = 10_000


class KeyRefused(Enum):
    """Why a token is not accepted."""

    UNKNOWN = "unknown"  # Malformed, never issued, or the wrong secret: answer 401.
    REVOKED = "revoked"  # Right secret, but revoked or its organization is gone: answer 403.


@dataclass(frozen=True, slots=True)
class VerifiedKey:
    """A key that may write for its organization right now."""

    id: int
    key_id: str
    organization_id: int
    steering: Steering = NOTHING


@dataclass(frozen=True, slots=True)
class _Known:
    key: VerifiedKey
    secret_hash: bytes
    revoked: bool
    last_used_at: datetime | None
    stored_at: datetime  # When the database last said so.
    read_at: datetime  # When it was last asked.


_known: dict[str, _Known] = {}
_unknown: dict[str, datetime] = {}  # Apart from _known, so that guesses never push real keys out.
_lock = threading.Lock()


def issue(*, organization: Organization, name: str, created_by: User | None, now: datetime) -> tuple[IngestKey, str]:
    """A new key and its token; the token cannot be had again."""
    key_id, secret = _random(ID_LENGTH), _random(SECRET_LENGTH)
    with transaction.atomic():
        key = IngestKey.objects.create(
            organization=organization,
            name=name,
            key_id=key_id,
            secret_hash=sha256(secret.encode()).digest(),
            created_by=created_by,
        )
        audit.record(organization=organization, actor=created_by, action="key.created", target=str(key), now=now)
    body = f"{PREFIX}{key_id}_{secret}"
    return key, body + _checksum(body)


def revoke(*, key: IngestKey, actor: User | None, now: datetime) -> bool:
    """Stop ``key`` for good, within five seconds in every process; False if it was revoked before."""
    with transaction.atomic():
        if not IngestKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
            return False
        audit.record(organization=key.organization, actor=actor, action="key.revoked", target=str(key), now=now)
    forget(key.key_id)
    return True


def verify(token: str, *, now: datetime) -> VerifiedKey | KeyRefused:
    """Whose token this is. Raises the database's error only for keys this process has not seen lately."""
    if len(token) != TOKEN_LENGTH or not token.startswith(PREFIX) or not token.isascii():
        return KeyRefused.UNKNOWN
    known = _known.get(token[ID])
    fresh = known is not None and known.read_at <= now < known.read_at + FRESH
    if not fresh:
        known = _look_up(token, now)
    if known is None or not hmac.compare_digest(sha256(token[SECRET].encode()).digest(), known.secret_hash):
        return KeyRefused.UNKNOWN
    if known.revoked:
        return KeyRefused.REVOKED
    if not fresh:
        _mark_used(known, now)
    return known.key


def forget(key_id: str | None = None) -> None:
    """Drop what this process remembers about one key, or about all."""
    with _lock:
        for memory in (_known, _unknown):
            if key_id is None:
                memory.clear()
            else:
                memory.pop(key_id, None)


def _look_up(token: str, now: datetime) -> _Known | None:
    key_id = token[ID]
    if not key_id.isalnum() or _checksum(token[:-CHECKSUM_LENGTH]) != token[-CHECKSUM_LENGTH:]:
        return None
    asked_at = _unknown.get(key_id)
    if asked_at is not None and asked_at <= now < asked_at + UNKNOWN_FRESH:
        return None
    try:
        known = _read(key_id, now)
    except (OperationalError, InterfaceError):
        stale = _stale(key_id, now)
        if stale is None:
            raise
        return stale
    with _lock:
        if known is None:
            _known.pop(key_id, None)
            _put(_unknown, key_id, now)
        else:
            _put(_known, key_id, known)
    return known


def _read(key_id: str, now: datetime) -> _Known | None:
    row = IngestKey.objects.select_related("organization").filter(key_id=key_id).first()
    if row is None:
        return None
    return _Known(
        key=VerifiedKey(
            id=row.pk, key_id=key_id, organization_id=row.organization_id, steering=steering.of(row.organization)
        ),
        secret_hash=bytes(row.secret_hash),
        revoked=row.revoked_at is not None or row.organization.archived_at is not None,
        last_used_at=row.last_used_at,
        stored_at=now,
        read_at=now,
    )


def _stale(key_id: str, now: datetime) -> _Known | None:
    """The last answer, good for one more ``FRESH`` while the database is away."""
    known = _known.get(key_id)
    if known is None or now - known.stored_at > STALE:
        return None
    known = replace(known, read_at=now)
    with _lock:
        _put(_known, key_id, known)
    return known


def _mark_used(known: _Known, now: datetime) -> None:
    """Note the use, at most once in ``USED_EVERY``; the note is not worth refusing telemetry for."""
    if known.last_used_at is not None and now - known.last_used_at < USED_EVERY:
        return
    unnoted = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
    with contextlib.suppress(OperationalError, InterfaceError):
        IngestKey.objects.filter(unnoted, pk=known.key.id).update(last_used_at=now)


def _put(memory: dict[str, T], key_id: str, value: T) -> None:
    """Remember at most ``CAPACITY`` keys; the caller holds the lock."""
    memory.pop(key_id, None)
    while len(memory) >= CAPACITY:
        del memory[next(iter(memory))]
    memory[key_id] = value


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    """CRC-32 in base 62: tells typing errors and cut tokens from real ones without a query; it is no secret."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
