"""Signing up and in, end to end through the client: verification, reset, second factors, sessions, limits."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from observability.tenants.accounts import MFAAdapter, register
from observability.tenants.models import Organization, User

pytestmark = pytest.mark.django_db
EMAIL, PASSWORD, OTHER = "dora@example.com", "correct horse battery", "another fine passphrase"


@pytest.fixture
def dora(acme: Organization) -> User:
    return register(email=EMAIL, password=PASSWORD)


@pytest.fixture
def sign_in(dora: User) -> Callable[[], Client]:
    def fresh() -> Client:
        client = Client()
        response = client.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
        assert response.status_code == 302, response.content.decode()
        return client

    return fresh


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def link_in_mail(pattern: str) -> str:
    found = re.search(r"https?://[^/]+(/\S+)", str(mail.outbox[-1].body))
    assert found
    assert pattern in found[1]
    return found[1]


def totp(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


def add_totp(client: Client) -> str:
    """Adds an authenticator app; its secret."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.get("/accounts/2fa/totp/activate/")
    secret: str = client.session["mfa.totp.secret"]
    response = client.post("/accounts/2fa/totp/activate/", {"code": totp(secret)})
    assert response.status_code == 302, response.content.decode()
    return secret


def test_sign_up_needs_an_open_door_and_a_verified_mailbox(settings: Settings, client: Client) -> None:
    typed = {"email": "New@Example.com", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", typed)
    assert not User.objects.exists()
    settings.SIGNUP_OPEN = True
    response = client.post("/accounts/signup/", typed)
    assert response.headers["Location"] == "/accounts/confirm-email/"
    assert not is_in(client)
    assert User.objects.get().email == "new@example.com"
    link = link_in_mail("/confirm-email/")
    assert Client().get(link).status_code == 200
    assert not EmailAddress.objects.get().verified
    Client().post(link)
    assert EmailAddress.objects.get().verified
    client.post("/accounts/login/", {"login": "NEW@example.com", "password": PASSWORD})
    assert is_in(client)


def test_sign_up_does_not_tell_who_has_an_account(settings: Settings, dora: User) -> None:
    settings.SIGNUP_OPEN = True
    answers = []
    for email in (EMAIL, "nobody@example.com"):
        response = Client().post("/accounts/signup/", {"email": email, "password1": PASSWORD, "password2": PASSWORD})
        answers.append((response.status_code, response.headers["Location"]))
        response = Client().post("/accounts/password/reset/", {"email": email})
        answers.append((response.status_code, response.headers["Location"]))
    assert answers[:2] == answers[2:]


def test_the_session_changes_its_key_at_log_in(dora: User) -> None:
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    assert before
    client.cookies["sessionid"] = before
    client.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
    assert is_in(client)
    assert client.session.session_key != before


def test_a_reset_password_works_and_ends_every_session(sign_in: Callable[[], Client]) -> None:
    elsewhere = sign_in()
    client = Client()
    client.post("/accounts/password/reset/", {"email": EMAIL})
    form = client.get(link_in_mail("/password/reset/key/")).headers["Location"]
    client.post(form, {"password1": OTHER, "password2": OTHER})
    assert not is_in(elsewhere)
    assert not is_in(client)
    client.post("/accounts/login/", {"login": EMAIL, "password": OTHER})
    assert is_in(client)


def test_a_changed_password_ends_the_other_sessions(sign_in: Callable[[], Client]) -> None:
    here, elsewhere = sign_in(), sign_in()
    assert is_in(elsewhere)
    here.post("/accounts/reauthenticate/", {"password": PASSWORD})
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER})
    assert is_in(here)
    assert not is_in(elsewhere)
    assert "changed" in mail.outbox[-1].subject.lower()


def test_other_sessions_are_listed_and_ended(sign_in: Callable[[], Client], dora: User) -> None:
    here, elsewhere = sign_in(), sign_in()
    assert is_in(elsewhere)
    assert here.get("/accounts/sessions/").status_code == 200
    assert UserSession.objects.filter(user=dora).count() == 2
    here.post("/accounts/sessions/")
    assert is_in(here)
    assert not is_in(elsewhere)


