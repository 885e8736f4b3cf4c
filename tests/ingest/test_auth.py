"""Only a live key, only in the header."""

from datetime import UTC, datetime

import pytest
from django.db import OperationalError

from ingest.auth import authenticate
from ingest.refusal import Code, RefusedError
from observability.tenants import keys
from observability.tenants.models import IngestKey, Organization

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def issued(acme: Organization) -> tuple[IngestKey, str]:
    keys.forget()
    return keys.issue(organization=acme, name="test", created_by=None, now=NOW)


def refusal(authorization: str, query: str = "") -> Code:
    with pytest.raises(RefusedError) as refused:
        authenticate(authorization, query, now=NOW)
    return refused.value.code


def test_a_key_names_its_organization(issued: tuple[IngestKey, str], acme: Organization) -> None:
    key, token = issued
    for header in (f"Bearer {token}", f"bearer  {token} "):
        verified = authenticate(header, "", now=NOW)
        assert (verified.id, verified.organization_id) == (key.pk, acme.pk)


def test_use_is_noted(issued: tuple[IngestKey, str]) -> None:
    key, token = issued
    authenticate(f"Bearer {token}", "", now=NOW)
    key.refresh_from_db()
    assert key.last_used_at == NOW


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "njk_x"])
def test_no_key_is_said_plainly(header: str) -> None:
    assert refusal(header) is Code.KEY_MISSING


def test_a_wrong_key_is_unknown(issued: tuple[IngestKey, str]) -> None:
    _, token = issued
    wrong = token[:20] + ("x" if token[20] != "x" else "y") + token[21:]
    for guess in (wrong, "njk_", "njk_é" + token[5:], token + "x", "x" * 10_000):
        assert refusal(f"Bearer {guess}") is Code.KEY_UNKNOWN


def test_a_revoked_key_is_told_so(issued: tuple[IngestKey, str]) -> None:
    key, token = issued
    keys.revoke(key=key, actor=None, now=NOW)
    assert refusal(f"Bearer {token}") is Code.KEY_REVOKED


def test_a_key_in_the_address_is_refused_even_when_it_is_right(issued: tuple[IngestKey, str]) -> None:
    _, token = issued
    assert refusal(f"Bearer {token}", f"key={token}") is Code.KEY_IN_URL


def test_an_absent_database_is_a_503_not_a_401(issued: tuple[IngestKey, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(keys, "verify", away)
    assert refusal(f"Bearer {issued[1]}") is Code.UNAVAILABLE
