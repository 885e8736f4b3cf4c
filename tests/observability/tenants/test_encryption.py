"""Secrets at rest and their rotation."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from alerts.channels import config_of, seal
from alerts.models import Channel
from observability.tenants import encryption
from observability.tenants.models import Organization, User

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


@pytest.mark.django_db
def test_the_command_moves_every_secret_to_the_newest_key(settings: Settings, acme: Organization, alice: User) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(alice)
    channel = Channel.objects.create(
        organization=acme, kind="slack", name="#ops", config=seal({"url": "canary"}), created_at=timezone.now()
    )
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).generate_codes()
    call_command("rotate_secrets")
    settings.ENCRYPTION_KEYS = [NEW]
    channel.refresh_from_db()
    assert config_of(channel) == {"url": "canary"}
    factors = {factor.type: factor for factor in Authenticator.objects.all()}
    assert encryption.decrypt(factors["totp"].data["secret"].encode()) == b"JBSWY3DPEHPK3PXP"
    assert RecoveryCodes(factors["recovery_codes"]).generate_codes() == codes
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="3 could not be opened"):
        call_command("rotate_secrets")
