"""From the log-in to an acknowledged incident, and every page of alerts in both themes at both widths."""

import re
from datetime import datetime

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from alerts.models import Incident, State
from observability.inventory.models import Resource
from observability.tenants.models import User
from tests.alerts.estate import TIMEOUT, break_it, policy_for, webhook_channel
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def incident(checkout: Resource, now: datetime) -> Incident:
    policy_for(webhook_channel(checkout.organization, now), now)
    return break_it(checkout, now)


def state_of(incident: Incident) -> str:
    return Incident.objects.get(pk=incident.pk).state


def test_log_in_see_the_incident_acknowledge_it(
    page: Page, live_server: LiveServer, incident: Incident, bob: User, assert_accessible: AssertAccessible
) -> None:
    EmailAddress.objects.create(user=bob, email=bob.email, verified=True, primary=True)
    page.goto(f"{live_server.url}/o/acme/incidents/")
    page.get_by_label("Email").fill(bob.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name=re.compile("StripeTimeoutError")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("StripeTimeoutError")
    expect(page.get_by_role("heading", name=re.compile("Likely caused by version 42"))).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#messages")).to_contain_text("is acknowledged")
    expect(page.locator("#timeline")).to_contain_text("Acknowledged by bob@example.com")
    assert state_of(incident) == State.ACKNOWLEDGED
    assert_accessible(page)


def test_the_keyboard_is_enough(logged_in: LoggedIn, live_server: LiveServer, incident: Incident, bob: User) -> None:
    break_it(incident.resource, incident.last_seen_at, TIMEOUT, times=3)
    page = logged_in(bob)
    page.goto(f"{live_server.url}/o/acme/incidents/")
    expect(page.locator("[data-row]")).to_have_count(2)
    page.keyboard.press("a")  # No row has the focus, so nothing happens.
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#messages")).to_contain_text("is acknowledged")
    expect(page.locator("[data-row]")).to_have_count(1)
    assert Incident.objects.filter(state=State.ACKNOWLEDGED).count() == 1
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("m")
    page.get_by_role("button", name="For 24 hours").click()
    expect(page.locator("#messages")).to_contain_text("is muted")
    page.keyboard.press("e")
    expect(page.locator("#messages")).to_contain_text("is resolved")


def test_a_note(logged_in: LoggedIn, live_server: LiveServer, incident: Incident, bob: User) -> None:
    page = logged_in(bob)
    page.goto(f"{live_server.url}/o/acme/incidents/{incident.number}/")
    page.get_by_label("Add a note").fill("Stripe says it is them.")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#timeline")).to_contain_text("Stripe says it is them.")


def test_a_channel_from_nothing_to_a_test(logged_in: LoggedIn, live_server: LiveServer, alice: User) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/channels/")
    page.get_by_role("link", name="Webhook").click()
    page.get_by_label("Name").fill("Our receiver")
    page.get_by_label("URL").fill("https://receiver.example/hook")
    page.get_by_role("button", name="Create channel").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#test-result")).to_contain_text("Sending a test")
    expect(page.get_by_text("Test message")).to_be_visible()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Signing secret").last).to_have_value(re.compile("^whsec_"))


@pytest.mark.parametrize(
    "path",
    [
        "incidents/", "incidents/?state=muted", "incidents/1/acknowledge/", "channels/", "channels/new/webhook/",
        "policies/", "policies/new/",
    ],
)  # fmt: skip
def test_pages_are_accessible(
    logged_in: LoggedIn,
    live_server: LiveServer,
    incident: Incident,
    alice: User,
    assert_accessible: AssertAccessible,
    path: str,
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/{path}")
    assert_accessible(page)


def test_a_channels_page_is_accessible(
    logged_in: LoggedIn, live_server: LiveServer, incident: Incident, alice: User, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    channel = incident.organization.channels.get()
    page.goto(f"{live_server.url}/o/acme/channels/{channel.pk}/")
    assert_accessible(page)
