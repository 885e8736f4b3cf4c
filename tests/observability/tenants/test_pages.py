"""The pages of people and organizations, as a browser sends them."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as configured
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from observability.tenants import keys, members
from observability.tenants.models import AuditEntry, IngestKey, Invitation, Membership, Organization, Role, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_first_run_makes_an_owner_once(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/setup/"
    assert client.get("/setup/").status_code == 200
    typed = {"organization": "Café Böhm", "email": "Me@Example.com", "password": PASSWORD}
    assert "too common" in client.post("/setup/", typed | {"password": "password123"}).content.decode()
    response = client.post("/setup/", typed)
    assert response.headers["Location"] == "/o/cafe-bohm/"
    assert client.get("/").headers["Location"] == "/o/cafe-bohm/"
    membership = Membership.objects.get()
    assert (membership.role, membership.user.email) == (Role.OWNER, "me@example.com")
    assert EmailAddress.objects.get(user=membership.user, verified=True, primary=True).email == "me@example.com"
    assert client.get("/setup/").status_code == 404
    assert client.post("/setup/", typed).status_code == 404
    assert Client().get("/").headers["Location"] == "/accounts/login/"


def test_home_leads_to_the_organization_used_last(alice: User, rival: Organization) -> None:
    Membership.objects.create(organization=rival, user=alice, role=Role.VIEWER)
    client = as_(alice)
    assert client.get("/").headers["Location"] == "/o/acme/"
    client.get("/o/rival/settings/")
    assert client.get("/").headers["Location"] == "/o/rival/"


def test_organizations_get_free_slugs(alice: User) -> None:
    client = as_(alice)
    for _ in range(2):
        client.post("/organizations/new/", {"name": "Acme"})
    client.post("/organizations/new/", {"name": "東京"})
    assert set(Organization.objects.values_list("slug", flat=True)) == {"acme", "acme-2", "acme-3", "organization"}


def test_a_closed_installation_lets_strangers_found_nothing(settings: Settings, acme: Organization) -> None:
    stranger = as_(User.objects.create_user(email="stranger@example.com"))
    assert stranger.get("/").headers["Location"] == "/organizations/new/"
    assert stranger.post("/organizations/new/", {"name": "Mine"}).status_code == 403
    settings.SIGNUP_OPEN = True
    assert stranger.post("/organizations/new/", {"name": "Mine"}).headers["Location"] == "/o/mine/"


def test_an_organization_is_renamed_and_deleted_by_its_owner(alice: User, bob: User, acme: Organization) -> None:
    owner, member = as_(alice), as_(bob)
    assert member.post("/o/acme/settings/rename/", {"name": "Bob's"}).status_code == 403
    owner.post("/o/acme/settings/rename/", {"name": "Acme Retail"})
    assert "Acme Retail" in member.get("/o/acme/settings/").content.decode()
    assert owner.post("/o/acme/settings/delete/", {"confirmation": "acme"}).status_code == 422
    owner.post("/o/acme/settings/delete/", {"confirmation": "Acme Retail"})
    assert owner.get("/o/acme/settings/").status_code == 404
    assert member.get("/").headers["Location"] == "/organizations/new/"
    assert list(AuditEntry.objects.order_by("number").values_list("action", flat=True)) == [
        "organization.renamed",
        "organization.deleted",
    ]


def test_a_new_key_is_shown_once(alice: User, acme: Organization) -> None:
    client = as_(alice)
    assert "No keys yet" in client.get("/o/acme/settings/keys/").content.decode()
    response = client.post("/o/acme/settings/keys/new/", {"name": "production"})
    found = re.search(r"njk_\w{12}_\w{49}", response.content.decode())
    assert found
    assert "no-store" in response.headers["Cache-Control"]
    assert isinstance(keys.verify(found[0], now=timezone.now()), keys.VerifiedKey)
    page = client.get("/o/acme/settings/keys/").content.decode()
    assert "production" in page
    assert found[0] not in page
    key = IngestKey.objects.get()
    client.post(f"/o/acme/settings/keys/{key.pk}/revoke/")
    assert keys.verify(found[0], now=timezone.now()) is keys.KeyRefused.REVOKED
    assert "Revoked keys" in client.get("/o/acme/settings/keys/").content.decode()


def invitation_link(alice: User, email: str) -> str:
    as_(alice).post("/o/acme/settings/members/invite/", {"email": email, "role": "viewer"})
    message = mail.outbox[-1]
    assert message.to == [email]
    found = re.search(r"https?://\S+/invitations/\S+", str(message.body))
    assert found
    return found[0].removeprefix(configured.PUBLIC_URL)


def test_an_invited_newcomer_signs_up_and_lands_on_the_overview(alice: User, acme: Organization) -> None:
    newcomer = Client()
    assert newcomer.get("/accounts/signup/").status_code == 200  # It says that sign-up is closed.
    assert "password1" not in newcomer.get("/accounts/signup/").content.decode()
    link = invitation_link(alice, "dora@example.com")
    assert "Create your account" in newcomer.get(link).content.decode()
    page = newcomer.get(f"/accounts/signup/?email=dora@example.com&next={link}").content.decode()
    assert "dora@example.com" in page
    typed = {"email": "mallory@example.com", "password1": PASSWORD, "password2": PASSWORD, "next": link}
    assert "The invitation is for dora@example.com" in newcomer.post("/accounts/signup/", typed).content.decode()
    response = newcomer.post("/accounts/signup/", typed | {"email": "Dora@Example.com"})
    assert response.headers["Location"] == link
    assert newcomer.post(link).headers["Location"] == "/o/acme/"
    assert Membership.objects.get(user__email="dora@example.com").role == Role.VIEWER
    assert newcomer.get("/o/acme/settings/").status_code == 200
    assert newcomer.get(link).status_code == 404


def test_an_invitation_is_not_for_whoever_is_signed_in(alice: User, charlie: User, acme: Organization) -> None:
    link = invitation_link(alice, "dora@example.com")
    intruder = as_(charlie)
    assert "Sign out, then follow" in intruder.get(link).content.decode()
    intruder.post(link)
    assert intruder.get("/o/acme/settings/").status_code == 404


def test_an_invitation_opens_sign_up_only_while_it_is_open(alice: User, acme: Organization) -> None:
    newcomer = Client()
    newcomer.get(invitation_link(alice, "dora@example.com"))
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    typed = {"email": "dora@example.com", "password1": PASSWORD, "password2": PASSWORD}
    newcomer.post("/accounts/signup/", typed)
    assert not User.objects.filter(email="dora@example.com").exists()


@pytest.mark.django_db(transaction=True)
def test_an_invitation_that_cannot_be_mailed_does_not_work(
    alice: User, monkeypatch: pytest.MonkeyPatch, acme: Organization
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        assert not connection.in_atomic_block, "a slow mail server would hold the organization's locks"
        raise ConnectionRefusedError

    monkeypatch.setattr("observability.tenants.views.members.send_mail", refuse)
    response = as_(alice).post("/o/acme/settings/members/invite/", {"email": "d@example.com", "role": "viewer"})
    assert response.status_code == 502
    assert "could not be sent" in response.content.decode()
    assert not Invitation.objects.get().is_open(timezone.now())
    assert [entry.action for entry in AuditEntry.objects.order_by("number")] == ["member.invited", "invitation.revoked"]


def test_removal_counts_from_the_next_request(alice: User, bob: User, acme: Organization) -> None:
    member = as_(bob)
    assert member.get("/o/acme/settings/").status_code == 200
    as_(alice).post(f"/o/acme/settings/members/{bob.memberships.get().pk}/remove/")
    assert member.get("/o/acme/settings/").status_code == 404


def test_members_change_and_leave(alice: User, bob: User, acme: Organization) -> None:
    owner, member = as_(alice), as_(bob)
    url = f"/o/acme/settings/members/{bob.memberships.get().pk}/role/"
    assert member.post(url, {"role": "owner"}).status_code == 403
    owner.post(url, {"role": "admin"})
    assert bob.memberships.get().role == Role.ADMIN
    owner.post(url, {"role": "emperor"})
    assert bob.memberships.get().role == Role.ADMIN
    owner.post("/o/acme/settings/members/leave/")
    assert alice.memberships.exists()
    assert member.post("/o/acme/settings/members/leave/").headers["Location"] == "/"
    assert not bob.memberships.exists()


def test_an_open_invitation_is_withdrawn(alice: User, acme: Organization) -> None:
    link = invitation_link(alice, "dora@example.com")
    owner = as_(alice)
    assert "dora@example.com" in owner.get("/o/acme/settings/members/").content.decode()
    owner.post(f"/o/acme/settings/invitations/{Invitation.objects.get().pk}/revoke/")
    assert Client().get(link).status_code == 404


def test_the_audit_log_is_filtered_and_paged(alice: User, acme: Organization) -> None:
    for number in range(60):
        keys.issue(organization=acme, name=f"key {number}", created_by=alice, now=timezone.now())
    members.invite(
        organization=acme,
        email="d@example.com",
        role=Role.MEMBER,
        inviter=alice.memberships.get(),
        now=timezone.now(),
    )
    client = as_(alice)
    first = client.get("/o/acme/settings/audit/").content.decode()
    assert "key 59 (" in first
    assert "key 5 (" not in first
    older = re.search(r'href="(\?before=\d+)"', first)
    assert older
    assert "key 5 (" in client.get("/o/acme/settings/audit/" + older[1]).content.decode()
    filtered = client.get("/o/acme/settings/audit/?action=member.invited&actor=alice@example.com").content.decode()
    assert "d@example.com" in filtered
    assert "key 59 (" not in filtered
    for query in ("?actor=nobody", "?actor=%00", "?before=abc", "?before=99999999999999999999"):
        assert client.get("/o/acme/settings/audit/" + query).status_code == 200


def test_a_person_names_themselves(alice: User) -> None:
    client = as_(alice)
    client.post("/account/", {"name": "Alice A."})
    assert "Alice A." in client.get("/account/").content.decode()


def test_the_address_of_a_form_has_a_page(alice: User, acme: Organization) -> None:
    response = as_(alice).get("/o/acme/settings/keys/new/")
    assert response.status_code == 405
    assert "Nothing was changed" in response.content.decode()
