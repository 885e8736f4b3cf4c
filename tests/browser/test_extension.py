"""Installing the extension: a key and its texts, and the check that turns green by itself."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from observability.inventory.models import Resource
from observability.tenants.models import User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_key_is_made_the_text_copied_and_the_page_notices_the_first_telemetry(
    live_server: LiveServer, logged_in: LoggedIn, alice: User, checkout: Resource, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/functions/{checkout.pk}/")
    page.get_by_role("link", name="Install the extension").click()
    expect(page.get_by_text("waiting for telemetry")).to_be_visible()
    page.get_by_role("button", name="Create a key").click()
    token = page.get_by_label("The key", exact=True).input_value()
    page.get_by_text("Terraform", exact=True).press("Enter")
    expect(page.get_by_role("region", name="Command").filter(visible=True)).to_have_text(
        f"TF_VAR_nightjar_key={token} terraform apply"
    )
    assert_accessible(page)
    Resource.objects.update(pushed_at=timezone.now())
    expect(page.get_by_text("checkout sent something")).to_be_visible()
    expect(page.get_by_text("waiting for telemetry")).not_to_be_visible()
    assert page.get_by_label("The key", exact=True).input_value() == token
    assert_accessible(page)
