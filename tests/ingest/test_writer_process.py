"""The writer as a process: killed at any moment it loses nothing, told to stop it stops."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from ingest.buffer import RedisBuffer, connect
from ingest.metrics import Count, counted
from observability.telemetry.stores.postgres import PostgresStore
from observability.tenants.models import Organization
from tests.ingest.test_writer import entry, messages

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts writers on the test's own database and Redis."""
    running: list[subprocess.Popen[bytes]] = []
    database = settings.DATABASES["default"]
    url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{connection.settings_dict['NAME']}"
    environment = os.environ | {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL}

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "manage.py", "ingest_writer"]
        running.append(subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def test_killed_again_and_again_it_loses_nothing(start: Start, acme: Organization) -> None:
    rng = random.Random(7)
    buffer, store = RedisBuffer(connect(settings.REDIS_URL), 1_000_000), PostgresStore()
    sent = []
    for number in range(120):
        each = entry(acme, *(f"{number}/{i}" for i in range(20)), name=f"function-{number % 5}")
        sent += [f"{number}/{i}" for i in range(20)]
        buffer.put(each)
        if number % 50 == 0:
            buffer.put(each)
    for _ in range(3):
        writer = start()
        before = len(messages(store, acme))
        wait_until(lambda before=before: len(messages(store, acme)) > before or not buffer.depth())  # type: ignore[misc]  # Binds the loop's value.
        time.sleep(rng.random() / 10)
        writer.kill()
        writer.wait(10)
    for _ in range(2):
        start()
    wait_until(lambda: not buffer.depth())
    assert messages(store, acme) == sorted(sent)


def test_told_to_stop_under_load_it_finishes_its_batch(start: Start, acme: Organization) -> None:
    redis = connect(settings.REDIS_URL)
    buffer = RedisBuffer(redis, 1_000_000)
    for number in range(100):
        buffer.put(entry(acme, *(f"{number}/{i}" for i in range(50)), at=timezone.now()))
    writer = start()
    wait_until(lambda: counted(redis)[Count.BATCHES] > 0)
    writer.send_signal(signal.SIGTERM)
    assert writer.wait(10) == 0
    stored = len(messages(PostgresStore(), acme))
    assert stored + 50 * buffer.depth() == 5_000
