"""Resources, configuration, changes and coverage in a browser."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from observability.inventory.models import Deployment, Resource
from observability.telemetry.models import Coverage
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Point
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def queue(organization: Organization, name: str, now: datetime, **config: object) -> Resource:
    return Resource.objects.create(
        organization=organization, type="sqs_queue", arn=QUEUE + name, name=name, region="eu-west-1",
        account="123456789012", config=config, first_seen_at=now, last_seen_at=now, listed_at=now,
    )  # fmt: skip


@pytest.fixture
def orders(checkout: Resource, now: datetime) -> Resource:
    """A queue that feeds ``checkout``, whose dead letters go to another; a deleted one; coverage with a gap."""
    maintain(now=now)
    found = queue(
        checkout.organization, "orders", now, visibility_timeout_s=30, dead_letter=QUEUE + "orders-dlq",
        tags={"team": "checkout"},
    )  # fmt: skip
    queue(checkout.organization, "orders-dlq", now, retention_s=1_209_600)
    Resource.objects.filter(pk=queue(checkout.organization, "legacy", now).pk).update(gone_at=now)
    checkout.listed_at = now
    checkout.config |= {
        "environment": {"STRIPE_KEY": "0a1b2c:00112233"},
        "aliases": {"prod": {"version": "42", "weights": {}}},
        "event_sources": [{"source": found.arn, "qualifier": "$LATEST", "batch_size": 10, "enabled": True}],
    }
    checkout.save()
    Deployment.objects.create(
        organization=checkout.organization, resource=checkout, version="42", deployed_at=now - timedelta(hours=1),
        changes={"memory_mb": [256, 512], "environment": [["OLD"], ["KEY"]], "code_sha256": ["a" * 44, "b" * 44]},
    )  # fmt: skip
    hour = now.replace(minute=0, second=0, microsecond=0)
    for back in range(2, 8):
        Coverage.objects.create(
            organization=checkout.organization, resource=checkout, hour=hour - timedelta(hours=back), reported=100,
            seen=100 - 20 * (back == 3), cause="throttled" if back == 3 else "",
        )  # fmt: skip
    minute = now.replace(second=0, microsecond=0)
    organization_id, metric = checkout.organization_id, ("ConcurrentExecutions", "Maximum")
    points = [
        Point(organization_id, checkout.pk, *metric, 60, minute - timedelta(minutes=back), back)
        for back in range(1, 30)
    ]
    get_store().append_points(points, now=now)
    return found


@pytest.fixture
def at(logged_in: LoggedIn, live_server: LiveServer, alice: User, orders: Resource) -> Page:
    """The inventory of Acme, as Alice sees it."""
    page = logged_in(alice)
    page.goto(live_server.url + "/o/acme/resources/")
    return page


def test_leads_from_a_queue_to_the_function_that_it_feeds(at: Page) -> None:
    at.get_by_label("Type").select_option("sqs_queue")
    expect(at.get_by_role("row")).to_have_count(3)
    at.get_by_role("link", name="orders", exact=True).click()
    expect(at.get_by_text("Visibility timeout")).to_be_visible()
    at.get_by_role("complementary", name="Connected resources").get_by_role("link", name="checkout").click()
    expect(at.get_by_role("heading", name="checkout")).to_be_visible()
    expect(at.get_by_role("heading", name="Concurrent executions")).to_be_visible()
    at.get_by_role("link", name="Configuration").click()
    expect(at.get_by_text("SQS orders: batches of 10")).to_be_visible()
    expect(at.get_by_text("STRIPE_KEY")).to_be_visible()
    at.get_by_role("link", name="Changes").click()
    expect(at.get_by_text("New code and configuration")).to_be_visible()
    expect(at.get_by_text("Memory: 256 MB → 512 MB")).to_be_visible()


def test_keeps_deleted_ones_behind_a_tab(at: Page) -> None:
    expect(at.get_by_role("link", name="legacy")).to_have_count(0)
    at.get_by_role("link", name="Deleted").click()
    expect(at.get_by_role("link", name="legacy")).to_be_visible()


def test_the_keyboard_leads_there_and_through(at: Page, live_server: LiveServer, orders: Resource) -> None:
    at.goto(live_server.url + "/o/acme/logs/")
    at.keyboard.press("g")
    at.keyboard.press("r")
    expect(at.get_by_role("heading", name="Resources", exact=True)).to_be_visible()
    at.keyboard.press("/")
    at.keyboard.type("orders-d")
    expect(at.get_by_role("option", name="orders-dlq")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    ["resources/", "resources/?state=deleted", "resources/?q=absent", "resources/{queue}/",
     "functions/{function}/?tab=configuration", "functions/{function}/?tab=changes", "functions/{function}/?range=1h",
     "coverage/"],
)  # fmt: skip
def test_pages_are_accessible(
    at: Page, checkout: Resource, orders: Resource, live_server: LiveServer, assert_accessible: AssertAccessible,
    path: str,
) -> None:  # fmt: skip
    at.goto(f"{live_server.url}/o/acme/{path.format(queue=orders.pk, function=checkout.pk)}")
    at.wait_for_load_state("networkidle")
    assert_accessible(at)


def test_an_empty_organization_is_accessible(
    logged_in: LoggedIn, live_server: LiveServer, alice: User, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    for path in ("resources/", "coverage/", "aws/"):
        page.goto(f"{live_server.url}/o/acme/{path}")
        assert_accessible(page)
