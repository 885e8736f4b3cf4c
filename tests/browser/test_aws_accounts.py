"""The pages about connected accounts in a browser: what is wrong, what a choice matches, and the end."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from ingest.collectors import COLLECTORS
from ingest.models import Collection, LogGroup
from observability.aws import needs, usage
from observability.aws.models import AwsAccount
from observability.aws.problems import Trouble
from observability.inventory.models import Resource
from observability.tenants.models import User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)

Status = AwsAccount.Status


@pytest.fixture
def account(checkout: Resource) -> AwsAccount:
    """An account with one denied permission, a region that is switched off, and one log group that is read."""
    now = timezone.now()
    denied, *rest = needs.of(["base"])
    found = AwsAccount.objects.create(
        organization=checkout.organization, name="production", account_id="123456789012",
        regions=["eu-west-1", "eu-south-1"], role_arn="arn:aws:iam::123456789012:role/nightjar", external_id="secret",
        tiers=["base"], status=Status.CONNECTED, created_at=now, connected_at=now, checked_at=now,
        permissions={need.action: "allowed" for need in rest} | {denied.action: "denied"},
    )  # fmt: skip
    for region, trouble in (("eu-west-1", ""), ("eu-south-1", Trouble.REGION_DISABLED)):
        for collector in COLLECTORS:
            Collection.objects.create(
                account=found, region=region, kind=collector.kind, due_at=now, trouble=trouble,
                failures=bool(trouble), succeeded_at=None if trouble else now,
            )  # fmt: skip
    read = now - timedelta(seconds=40)
    LogGroup.objects.create(
        account=found, resource=checkout, region="eu-west-1", name="/aws/lambda/checkout", due_at=now,
        read_until=read, swept_until=read,
    )  # fmt: skip
    usage.count(account=found.account_id, family="GetMetricData", metrics=500)
    return found


@pytest.fixture
def at(logged_in: LoggedIn, live_server: LiveServer, alice: User, account: AwsAccount) -> Page:
    """The accounts of Acme, as Alice sees them."""
    page = logged_in(alice)
    page.goto(live_server.url + "/o/acme/aws/")
    return page


def test_the_list_leads_to_what_is_wrong(at: Page) -> None:
    row = at.get_by_role("row", name=re.compile("production"))
    expect(row).to_contain_text("Permissions missing")
    expect(row).to_contain_text(re.compile(r"\d+s behind"))
    row.get_by_role("link", name=re.compile("production")).click()
    expect(at.get_by_role("heading", name="Update the role's stack")).to_be_visible()
    expect(at.get_by_text("This region is not enabled in the account.")).to_be_visible()
    at.get_by_role("link", name="eu-west-1").click()
    expect(at.get_by_role("link", name="/aws/lambda/checkout")).to_be_visible()


def test_a_check_can_be_asked_for(at: Page, account: AwsAccount, live_server: LiveServer) -> None:
    at.goto(f"{live_server.url}/o/acme/aws/{account.pk}/permissions/")
    at.get_by_role("button", name="Check now").click()
    expect(at.locator("#messages")).to_contain_text("tries its permissions now")


def test_a_choice_shows_what_it_matches_before_it_is_saved(
    at: Page, account: AwsAccount, live_server: LiveServer
) -> None:
    at.goto(f"{live_server.url}/o/acme/aws/{account.pk}/settings/")
    preview = at.locator("#preview")
    expect(preview).to_contain_text("1 of 1 functions are watched")
    at.get_by_label("Not these functions").fill("check*")
    expect(preview).to_contain_text("None of 1 functions is watched")
    at.get_by_role("button", name="Save").click()
    expect(at.locator("#messages")).to_contain_text("production is saved")
    account.refresh_from_db()
    assert account.selection["exclude"]["names"] == ["check*"]


def test_disconnecting_asks_first(at: Page, account: AwsAccount, live_server: LiveServer) -> None:
    at.goto(f"{live_server.url}/o/acme/aws/{account.pk}/settings/")
    at.get_by_role("button", name="Disconnect…").click()
    at.get_by_role("button", name="Disconnect this account").click()
    expect(at.locator("#messages")).to_contain_text("production is disconnected")
    account.refresh_from_db()
    assert account.status == Status.DISCONNECTED


@pytest.mark.parametrize("path", ["", "{pk}/", "{pk}/collection/", "{pk}/permissions/", "{pk}/settings/"])
def test_pages_are_accessible(
    at: Page, account: AwsAccount, live_server: LiveServer, assert_accessible: AssertAccessible, path: str
) -> None:
    at.goto(f"{live_server.url}/o/acme/aws/{path.format(pk=account.pk)}")
    at.wait_for_load_state("networkidle")
    assert_accessible(at)


@pytest.mark.parametrize(
    "values",
    [
        {"status": Status.NEEDS_ATTENTION, "trouble": Trouble.ROLE_GONE, "detail": "AccessDenied: no"},
        {"status": Status.NEEDS_ATTENTION, "trouble": Trouble.ACCOUNT_SUSPENDED},
        {"status": Status.UNSAFE, "trouble": Trouble.WITHOUT_ID},
        {"status": Status.DISCONNECTED, "disconnected_at": timezone.now()},
    ],
)
def test_trouble_is_accessible(
    at: Page,
    account: AwsAccount,
    live_server: LiveServer,
    assert_accessible: AssertAccessible,
    values: dict[str, object],
) -> None:
    AwsAccount.objects.update(**{"blind_since": timezone.now(), **values})
    at.goto(f"{live_server.url}/o/acme/aws/{account.pk}/")
    at.wait_for_load_state("networkidle")
    assert_accessible(at)
