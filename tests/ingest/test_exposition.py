"""``/metrics``, as Prometheus reads it."""

from django.conf import settings as live
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from ingest.buffer import RedisBuffer, connect
from ingest.entry import Entry
from ingest.metrics import NAMES, Count, count
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.observability.telemetry.test_store_contract import invocation


def figures(client: Client) -> dict[str, float]:
    text = client.get("/metrics").content.decode()
    return {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


def test_it_tells_of_the_buffer_the_store_and_the_counts(client: Client, acme: Organization) -> None:
    redis, now = connect(live.REDIS_URL), timezone.now()
    RedisBuffer(redis, 1000).put(Entry(acme.pk, 1, "", now, 1, b"{}"))
    count(redis, {Count.LOG_LINES: 7})
    get_store().append([invocation(now, organization_id=acme.pk)], now=now)
    told = figures(client)
    assert told["nightjar_ingest_buffered_entries"] == 1
    assert told["nightjar_ingest_stored_log_lines_total"] == 7
    assert 0 <= told["nightjar_watermark_age_seconds"] < 60
    assert set(NAMES.values()) <= set(told)


def test_a_token_is_needed_when_one_is_set(client: Client, db: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = "secret"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer secret"}).status_code == 200
