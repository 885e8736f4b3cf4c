"""What the extension measured, on the function's page: nothing where nothing is known, sums that are right."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.dashboards.environment import described
from observability.inventory.models import Resource
from observability.telemetry.environment import Metric
from observability.telemetry.partitions import maintain
from observability.telemetry.pricing import price
from observability.telemetry.records import Invocation, Outcome, Point, Rollup
from observability.telemetry.store import get_store
from observability.tenants.models import User
from observability.ui.range import parse

UNZIPPED = {
    "code_bytes": 100_000_000, "layers_bytes": 31_072_000, "files": 9, "complete": True, "version": "7",
    "measured_at": "2026-11-23T03:00:00+00:00",
    "folders": [{"path": "/var/task/lib", "bytes": 9_000_000}, {"path": "/opt/python", "bytes": 30_000_000}],
}  # fmt: skip


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def pushed(checkout: Resource, now: datetime) -> Resource:
    maintain(now=now)
    checkout.pushed_at, checkout.first_seen_at = now, now - timedelta(days=2)
    checkout.save()
    return checkout


def measure(resource: Resource, at: datetime, **values: float) -> None:
    points = [
        Point(
            resource.organization_id, resource.pk, Metric[name].value, statistic(name), 0,
            at - timedelta(minutes=2), value,
        )
        for name, value in values.items()
    ]  # fmt: skip
    get_store().append_points(points, now=at)


def statistic(name: str) -> str:
    if name in ("OWN_INIT", "OVERHEAD", "RESPONSE_LATENCY", "RESPONSE_DURATION"):
        return "Average"
    return "Maximum" if name in ("OWN_MEMORY", "TMP", "DESCRIPTORS", "THREADS", "MEMORY") else "Sum"


def shown(resource: Resource, now: datetime, total: Rollup | None = None, query: str = "range=1h") -> dict[str, Any]:
    return described(resource, total or Rollup(), parse(QueryDict(query), now))


class TestTax:
    def test_it_is_told_per_invocation_and_priced_for_a_month(self, pushed: Resource, now: datetime) -> None:
        measure(pushed, now, INVOCATIONS=10, HELD=25, OWN_CPU=5, OWN_MEMORY=9e6, OWN_INIT=12, OVERHEAD=4, DROPPED=3)
        measure(pushed, now - timedelta(minutes=10), INVOCATIONS=10, OWN_CPU=1, OWN_MEMORY=8e6)
        tax = shown(pushed, now, Rollup(invocations=40, cold_starts=2))["tax"]
        assert (tax.held_ms, tax.cpu_ms, tax.memory_bytes, tax.init_ms) == (1.25, 0.3, 9e6, 12)
        assert (tax.overhead_ms, tax.dropped, tax.memory_mb, tax.known_price) == (4, 3, 512, True)
        billed_s = (1.25 * 40 + 12 * 2) / 1000
        assert tax.usd == pytest.approx(billed_s * 0.5 * price("eu-west-1", "arm64").gb_second * 720)

    def test_what_costs_nothing_costs_zero(self, pushed: Resource, now: datetime) -> None:
        """A sum of zero is not stored; that others are tells that it was zero."""
        measure(pushed, now, INVOCATIONS=10)
        tax = shown(pushed, now)["tax"]
        assert (tax.held_ms, tax.cpu_ms, tax.dropped, tax.usd) == (0, 0, 0, 0)
        assert (tax.init_ms, tax.memory_bytes, tax.overhead_ms) == (None, None, None)

    def test_without_the_memory_there_is_no_price(self, pushed: Resource, now: datetime) -> None:
        pushed.config = {}
        measure(pushed, now, INVOCATIONS=10, HELD=1)
        assert shown(pushed, now)["tax"].usd is None

    def test_a_function_that_was_just_found_is_not_taken_for_idle_before(self, pushed: Resource, now: datetime) -> None:
        measure(pushed, now, INVOCATIONS=10, HELD=10)
        long_seen = shown(pushed, now, query="range=24h")["tax"].usd
        pushed.first_seen_at = now - timedelta(hours=6)
        assert shown(pushed, now, query="range=24h")["tax"].usd == pytest.approx(4 * long_seen, rel=0.01)


class TestCharts:
    def test_only_of_what_there_is(self, pushed: Resource, now: datetime) -> None:
        measure(pushed, now, INVOCATIONS=1, TMP=2 << 20, DESCRIPTORS=17, THREADS=5, MEMORY=80)
        panels = shown(pushed, now)["environment_panels"]
        assert [panel.title for panel in panels] == [
            "Memory high-water mark", "Used in /tmp", "File descriptors and threads",
        ]  # fmt: skip
        series = [[y for y in each["y"] if y is not None] for panel in panels for each in panel.spec["series"]]
        assert series == [[80], [2], [17], [5]]


class TestPage:
    def test_shows_nothing_where_nothing_is_known(self, client: Client, alice: User, checkout: Resource) -> None:
        client.force_login(alice)
        assert "Observability tax" not in client.get(f"/o/acme/functions/{checkout.pk}/").content.decode()

    def test_says_what_it_costs_and_how_large_the_package_is(
        self, client: Client, alice: User, pushed: Resource, now: datetime
    ) -> None:
        layer = {"arn": "arn:aws:lambda:eu-west-1:123456789012:layer:nightjar:3", "code_bytes": 3 << 20}
        pushed.config |= {"unzipped": UNZIPPED, "layers": [layer], "extensions": {"nightjar": "x", "other": "x"}}
        pushed.save()
        measure(pushed, now, INVOCATIONS=10, HELD=25, OWN_INIT=12, DROPPED=1234)
        client.force_login(alice)
        page = client.get(f"/o/acme/functions/{pushed.pk}/").content.decode()
        told = page.split('id="tax-h"')[1].split("</section>")[0]
        for words in ("2 ms", "12 ms", "1,234", "125 MB of 250 MB", "/opt/python", "nightjar, version 3", "3 MB",
                      "Other extensions here: other."):  # fmt: skip
            assert words in told, words
        assert "/var/task/lib" not in told

    def test_an_image_has_another_limit(self, client: Client, alice: User, pushed: Resource) -> None:
        pushed.config |= {"unzipped": UNZIPPED, "package_type": "Image"}
        pushed.save()
        client.force_login(alice)
        assert "of 250 MB" not in client.get(f"/o/acme/functions/{pushed.pk}/").content.decode()

    def test_asks_little(self, client: Client, alice: User, pushed: Resource, now: datetime) -> None:
        client.force_login(alice)
        measure(pushed, now, INVOCATIONS=10, TMP=5, MEMORY=6, CPU=7)
        at = now - timedelta(minutes=1)
        run = Invocation(
            pushed.organization_id, pushed.pk, at.date(), b"i" * 16, at, "r", "7", Outcome.SUCCESS, "", False, 9.0, 9,
            None, 512, 90, 0.1, "",
        )  # fmt: skip
        get_store().append([run], now=now)
        client.get(f"/o/acme/functions/{pushed.pk}/")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/o/acme/functions/{pushed.pk}/")
        assert len(queries) <= 15

    def test_the_configuration_tells_it_too(self, client: Client, alice: User, pushed: Resource) -> None:
        pushed.config |= {"unzipped": UNZIPPED | {"complete": False}, "extensions": {"other": "2026-11-23"}}
        pushed.save()
        client.force_login(alice)
        page = client.get(f"/o/acme/functions/{pushed.pk}/?tab=configuration").content.decode()
        for words in ("Package size, unzipped", "at least 125 MB: code 95.4 MB, layers 29.6 MB", "other"):
            assert words in page, words