def test_guessing_a_password_locks_the_account_for_a_while(dora: User) -> None:
    client = Client()
    for _ in range(5):
        client.post("/accounts/login/", {"login": EMAIL, "password": "wrong"})
    response = client.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
    assert "Too many failed login attempts" in response.content.decode()
    assert not is_in(client)


def test_one_address_guesses_ten_times_a_minute() -> None:
    client = Client()
    answers = [
        client.post("/accounts/login/", {"login": f"{number}@example.com", "password": "wrong"}).content.decode()
        for number in range(11)
    ]
    assert "Too many" not in answers[9]
    assert "Too many" in answers[10]


def test_a_mailbox_gets_few_reset_mails(dora: User) -> None:
    for _ in range(10):
        Client().post("/accounts/password/reset/", {"email": EMAIL})
    assert len(mail.outbox) == 5


def test_a_one_time_code_works_one_time(sign_in: Callable[[], Client]) -> None:
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False) as clock:
        secret = add_totp(sign_in())
        clock.shift(60)
        code = totp(secret)
        first, second = sign_in(), sign_in()
        assert not is_in(first)
        first.post("/accounts/2fa/authenticate/", {"code": code})
        assert is_in(first)
        second.post("/accounts/2fa/authenticate/", {"code": code})
        assert not is_in(second)
        clock.shift(60)
        second.post("/accounts/2fa/authenticate/", {"code": totp(secret)})
        assert is_in(second)


def test_a_recovery_code_works_once(sign_in: Callable[[], Client]) -> None:
    client = sign_in()
    add_totp(client)
    stored = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)
    code = stored.wrap().get_unused_codes()[0]
    first, second = sign_in(), sign_in()
    first.post("/accounts/2fa/authenticate/", {"code": code})
    assert is_in(first)
    second.post("/accounts/2fa/authenticate/", {"code": code})
    assert not is_in(second)


def test_a_reset_password_does_not_get_around_the_second_factor(sign_in: Callable[[], Client]) -> None:
    add_totp(sign_in())
    client = Client()
    client.post("/accounts/password/reset/", {"email": EMAIL})
    form = client.get(link_in_mail("/password/reset/key/")).headers["Location"]
    client.post(form, {"password1": OTHER, "password2": OTHER})
    client.post("/accounts/login/", {"login": EMAIL, "password": OTHER})
    assert not is_in(client)
    assert client.get("/accounts/2fa/authenticate/").status_code == 200


def test_second_factors_are_sealed_at_rest(sign_in: Callable[[], Client]) -> None:
    client = sign_in()
    secret = add_totp(client)
    assert MFAAdapter().decrypt(MFAAdapter().encrypt(secret)) == secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        rows = str(cursor.fetchall())
    assert secret not in rows
    assert rows.count("gAAAA") == 2  # The app's secret and the seed of the recovery codes, as Fernet tokens.


def test_passkeys_are_offered(sign_in: Callable[[], Client]) -> None:
    assert "passkey" in Client().get("/accounts/login/").content.decode()
    client = sign_in()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/webauthn/add/").content.decode()
    assert '"challenge"' in page
    assert client.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).status_code == 200


def test_changing_how_one_signs_in_asks_for_the_password_again(sign_in: Callable[[], Client]) -> None:
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False) as clock:
        client = sign_in()
        clock.shift(600)
        for path in ("/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/"):
            assert "/accounts/reauthenticate/" in client.get(path).headers["Location"]


def test_being_seen_is_noted_once_a_minute(sign_in: Callable[[], Client]) -> None:
    with time_machine.travel("2026-11-23 12:00:00Z", tick=False) as clock:
        client = sign_in()
        with CaptureQueriesContext(connection) as queries:
            for _ in range(130):
                clock.shift(1)
                client.get("/account/")
        notes = [query for query in queries if query["sql"].startswith('UPDATE "usersessions_usersession"')]
        assert len(notes) == 3
        assert abs(UserSession.objects.get().last_seen_at - timezone.now()) < timedelta(minutes=1)
