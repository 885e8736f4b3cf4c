"""Secrets at rest and their rotation."""

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from observability.tenants import encryption

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_secret_comes_back(settings: Settings) -> None:
    sealed = encryption.encrypt(b"xoxb-canary")
    assert b"canary" not in sealed
    assert encryption.decrypt(sealed) == b"xoxb-canary"


def test_rotation_moves_a_secret_to_the_new_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = encryption.encrypt(b"canary")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert encryption.decrypt(sealed) == b"canary"
    moved = encryption.rotate(sealed)
    settings.ENCRYPTION_KEYS = [NEW]
    assert encryption.decrypt(moved) == b"canary"
    for use in (encryption.decrypt, encryption.rotate):
        with pytest.raises(encryption.DecryptionError):
            use(sealed)


@pytest.mark.parametrize(("keys", "ids"), [([], ["nightjar.E001"]), ([NEW, "short"], ["nightjar.E002"]), ([NEW], [])])
def test_bad_keys_fail_the_check(settings: Settings, keys: list[str], ids: list[str]) -> None:
    settings.ENCRYPTION_KEYS = keys
    assert [problem.id for problem in encryption.check_keys(None)] == ids
