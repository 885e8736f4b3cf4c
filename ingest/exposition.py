"""``/metrics``: what the product tells about itself, in Prometheus' text format."""

import hmac
from collections.abc import Iterator
from functools import cache
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from redis import Redis

from ingest.buffer import STREAM, connect
from ingest.lanes import Lanes
from ingest.metrics import HELP, NAMES, Gauge, counted
from ingest.models import DeadLetter
from observability.telemetry import partitions
from observability.telemetry.store import get_store


class Facts(Collector):
    """Looks at the state when it is asked; nothing is kept in this process."""

    def collect(self) -> Iterator[Metric]:
        redis = client()
        for gauge, value in {**waiting(redis), **stored()}.items():
            yield GaugeMetricFamily(NAMES[gauge], gauge.value, value=value)
        for count, amount in counted(redis).items():
            yield CounterMetricFamily(f"nightjar_ingest_{count}", HELP[count], value=amount)


def waiting(redis: "Redis") -> dict[Gauge, float]:
    """What is buffered and not stored yet."""
    lanes = Lanes(redis)
    oldest = cast("list[tuple[bytes, object]]", redis.xrange(STREAM, count=1))
    at_ms = int(oldest[0][0].split(b"-")[0]) if oldest else None
    return {
        Gauge.DEPTH: redis.xlen(STREAM),
        Gauge.LAG: max(0.0, timezone.now().timestamp() - at_ms / 1000) if at_ms else 0.0,
        Gauge.PARKED: lanes.waiting(),
        Gauge.PAUSED: lanes.paused(),
    }


def stored() -> dict[Gauge, float]:
    now = timezone.now()
    latest = max((mark.stored_at for mark in get_store().watermarks()), default=None)
    facts: dict[Gauge, float] = {
        Gauge.DEAD_LETTERS: DeadLetter.objects.count(),
        Gauge.PARTITIONS: partitions.days_ahead(now=now),
    }
    if latest:
        facts[Gauge.WATERMARK] = (now - latest).total_seconds()
    return facts


@cache
def client() -> "Redis":
    return connect(settings.REDIS_URL)


@cache
def registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Facts())
    return registry


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Sums over all organizations. Needs ``Authorization: Bearer`` with METRICS_TOKEN when that is set."""
    expected, sent = f"Bearer {settings.METRICS_TOKEN}", request.META.get("HTTP_AUTHORIZATION", "")
    if settings.METRICS_TOKEN and not hmac.compare_digest(expected.encode(), sent.encode()):
        return HttpResponse("METRICS_TOKEN is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


urlpatterns = [path("metrics", metrics, name="metrics")]
