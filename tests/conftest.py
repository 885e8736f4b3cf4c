"""Shared fixtures: a cast of people and clean services.

Alice owns the organization Acme, Bob is a member of it, Charlie owns another one and must never get in.
"""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from pytest_django import DjangoDbBlocker
from redis import Redis

from observability.inventory.models import Resource
from observability.tenants.models import Membership, Organization, Role, User

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests go first and together: they share what they start, and no worker waits for one in the end."""
    items.sort(key=lambda item: item.get_closest_marker("services") is None)


@pytest.fixture(scope="session")
def _redis_of_worker() -> Iterator[Redis]:
    with Redis.from_url(settings.REDIS_URL) as redis:
        yield redis


@pytest.fixture(autouse=True)
def _clean_redis(_redis_of_worker: Redis) -> None:
    """Every test starts with an empty Redis database of its own worker."""
    _redis_of_worker.flushdb()


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """The real cost of a password is a good part of a second, and every test has people."""
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


@pytest.fixture(scope="session", autouse=True)
def _files_on_demand() -> Iterator[None]:
    """WhiteNoise lists the files of the front end for every test client, unless it looks for one when it is asked."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture
def acme(db: None) -> Organization:
    return Organization.objects.create(name="Acme", slug="acme")


@pytest.fixture
def rival(db: None) -> Organization:
    return Organization.objects.create(name="Rival", slug="rival")


def person(email: str, organization: Organization, role: Role) -> User:
    user = User.objects.create_user(email=email, password="correct horse battery")
    Membership.objects.create(organization=organization, user=user, role=role)
    return user


@pytest.fixture
def alice(acme: Organization) -> User:
    return person("alice@example.com", acme, Role.OWNER)


@pytest.fixture
def bob(acme: Organization) -> User:
    return person("bob@example.com", acme, Role.MEMBER)


@pytest.fixture
def charlie(rival: Organization) -> User:
    return person("charlie@example.com", rival, Role.OWNER)


@pytest.fixture
def checkout(acme: Organization) -> Resource:
    """A Lambda function of Acme."""
    now = timezone.now()
    return Resource.objects.create(
        organization=acme,
        arn=ARN + "checkout",
        name="checkout",
        region="eu-west-1",
        account="123456789012",
        config={"runtime": "python3.13", "memory_mb": 512, "timeout_s": 10, "architecture": "arm64"},
        first_seen_at=now,
        last_seen_at=now,
    )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Transactional tests clean up by TRUNCATE, which the audit log refuses outside of tests."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tenants_auditentry DISABLE TRIGGER audit_no_truncate")
