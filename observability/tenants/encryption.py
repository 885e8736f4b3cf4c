"""Secrets at rest: MultiFernet under ``settings.ENCRYPTION_KEYS``, newest key first, so that keys can be rotated."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.checks import CheckMessage, Error


class DecryptionError(Exception):
    """None of the configured keys opens this secret: a key is missing from ENCRYPTION_KEYS, or the row was altered."""


def encrypt(data: bytes) -> bytes:
    """``data`` sealed under the first key."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(data)


def decrypt(data: bytes) -> bytes:
    """What ``encrypt`` was given; raises ``DecryptionError``."""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(data)
    except InvalidToken as error:
        raise DecryptionError("no key in ENCRYPTION_KEYS opens this secret") from error


def rotate(data: bytes) -> bytes:
    """The same secret sealed under the first key; raises ``DecryptionError``."""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).rotate(data)
    except InvalidToken as error:
        raise DecryptionError("no key in ENCRYPTION_KEYS opens this secret") from error


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def check_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """System check: a missing or malformed key stops ``manage.py check``, not the first secret."""
    if not settings.ENCRYPTION_KEYS:
        return [Error("ENCRYPTION_KEYS is empty.", hint=_HINT, id="nightjar.E001")]
    return [
        Error(f"ENCRYPTION_KEYS: key {place} is not a Fernet key.", hint=_HINT, id="nightjar.E002")
        for place, key in enumerate(settings.ENCRYPTION_KEYS, start=1)
        if not _valid(key)
    ]


_HINT = (
    "Comma-separated, newest first; make one with: python -c "
    "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
)


def _valid(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
