"""Ingest keys on the hottest path: right answers, few queries, quick revocation."""

import string
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from observability.tenants import keys
from observability.tenants.models import AuditEntry, IngestKey, Organization, User

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _forget() -> None:
    keys.forget()


@pytest.fixture
def issued(acme: Organization, alice: User) -> tuple[IngestKey, str]:
    return keys.issue(organization=acme, name="production", created_by=alice, now=NOW)


def altered(token: str, place: int) -> str:
    """``token`` with another secret and a checksum that fits it."""
    body = token[: -keys.CHECKSUM_LENGTH]
    other = "a" if body[place] != "a" else "b"
    body = body[:place] + other + body[place + 1 :]
    return body + keys._checksum(body)


def test_the_token_is_stored_only_as_a_hash_of_enough_bits(issued: tuple[IngestKey, str]) -> None:
    key, token = issued
    prefix, key_id, secret = token.split("_")
    assert prefix == "njk"
    assert key_id == key.key_id
    assert len(string.digits + string.ascii_letters) ** (len(secret) - keys.CHECKSUM_LENGTH) >= 2**256
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM tenants_ingestkey k")
        assert secret[:43] not in str(cursor.fetchall())
    assert secret not in str(AuditEntry.objects.values_list("target", "detail"))


def test_a_key_is_verified_with_one_query_and_then_with_none(
    issued: tuple[IngestKey, str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key, token = issued
    with django_assert_num_queries(2):  # One to read it, one to note its use.
        verified = keys.verify(token, now=NOW)
    assert verified == keys.VerifiedKey(id=key.pk, key_id=key.key_id, organization_id=key.organization_id)
    with django_assert_num_queries(0):
        assert keys.verify(token, now=NOW + 3 * SECOND) == verified
    with django_assert_num_queries(1):
        assert keys.verify(token, now=NOW + 6 * SECOND) == verified


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: "",
        lambda t: t[:-1],
        lambda t: t + "0",
        lambda t: "Bearer " + t,
        lambda t: t.swapcase(),
        lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"),
        lambda t: t[:10] + "é" + t[11:],
        lambda t: t[:10] + "\0" + t[11:],
        lambda t: t * 1000,
    ],
)
def test_malformed_tokens_cost_no_query(
    issued: tuple[IngestKey, str], spoil: object, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert callable(spoil)
    with django_assert_num_queries(0):
        assert keys.verify(spoil(issued[1]), now=NOW) is keys.KeyRefused.UNKNOWN


def test_guesses_cost_one_query_per_key_id(
    issued: tuple[IngestKey, str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = issued[1]
    with django_assert_num_queries(1):
        for place in range(keys.SECRET.start, keys.SECRET.stop):
            assert keys.verify(altered(token, place), now=NOW) is keys.KeyRefused.UNKNOWN
    stranger = altered(token, keys.ID.start)
    with django_assert_num_queries(1):
        for second in range(10):
            assert keys.verify(stranger, now=NOW + second * SECOND) is keys.KeyRefused.UNKNOWN
    assert IngestKey.objects.get().last_used_at is None


def test_revocation_works_here_at_once_and_elsewhere_within_five_seconds(issued: tuple[IngestKey, str]) -> None:
    key, token = issued
    assert isinstance(keys.verify(token, now=NOW), keys.VerifiedKey)
    IngestKey.objects.filter(pk=key.pk).update(revoked_at=NOW)  # As another process would.
    assert isinstance(keys.verify(token, now=NOW + SECOND), keys.VerifiedKey)
    assert keys.verify(token, now=NOW + 4 * SECOND) is keys.KeyRefused.REVOKED
    IngestKey.objects.filter(pk=key.pk).update(revoked_at=None)
    keys.forget()
    assert isinstance(keys.verify(token, now=NOW), keys.VerifiedKey)
    assert keys.revoke(key=key, actor=None, now=NOW)
    assert keys.verify(token, now=NOW) is keys.KeyRefused.REVOKED
    assert not keys.revoke(key=key, actor=None, now=NOW)
    assert list(AuditEntry.objects.order_by("number").values_list("action", flat=True)) == [
        "key.created",
        "key.revoked",
    ]


def test_an_archived_organization_has_no_working_keys(acme: Organization, issued: tuple[IngestKey, str]) -> None:
    Organization.objects.filter(pk=acme.pk).update(archived_at=NOW)
    assert keys.verify(issued[1], now=NOW) is keys.KeyRefused.REVOKED


def test_the_last_use_is_noted_at_most_once_a_minute(issued: tuple[IngestKey, str]) -> None:
    key, token = issued
    with CaptureQueriesContext(connection) as queries:
        for second in range(121):
            keys.verify(token, now=NOW + second * SECOND)
    assert sum("UPDATE" in query["sql"] for query in queries) == 3
    key.refresh_from_db()
    assert key.last_used_at == NOW + 120 * SECOND


def test_known_keys_outlive_a_database_outage(issued: tuple[IngestKey, str], monkeypatch: pytest.MonkeyPatch) -> None:
    token = issued[1]
    verified = keys.verify(token, now=NOW)

    def away(key_id: str, now: datetime) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(keys, "_read", away)
    for second in range(0, 300, 5):
        assert keys.verify(token, now=NOW + second * SECOND) == verified
    with pytest.raises(OperationalError):
        keys.verify(token, now=NOW + 400 * SECOND)


def test_memory_stays_bounded_and_guesses_never_push_real_keys_out(
    issued: tuple[IngestKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "CAPACITY", 5)
    keys.verify(issued[1], now=NOW)
    for _ in range(20):
        body = f"njk_{keys._random(12)}_{keys._random(43)}"
        assert keys.verify(body + keys._checksum(body), now=NOW) is keys.KeyRefused.UNKNOWN
    assert len(keys._unknown) == 5
    assert len(keys._known) == 1


def test_a_remembered_key_costs_microseconds(issued: tuple[IngestKey, str]) -> None:
    token = issued[1]
    keys.verify(token, now=NOW)
    started = perf_counter()
    for _ in range(10_000):
        keys.verify(token, now=NOW)
    assert (perf_counter() - started) / 10_000 < 50e-6  # About 2 µs; the slack is for busy machines.
