"""Connecting an account: five steps in the browser, against an AWS that evaluates trust policies."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from demo.aws.server import PRINCIPAL, SimulatedAws
from observability.aws import needs, permissions, sessions, verification
from observability.aws.models import AwsAccount
from observability.aws.role import of_connection
from observability.tenants.models import Organization, User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)
ACCOUNT = "720155190031"
SLOW_MS = 20_000
"""For a page that comes while two cores do much else."""


@pytest.fixture
def connecting(
    page: Page,
    live_server: LiveServer,
    logged_in: LoggedIn,
    alice: User,
    simulated_aws: SimulatedAws,
    settings: Settings,
) -> Page:
    """The second step, of an account that has no role yet."""
    settings.AWS_PRINCIPAL = PRINCIPAL
    sessions.forget()
    logged_in(alice)
    page.goto(live_server.url + "/o/acme/aws/connect/")
    page.get_by_label("Name", exact=True).fill("production")
    page.get_by_label("AWS account ID").fill("7201-5519-0031")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Connect production")).to_be_visible()
    return page


def create_role(aws: SimulatedAws, *, trust: str = "") -> None:
    """What the owner of the account does with what the second step gives him."""
    role = of_connection(AwsAccount.objects.get(), principal=PRINCIPAL)
    iam = aws.account(ACCOUNT).client("iam", "us-east-1")
    iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=trust or role.trust())
    for name, text in role.policies().items():
        iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=text)


def look() -> None:
    """What the puller does every two seconds."""
    account = AwsAccount.objects.select_related("organization").get()
    if verification.verify(account=account, now=timezone.now()):
        permissions.probe(account=account, now=timezone.now())


def test_the_page_notices_the_role_by_itself(
    connecting: Page, simulated_aws: SimulatedAws, assert_accessible: AssertAccessible
) -> None:
    page = connecting
    simulated_aws.deny(ACCOUNT, "lambda:ListAliases")
    page.get_by_role("link", name="Watch the check").click()
    look()
    expect(page.get_by_text("waiting for the role")).to_be_visible()
    assert_accessible(page)
    create_role(simulated_aws)
    look()
    expect(page.get_by_text("Connected, permissions missing")).to_be_visible()
    expect(page.get_by_text("Without the external ID, AWS refuses: yes")).to_be_visible()
    wanted = len(needs.of(["base"]))
    expect(page.get_by_text(f"Permissions: {wanted - 1} of {wanted}")).to_be_visible()
    expect(page.get_by_text("lambda:ListAliases")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("heading", name="First data")).to_be_visible(timeout=SLOW_MS)
    assert_accessible(page)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("heading", name="Alerts are on")).to_be_visible()
    assert_accessible(page)


def test_a_role_that_anybody_could_use_is_flagged_until_it_is_mended(
    connecting: Page, simulated_aws: SimulatedAws, assert_accessible: AssertAccessible
) -> None:
    page = connecting
    role = of_connection(AwsAccount.objects.get(), principal=PRINCIPAL)
    open_to_all = re.sub(r',\s*"Condition": \{.*\}\s*\}\s*\}\s*\]', "}]", role.trust(), flags=re.DOTALL)
    create_role(simulated_aws, trust=open_to_all)
    look()
    page.get_by_role("link", name="Watch the check").click()
    expect(page.get_by_text("Unsafe", exact=True)).to_be_visible()
    expect(page.get_by_text("can be assumed without the external ID")).to_be_visible()
    assert_accessible(page)
    iam = simulated_aws.account(ACCOUNT).client("iam", "us-east-1")
    iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=role.trust())
    look()
    expect(page.get_by_text("Connected safely")).to_be_visible()


def test_every_step_is_accessible_and_every_way_can_be_copied(
    connecting: Page, live_server: LiveServer, acme: Organization, assert_accessible: AssertAccessible
) -> None:
    page = connecting
    assert_accessible(page)
    for way in ("Command", "Terraform", "JSON", "Many accounts", "Template"):
        page.get_by_role("link", name=way, exact=True).click()
        expect(page.get_by_role("link", name=way, exact=True)).to_have_attribute("aria-current", "page")
        if way == "JSON":
            assert_accessible(page)
    connection = AwsAccount.objects.get()
    with page.expect_download() as download:
        page.get_by_role("link", name="nightjar-role.yaml").click()
    assert connection.external_id in download.value.path().read_text()
    AwsAccount.objects.update(expires_at=timezone.now())
    page.get_by_role("link", name="Watch the check").click()
    expect(page.get_by_role("heading", name="This link has expired")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Start again").click()
    page.wait_for_url(re.compile(r"/role/$"))
    assert AwsAccount.objects.latest("pk").external_id != connection.external_id
    page.goto(live_server.url + "/o/acme/aws/connect/")
    assert_accessible(page)
