"""Anomalies in a browser: their page, their charts with what is usual, their incidents, and what people say of them."""

import math
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from alerts import incidents
from alerts.detector import FactWindow, Function, Spending, Unusual
from alerts.detectors.anomaly import Anomaly as AnomalyDetector
from alerts.detectors.runaway import Runaway
from alerts.models import Anomaly, WatchCursor
from observability.inventory.models import Deployment, Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Invocation, Outcome
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User
from observability.ui.units import NOTHING
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)

STEP = timedelta(minutes=5)
BAND = f"95{NOTHING}140 ms"
REASON = f"Median duration is 1.05 s, usually {BAND} at this hour, since v42, 12 minutes before."
STOP = (
    "aws lambda put-function-concurrency --function-name checkout --region eu-west-1 --reserved-concurrent-executions 0"
)
UNDO = "aws lambda delete-function-concurrency --function-name checkout --region eu-west-1"


@pytest.fixture
def history(checkout: Resource) -> Resource:
    """Three days of runs every five minutes, slow since forty minutes, and what watching made of it."""
    now = timezone.now()
    maintain(now=now)
    records = []
    for number in range(3 * 288):
        at = now - STEP * number
        slow = 10 if at > now - timedelta(minutes=40) else 1
        for run in range(4):
            ms = slow * (100 + 20 * math.sin(number / 288 * 2 * math.pi) + 3 * run)
            records.append(ran(checkout, at + timedelta(seconds=run), 4 * number + run, ms))
    get_store().append(records, now=now)
    Deployment.objects.create(
        organization=checkout.organization, resource=checkout, version="42", deployed_at=now - timedelta(minutes=52)
    )
    odd(checkout, "duration_p50", REASON, value=1050.0, low=95.0, high=140.0, told=True)
    behind = "Cost per hour is $1.32, usually at most $0.13 at this hour, while median duration is 9.8 times the usual."
    odd(checkout, "cost", behind, value=1.32, high=0.13, surprise=41.0, told=True)
    few = f"Invocations are 3 in 5 minutes, usually 20{NOTHING}45 at this hour."
    odd(checkout, "invocations", few, value=3.0, low=20.0, high=45.0, detail={"group": "1:mark", "side": -1})
    WatchCursor.objects.create(
        organization=checkout.organization, watched={"since": (now - timedelta(days=20)).isoformat()}, watched_at=now
    )
    return checkout


def ran(resource: Resource, at: object, number: int, ms: float) -> Invocation:
    return Invocation(
        organization_id=resource.organization_id, resource_id=resource.pk, day=at.date(),  # type: ignore[attr-defined]
        event_id=number.to_bytes(16, "big"), started_at=at, request_id=str(number), version="42",  # type: ignore[arg-type]
        outcome=Outcome.SUCCESS, error_type="", cold_start=False, duration_ms=ms, billed_ms=int(ms) + 1, init_ms=None,
        memory_mb=512, max_memory_mb=80, cost_usd=ms * 1e-5, trace_id="",
    )  # fmt: skip


def odd(resource: Resource, metric: str, reason: str, **fields: object) -> Anomaly:
    now = timezone.now()
    values = {
        "started_at": now - timedelta(minutes=40), "ended_at": now - timedelta(minutes=5), "low": 0.0,
        "surprise": 44.0, "detail": {"group": "1:group", "side": 1},
    }  # fmt: skip
    return Anomaly.objects.create(
        organization=resource.organization, resource=resource, metric=metric, reason=reason, **(values | fields)
    )


def apply(resource: Resource, window: FactWindow) -> None:
    detector = AnomalyDetector() if window.anomalies else Runaway()
    with transaction.atomic():
        found = list(detector.detect(window))
        incidents.apply(organization_id=resource.organization_id, findings=found, now=window.now)


@pytest.fixture
def slow(history: Resource) -> Resource:
    """The incident of it, with number 1."""
    now = timezone.now()
    told = Unusual(
        history.pk, "duration_p50", REASON, 44.0, now - timedelta(minutes=40), now, "1:group",
        {"title": f"Median duration of checkout is 1.05 s, usually {BAND}", "metrics": [],
         "next": "Open the slowest invocations of this time, and see what they waited for."},
    )  # fmt: skip
    apply(history, FactWindow(history.organization_id, now, anomalies=[told]))
    return history


