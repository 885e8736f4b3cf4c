"""Insights in a browser: reading and copying a fix, snoozing with a reason, bringing back, turning a threshold."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from alerts.models import Incident, Insight, Tuning, WatchCursor
from alerts.rules import BY_KIND
from observability.inventory.models import Resource
from observability.tenants.models import Organization, User
from tests.alerts.rules.cases import load
from tests.browser.conftest import AssertAccessible, LoggedIn

SHOWN = ("memory_idle", "queue_growing", "default_timeout", "function_url_public", "table_unused")


@pytest.fixture
def advice(acme: Organization, checkout: Resource) -> list[Insight]:
    """One piece of advice of several rules, in their own words."""
    now, made = timezone.now(), []
    for kind in SHOWN:
        rule, said = BY_KIND[kind], load()[kind].problem.advice(BY_KIND[kind])[0]
        low, high = said.usd_month or (None, None)
        made.append(
            Insight.objects.create(
                organization=acme, resource=checkout, rule=kind, severity=said.severity or rule.severity,
                text=said.text, evidence=[list(each) for each in said.evidence],
                fixes=[{"way": fix.way, "text": fix.text} for fix in said.fixes], confidence=said.confidence,
                usd_low=low, usd_high=high, opened_at=now - timedelta(days=3), seen_at=now,
            )
        )  # fmt: skip
    WatchCursor.objects.create(organization=acme, advised_at=now - timedelta(minutes=12))
    return made


@pytest.fixture
def reader(logged_in: LoggedIn, live_server: LiveServer, alice: User, advice: list[Insight]) -> Page:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/insights/")
    return page


def test_a_fix_can_be_opened_and_copied(reader: Page) -> None:
    panel = reader.get_by_role("region", name=BY_KIND["memory_idle"].title)
    panel.get_by_text("How to fix it").click()
    expect(panel.get_by_role("button", name="Copy for AWS CLI")).to_be_visible()
    expect(panel.get_by_text("aws lambda update-function-configuration").first).to_be_visible()


def test_advice_is_put_off_and_brought_back(reader: Page) -> None:
    panel = reader.get_by_role("region", name=BY_KIND["default_timeout"].title)
    panel.get_by_role("button", name="Snooze for checkout").click()
    panel.get_by_label("Why it can wait").fill("After the sale.")
    panel.get_by_label("For how long").select_option("1w")
    panel.get_by_role("button", name="Snooze", exact=True).click()
    expect(reader.get_by_text("It is snoozed.")).to_be_visible()
    expect(reader.get_by_role("heading", name=BY_KIND["default_timeout"].title)).to_have_count(0)
    reader.get_by_role("link", name="Snoozed").click()
    expect(reader.get_by_text("After the sale.")).to_be_visible()
    reader.get_by_role("button", name="Bring back for checkout").click()
    expect(reader.get_by_text("It is open again.")).to_be_visible()
    assert Insight.objects.filter(state="open").count() == len(SHOWN)


def test_a_choice_narrows_the_page_down(reader: Page) -> None:
    reader.get_by_label("Severity").select_option("warning")
    expect(reader.get_by_role("heading", name=BY_KIND["function_url_public"].title)).to_be_visible()
    expect(reader.get_by_role("heading", name=BY_KIND["memory_idle"].title)).to_have_count(0)
    reader.get_by_role("link", name="Show everything").click()
    expect(reader.get_by_role("heading", name=BY_KIND["memory_idle"].title)).to_be_visible()


def test_a_threshold_is_turned(reader: Page, live_server: LiveServer) -> None:
    reader.get_by_role("link", name="Rules").click()
    reader.get_by_role("link", name=BY_KIND["memory_idle"].title).click()
    field = reader.get_by_role("spinbutton").first
    field.fill("40")
    reader.get_by_role("button", name="Save").click()
    expect(reader.get_by_text("is saved.")).to_be_visible()
    assert 40 in Tuning.objects.get().values.values()


def test_a_function_shows_its_advice(reader: Page, live_server: LiveServer, checkout: Resource) -> None:
    reader.goto(f"{live_server.url}/o/acme/functions/{checkout.pk}/")
    panel = reader.get_by_role("region", name="Insights")
    expect(panel.get_by_text(BY_KIND["memory_idle"].title)).to_be_visible()


def test_every_page_of_insights_is_accessible(
    reader: Page, live_server: LiveServer, acme: Organization, checkout: Resource, assert_accessible: AssertAccessible
) -> None:
    now = timezone.now()
    Insight.objects.filter(rule="table_unused").update(
        state="fixed", fixed_at=now - timedelta(days=4), before={"usd_per_day": 1.0}, outcome={"gone": True}
    )
    Insight.objects.filter(rule="queue_growing").update(
        state="snoozed", snoozed_until=now + timedelta(days=5), snooze_reason="After the sale."
    )
    urgent = Insight.objects.get(rule="function_url_public")
    Incident.objects.create(
        organization=acme, number=1, fingerprint="1:x", kind="insight", severity="critical", title="checkout: open",
        resource=checkout, opened_at=now, first_seen_at=now, last_seen_at=now,
        detail={"type": urgent.rule, "message": urgent.text, "fixes": urgent.fixes, "evidence": urgent.evidence,
                "why": BY_KIND[urgent.rule].why, "source": BY_KIND[urgent.rule].source},
    )  # fmt: skip
    paths = (
        "insights/", "insights/?state=snoozed", "insights/?state=fixed", "insights/?rule=memory_idle",
        "insights/rules/", "insights/rules/memory_idle/", "incidents/1/",
    )  # fmt: skip
    for path in paths:
        reader.goto(f"{live_server.url}/o/acme/{path}")
        for summary in reader.locator("main details > summary").all():
            summary.click()
        assert_accessible(reader)
