import threading
from datetime import UTC, datetime, timedelta

import pytest
from celery.worker import state
from django.conf import settings
from django.core.management import CommandError, call_command
from redis import Redis

from observability import pulse, watchdog
from observability.celery import app
from observability.watchdog import Silence

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def client() -> Redis:
    return Redis.from_url(settings.REDIS_URL)


def test_a_worker_that_never_had_a_task_is_not_deaf() -> None:
    silence = Silence(90)
    assert not any(silence.lasts(0, moment) for moment in (0.0, 100.0, 10_000.0))


def test_a_worker_that_had_tasks_and_gets_none_is_deaf() -> None:
    silence = Silence(90)
    assert [silence.lasts(*look) for look in ((1, 0.0), (1, 90.0), (2, 91.0), (2, 181.0), (2, 181.1))] == [
        False,
        False,
        False,
        False,
        True,
    ]


def test_it_acts_once_and_then_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(watchdog, "LIMIT", 0.02)
    monkeypatch.setattr(state, "all_total_count", [1])
    calls: list[str] = []
    watchdog.watch(threading.Event(), lambda: calls.append("silent"))
    assert calls == ["silent"]


def test_it_ends_with_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    over.set()
    watchdog.watch(over, lambda: pytest.fail("nobody was silent"))


def test_every_worker_has_one() -> None:
    assert "observability.watchdog:Watchdog" in app.steps["worker"]


def test_a_writer_that_leaves_nothing_waiting_has_a_pulse(client: Redis) -> None:
    assert pulse.writer_keeps_up(client, NOW)
    client.xadd(pulse.STREAM, {"a": 1}, id=f"{int(NOW.timestamp() * 1000)}-0")
    assert pulse.writer_keeps_up(client, NOW + timedelta(seconds=59))
    assert not pulse.writer_keeps_up(client, NOW + timedelta(seconds=61))
    client.delete(pulse.STREAM)
    call_command("pulse", "writer")


def test_a_beat_that_moves_its_schedule_on_has_a_pulse(client: Redis) -> None:
    assert not pulse.beat_rings(client, NOW)
    client.zadd(pulse.SCHEDULE, {"redbeat:alerts.evaluate_due": NOW.timestamp()})
    assert pulse.beat_rings(client, NOW)
    assert not pulse.beat_rings(client, NOW + timedelta(seconds=61))
    with pytest.raises(CommandError, match="beat has left its work"):
        call_command("pulse", "beat")


def test_the_schedule_is_where_redbeat_keeps_it() -> None:
    assert settings.CELERY_REDBEAT_KEY_PREFIX + ":schedule" == pulse.SCHEDULE
