"""Signing in, second factors, passkeys, sessions: django-allauth's pages in our look, its scripts under our policy."""

import re
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from observability.tenants.accounts import register
from observability.tenants.models import User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"
EMAIL = "dana@example.com"
VISITOR_PAGES = (
    "login/",
    "signup/",
    "password/reset/",
    "password/reset/done/",
    "confirm-email/",
    "confirm-email/wrong/",
)
ACCOUNT_PAGES = (
    "email/",
    "password/change/",
    "2fa/",
    "2fa/totp/activate/",
    "2fa/webauthn/",
    "2fa/webauthn/add/",
    "sessions/",
    "logout/",
    "reauthenticate/",
)
SECOND_FACTOR_PAGES = ("2fa/", "2fa/recovery-codes/", "2fa/recovery-codes/generate/", "2fa/totp/deactivate/")


@pytest.fixture
def dana(db: None) -> User:
    """Somebody who may sign in: her address is verified."""
    return register(email=EMAIL, password=PASSWORD)


@pytest.fixture
def _authenticator(page: Page) -> Iterator[None]:
    """A passkey device in the browser, which agrees to everything."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield
    device.detach()


def sign_in(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url + "/accounts/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def code(secret: str) -> str:
    shown: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return shown


class TestVisitor:
    @pytest.mark.parametrize(
        "path",
        ["login/", "signup/", "password/reset/", "password/reset/done/", "confirm-email/", "confirm-email/wrong/"],
    )
    def test_reads_accessible_pages(
        self,
        page: Page,
        live_server: LiveServer,
        settings: Settings,
        assert_accessible: AssertAccessible,
        path: str,
    ) -> None:
        settings.SIGNUP_OPEN = True
        page.goto(f"{live_server.url}/accounts/{path}")
        assert_accessible(page)

    def test_is_told_that_sign_up_is_closed(
        self, page: Page, live_server: LiveServer, dana: User, assert_accessible: AssertAccessible
    ) -> None:
        page.goto(live_server.url + "/accounts/signup/")
        expect(page.get_by_role("heading", name="Sign-up is closed")).to_be_visible()
        assert_accessible(page)

    def test_sees_what_was_wrong_with_a_log_in(
        self, page: Page, live_server: LiveServer, dana: User, assert_accessible: AssertAccessible
    ) -> None:
        page.goto(live_server.url + "/accounts/login/")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill("not my password")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert_accessible(page)

    def test_gets_a_page_of_ours_for_a_wrong_address(
        self, page: Page, live_server: LiveServer, assert_accessible: AssertAccessible
    ) -> None:
        page.goto(live_server.url + "/no-such-page/")
        expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
        assert_accessible(page)


class TestAccountPages:
    def test_are_accessible(
        self, page: Page, live_server: LiveServer, logged_in: LoggedIn, dana: User, assert_accessible: AssertAccessible
    ) -> None:
        logged_in(dana)
        for path in ACCOUNT_PAGES:
            page.goto(f"{live_server.url}/accounts/{path}")
            expect(page).to_have_url(f"{live_server.url}/accounts/{path}")
            assert_accessible(page)

    def test_of_a_second_factor_are_accessible(
        self, page: Page, live_server: LiveServer, logged_in: LoggedIn, dana: User, assert_accessible: AssertAccessible
    ) -> None:
        TOTP.activate(dana, generate_totp_secret())
        RecoveryCodes.activate(dana)
        logged_in(dana)
        for path in SECOND_FACTOR_PAGES:
            page.goto(f"{live_server.url}/accounts/{path}")
            expect(page).to_have_url(f"{live_server.url}/accounts/{path}")
            assert_accessible(page)


class TestSecondFactor:
    def test_is_set_up_and_then_asked_for(
        self, page: Page, live_server: LiveServer, logged_in: LoggedIn, dana: User, assert_accessible: AssertAccessible
    ) -> None:
        logged_in(dana).goto(live_server.url + "/accounts/2fa/")
        page.get_by_role("link", name="Set up").click()
        secret = page.get_by_label("Authenticator secret").input_value()
        page.get_by_label("Authenticator code").fill(code(secret))
        page.get_by_role("button", name="Activate").click()
        expect(page.get_by_role("heading", name="Recovery Codes")).to_be_visible()
        page.context.clear_cookies()
        sign_in(page, live_server)
        expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
        assert_accessible(page)
        recovery = RecoveryCodes(Authenticator.objects.get(user=dana, type="recovery_codes")).get_unused_codes()[0]
        page.get_by_label("Code").fill(recovery)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page).not_to_have_url(re.compile("/accounts/"))

    @pytest.mark.usefixtures("_authenticator")
    def test_can_be_a_passkey_that_signs_in_alone(
        self, page: Page, live_server: LiveServer, logged_in: LoggedIn, dana: User, assert_accessible: AssertAccessible
    ) -> None:
        logged_in(dana).goto(live_server.url + "/accounts/2fa/webauthn/add/")
        page.get_by_label("Name").fill("laptop")
        page.get_by_label("Passwordless").check()
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("heading", name="Recovery Codes")).to_be_visible()
        page.goto(live_server.url + "/accounts/2fa/webauthn/")
        expect(page.get_by_role("cell", name="laptop")).to_be_visible()
        assert_accessible(page)
        page.context.clear_cookies()
        page.goto(live_server.url + "/accounts/login/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page).not_to_have_url(re.compile("/accounts/"))


class TestSessions:
    def test_of_other_browsers_are_ended(
        self, page: Page, live_server: LiveServer, logged_in: LoggedIn, dana: User
    ) -> None:
        for _ in range(2):
            logged_in(dana).goto(live_server.url + "/accounts/sessions/")
        expect(page.get_by_role("row")).to_have_count(3)
        page.get_by_role("button", name="Sign out the others").click()
        page.goto(live_server.url + "/accounts/sessions/")
        expect(page.get_by_role("row")).to_have_count(2)
