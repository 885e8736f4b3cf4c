"""What watching a function costs, and what extensions are asked to send, in a browser."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from observability.inventory.models import Resource
from observability.telemetry.environment import Metric
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Point
from observability.telemetry.store import get_store
from observability.tenants.models import User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)

MEASURED = (
    (Metric.INVOCATIONS, "Sum", 60),
    (Metric.HELD, "Sum", 48),
    (Metric.OWN_CPU, "Sum", 31),
    (Metric.OWN_INIT, "Average", 12),
    (Metric.OWN_MEMORY, "Maximum", 9e6),
    (Metric.OVERHEAD, "Average", 4),
    (Metric.RESPONSE_LATENCY, "Average", 80),
    (Metric.CPU, "Sum", 2500),
    (Metric.RECEIVED, "Sum", 4e6),
    (Metric.TMP, "Maximum", 3e7),
    (Metric.THREADS, "Maximum", 9),
    (Metric.DESCRIPTORS, "Maximum", 18),
    (Metric.MEMORY, "Maximum", 140),
    (Metric.DROPPED, "Sum", 1),
)


@pytest.fixture
def pushed(checkout: Resource) -> Resource:
    """An hour of a function with the extension, with another extension and a layer beside it."""
    now = timezone.now()
    maintain(now=now)
    points = [
        Point(checkout.organization_id, checkout.pk, metric.value, statistic, 0, now - timedelta(minutes=minute), value)
        for metric, statistic, value in MEASURED
        for minute in range(1, 60)
    ]
    get_store().append_points(points, now=now)
    layer = "arn:aws:lambda:eu-west-1:123456789012:layer:a-layer-whose-name-is-rather-long-for-a-phone:12"
    folders = [{"path": "/opt/python/a_package_whose_name_goes_on_and_on_and_on", "bytes": 60_000_000}]
    checkout.config |= {
        "layers": [{"arn": layer, "code_bytes": 21_000_000}],
        "extensions": {"nightjar": "2026-11-25", "lambda-insights": "2026-11-25"},
        "unzipped": {
            "code_bytes": 100_000_000, "layers_bytes": 81_072_000, "files": 9, "complete": True, "version": "7",
            "measured_at": "2026-11-25T03:00:00+00:00", "folders": folders,
        },
    }  # fmt: skip
    checkout.pushed_at = now
    checkout.save()
    return checkout


def test_the_function_says_what_watching_it_costs(
    logged_in: LoggedIn, live_server: LiveServer, alice: User, pushed: Resource, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/functions/{pushed.pk}/?range=1h")
    tax = page.get_by_role("region", name="Observability tax")
    expect(tax).to_contain_text("After each invocation0.80 ms")
    expect(tax).to_contain_text("173 MB of 250 MB")
    for title in (
        "Memory high-water mark",
        "Used in /tmp",
        "File descriptors and threads",
        "Processor time",
        "Network",
    ):
        drawn = page.locator("section.panel").filter(has=page.get_by_role("heading", name=title, exact=True))
        drawn.scroll_into_view_if_needed()
        expect(drawn.locator("nj-chart [role=img] canvas")).to_be_visible()
    assert_accessible(page)


def test_an_admin_asks_for_less_and_for_silence(
    logged_in: LoggedIn, live_server: LiveServer, alice: User, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(live_server.url + "/o/acme/settings/telemetry/")
    page.get_by_label("Percent of invocations").fill("20")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("20 % sent")).to_be_visible()
    page.get_by_label("For how many minutes").fill("30")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="End the pause")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="End the pause").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
