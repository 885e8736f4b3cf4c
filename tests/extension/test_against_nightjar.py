"""The real extension against the real ingest: what it says of itself becomes facts, and what is asked of it it does."""

from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from bench.sandbox import Sandbox
from ingest.brake import Brake
from ingest.buffer import RedisBuffer, connect
from ingest.digest import Digest
from ingest.lanes import Lanes
from ingest.models import DeadLetter
from ingest.writer import Writer
from observability.inventory.models import Resource
from observability.inventory.resources import Resources
from observability.telemetry.environment import Metric
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Window
from observability.telemetry.stores.postgres import PostgresStore
from observability.tenants import keys, steering
from observability.tenants.models import Organization, User
from tests.ingest.test_writer import drain, messages

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def store() -> PostgresStore:
    return PostgresStore()


@pytest.fixture
def writer(acme: Organization, store: PostgresStore) -> Writer:
    maintain(now=timezone.now())
    redis = connect(settings.REDIS_URL, timeout_s=5)
    buffer = RedisBuffer(redis, 1_000_000)
    buffer.ensure_group()
    return Writer(buffer, Digest(store, Resources(), Brake()), Lanes(redis), redis, timezone.now, Event())


@pytest.fixture
def environment(acme: Organization, alice: User, live_server: LiveServer) -> dict[str, str]:
    keys.forget()
    _, token = keys.issue(organization=acme, name="test", created_by=alice, now=timezone.now())
    return {"NIGHTJAR_ENDPOINT": live_server.url, "NIGHTJAR_KEY": token, "NIGHTJAR_FLUSH_MS": "2000"}


def total(store: PostgresStore, organization: Organization, metric: Metric, statistic: str = "Sum") -> float:
    now = timezone.now()
    found = store.points(organization.pk, Window(now - HOUR, now + HOUR), metric=metric.value, statistic=statistic)
    return sum(reading.value or 0 for readings in found.values() for reading in readings)


def test_what_it_says_of_itself_becomes_facts(
    extension: Path, environment: dict[str, str], writer: Writer, store: PostgresStore, acme: Organization
) -> None:
    with Sandbox(extension, environment) as sandbox:
        for number in range(3):
            sandbox.invoke(lines=[f"line {number}"])
        sandbox.shutdown()
    drain(writer)
    function = Resource.objects.get()
    now = timezone.now()
    run = store.total(acme.pk, Window(now - HOUR, now + HOUR), [function.pk])
    assert run.invocations == 3
    assert {"line 0", "line 1", "line 2"} <= set(messages(store, acme))
    assert total(store, acme, Metric.INVOCATIONS) >= 1
    assert 0 < total(store, acme, Metric.OWN_INIT, "Average") < 10_000
    assert total(store, acme, Metric.OWN_MEMORY, "Maximum") > 1_000_000
    assert total(store, acme, Metric.THREADS, "Maximum") > 0
    assert total(store, acme, Metric.DROPPED) == 0
    assert not DeadLetter.objects.exists()


def test_it_is_silent_when_it_is_asked_to_be(
    extension: Path,
    environment: dict[str, str],
    writer: Writer,
    store: PostgresStore,
    acme: Organization,
    alice: User,
) -> None:
    steering.pause(organization=acme, length=HOUR, actor=alice, now=timezone.now())
    with Sandbox(extension, environment) as sandbox:
        sandbox.invoke(lines=["before it knows"])
        sandbox.invoke(lines=["after"])
        sandbox.shutdown()
    drain(writer)
    assert "before it knows" in messages(store, acme)
    assert "after" not in messages(store, acme)