@pytest.fixture
def costly(history: Resource) -> Resource:
    """An incident of runaway spending, with number 1."""
    now = timezone.now()
    reason = "It spends $14.20 an hour, at most $0.10 an hour in the week before: $340.80 a day if nobody stops it."
    told = Spending(history.pk, 14.2, 0.1, reason, STOP, now - timedelta(minutes=9), now, ("checkout", "again"), UNDO)
    function = Function(history.pk, "checkout", "eu-west-1", "", None, None)
    apply(history, FactWindow(history.organization_id, now, functions={history.pk: function}, spending=[told]))
    return history


def shown(page: Page, name: str) -> None:
    """Keep pictures to look at where ``SHOTS`` names a directory."""
    if not (folder := os.environ.get("SHOTS")):
        return
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.evaluate(
                "theme => { document.documentElement.dataset.theme = theme;"
                "document.dispatchEvent(new Event('nj:theme')) }",
                theme,
            )
            page.screenshot(path=Path(folder) / f"{name}-{width}-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_with_nothing_to_watch_it_is_accessible(
    acme: Organization, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/anomalies/")
    expect(page.get_by_text("Nothing to watch yet")).to_be_visible()
    assert_accessible(page)
    shown(page, "empty")


def test_while_it_learns_it_is_accessible(
    checkout: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    now = timezone.now()
    WatchCursor.objects.create(
        organization=checkout.organization, watched={"since": now.isoformat()}, watched_at=now
    )  # fmt: skip
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/anomalies/")
    expect(page.get_by_text("Still learning what is usual")).to_be_visible()
    assert_accessible(page)
    shown(page, "learning")


def test_what_was_expected_is_said_with_one_click(
    slow: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/anomalies/")
    panel = page.get_by_role("region", name="Anomalies")
    expect(panel.locator("[data-row]")).to_have_count(3)
    assert_accessible(page)
    shown(page, "list")
    row = panel.locator("[data-row]").filter(has_text="since v42")
    row.get_by_role("button", name="Expected").click()
    expect(page.locator("#messages")).to_contain_text("From now on that counts as usual")
    expect(row).to_contain_text("expected")
    assert Anomaly.objects.get(metric="duration_p50").feedback == Anomaly.Feedback.EXPECTED
    page.get_by_role("link", name="Only incidents").click()
    expect(panel.locator("[data-row]")).to_have_count(2)


def test_the_page_of_the_function_shows_it_with_what_is_usual(
    slow: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/functions/{slow.pk}/?range=24h")
    panel = page.get_by_role("region", name="Anomalies")
    expect(panel.locator("[data-row]")).to_have_count(3)
    expect(page.get_by_role("heading", name="Median duration")).to_be_visible()
    assert_accessible(page)
    shown(page, "function")
    panel.locator("[data-row]").filter(has_text="since v42").get_by_role("button", name="Real trouble").click()
    expect(page.locator("#messages")).to_contain_text("That will never count as usual")
    assert f"/functions/{slow.pk}/" in page.url


def test_an_incident_of_an_anomaly_is_accessible(
    slow: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/incidents/1/")
    expect(page.get_by_role("heading", name="Likely caused by version 42")).to_be_visible()
    expect(page.get_by_role("region", name="How unusual it is")).to_contain_text("Open the slowest invocations")
    expect(page.get_by_role("region", name="Anomalies").locator("[data-row]")).to_have_count(3)
    assert_accessible(page)
    shown(page, "incident")


def test_an_incident_of_runaway_spending_is_accessible(
    costly: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/incidents/1/")
    expect(page.get_by_role("group", name="Stop it")).to_contain_text(STOP)
    expect(page.get_by_role("group", name="Let it run again")).to_contain_text(UNDO)
    expect(page.get_by_role("button", name="Copy for")).to_have_count(2)
    assert_accessible(page)
    shown(page, "runaway")


def test_the_list_of_incidents_counts_no_events_of_it(
    slow: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/incidents/")
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.get_by_text("not counted")).to_have_count(1)
    assert_accessible(page)
    shown(page, "incidents")
