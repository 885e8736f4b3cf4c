"""The pages by which orchestrators and Prometheus look at the product."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from observability import health
from observability.telemetry import partitions


def test_healthz_asks_nobody(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_when_everything_is_there(client: Client, db: None) -> None:
    partitions.maintain(now=timezone.now())
    answer = client.get("/readyz")
    assert (answer.status_code, set(answer.json()["checks"].values())) == (200, {"ok"})


def test_not_ready_without_redis(client: Client, db: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    health.client.cache_clear()
    try:
        answer = client.get("/readyz")
    finally:
        health.client.cache_clear()
    assert (answer.status_code, answer.json()["checks"]["redis"]) == (503, "unreachable")


def test_not_ready_when_redis_may_evict(client: Client, db: None) -> None:
    health.client().config_set("maxmemory-policy", "allkeys-lru")
    try:
        answer = client.get("/readyz")
    finally:
        health.client().config_set("maxmemory-policy", "noeviction")
    assert answer.status_code == 503
    assert "noeviction" in answer.json()["checks"]["redis"]


def test_not_ready_while_partitions_run_out(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "days_ahead", lambda *, now: 3)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["partitions"]) == (503, "only 3 days ahead")
