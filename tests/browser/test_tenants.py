"""Getting in and getting started: first run, log-in, the first ingest key, members, the audit log."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from observability.tenants import keys, members
from observability.tenants.accounts import register
from observability.tenants.models import Membership, Organization, Role, User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"


def test_the_first_visitor_sets_everything_up(
    page: Page, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    page.goto(live_server.url)
    expect(page.get_by_role("heading", name="Welcome to Nightjar")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Organization").fill("Acme Retail")
    page.get_by_label("Your e-mail").fill("me@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create owner and organization").click()
    expect(page).to_have_url(live_server.url + "/o/acme-retail/")


def test_somebody_logs_in_and_creates_a_key(
    page: Page, live_server: LiveServer, acme: Organization, assert_accessible: AssertAccessible
) -> None:
    owner = register(email="me@example.com", password=PASSWORD)
    Membership.objects.create(organization=acme, user=owner, role=Role.OWNER)
    page.goto(live_server.url + "/o/acme/settings/keys/")
    page.get_by_label("Email").fill("me@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("^(Sign|Log) in$", re.IGNORECASE)).click()
    expect(page.get_by_text("No keys yet")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Name").fill("production")
    page.get_by_role("button", name="Create key").click()
    token = page.get_by_label("The key").input_value()
    assert isinstance(keys.verify(token, now=timezone.now()), keys.VerifiedKey)
    expect(page.get_by_text("curl -i")).to_contain_text(token)
    assert_accessible(page)
    page.get_by_role("button", name="Revoke production").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_role("heading", name="Revoked keys")).to_be_visible()
    assert keys.verify(token, now=timezone.now()) is keys.KeyRefused.REVOKED


def test_settings_are_accessible(
    page: Page,
    live_server: LiveServer,
    logged_in: LoggedIn,
    alice: User,
    bob: User,
    acme: Organization,
    assert_accessible: AssertAccessible,
) -> None:
    now = timezone.now()
    owner = alice.memberships.get()
    members.invite(organization=acme, email="dora@example.com", role=Role.VIEWER, inviter=owner, now=now)
    keys.revoke(key=keys.issue(organization=acme, name="old", created_by=alice, now=now)[0], actor=alice, now=now)
    logged_in(alice)
    for path in ("settings/", "settings/members/", "settings/keys/", "settings/audit/"):
        page.goto(f"{live_server.url}/o/acme/{path}")
        expect(page.get_by_role("heading", name="Settings")).to_be_visible()
        assert_accessible(page)
    page.goto(f"{live_server.url}/o/acme/settings/members/")
    page.get_by_label("Role of bob@example.com", exact=True).select_option("admin")
    page.get_by_role("button", name="Change the role of bob@example.com").click()
    expect(page.get_by_text("bob@example.com is now admin.")).to_be_visible()
