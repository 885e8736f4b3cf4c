"""Invitations and roles: nobody gets more than they were given."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress

from observability.tenants import members
from observability.tenants.models import AuditEntry, Invitation, Membership, Organization, Role, User

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def verified(email: str) -> User:
    user = User.objects.create_user(email=email, password=None)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def join(organization: Organization, email: str, role: Role) -> Membership:
    return Membership.objects.create(organization=organization, user=verified(email), role=role)


@pytest.fixture
def owner(acme: Organization) -> Membership:
    return join(acme, "owner@example.com", Role.OWNER)


@pytest.fixture
def admin(acme: Organization) -> Membership:
    return join(acme, "admin@example.com", Role.ADMIN)


def invite(inviter: Membership, email: str = "dora@example.com", role: Role = Role.MEMBER, now: datetime = NOW) -> str:
    return members.invite(organization=inviter.organization, email=email, role=role, inviter=inviter, now=now)[1]


def test_an_invitation_works_once_for_its_mailbox(admin: Membership) -> None:
    token = invite(admin, "Dora@Example.com")
    assert len(token) >= 43
    assert token not in str(Invitation.objects.values())
    stranger, dora = verified("stranger@example.com"), verified("dora@example.com")
    with pytest.raises(members.RefusedError, match="is for dora"):
        members.accept(token=token, user=stranger, now=NOW)
    membership = members.accept(token=token, user=dora, now=NOW)
    assert membership.role == Role.MEMBER
    with pytest.raises(members.RefusedError, match="used already"):
        members.accept(token=token, user=dora, now=NOW)


def test_an_unverified_mailbox_does_not_count(admin: Membership) -> None:
    token = invite(admin)
    dora = User.objects.create_user(email="dora@example.com")
    EmailAddress.objects.create(user=dora, email="dora@example.com", verified=False, primary=True)
    with pytest.raises(members.RefusedError, match="is for dora"):
        members.accept(token=token, user=dora, now=NOW)


def test_an_invitation_ends(admin: Membership) -> None:
    dora = verified("dora@example.com")
    token = invite(admin)
    with pytest.raises(members.RefusedError):
        members.accept(token=token, user=dora, now=NOW + timedelta(days=7))
    newer = invite(admin)
    with pytest.raises(members.RefusedError):
        members.accept(token=token, user=dora, now=NOW)
    members.revoke_invitation(invitation=Invitation.objects.get(revoked_at=None), actor=admin, now=NOW)
    with pytest.raises(members.RefusedError):
        members.accept(token=newer, user=dora, now=NOW)
    last = invite(admin)
    Organization.objects.update(archived_at=NOW)
    with pytest.raises(members.RefusedError):
        members.accept(token=last, user=dora, now=NOW)
    assert not Membership.objects.filter(user=dora).exists()


def test_members_are_not_invited_and_mailboxes_not_flooded(admin: Membership, rival: Organization) -> None:
    with pytest.raises(members.RefusedError, match="member already"):
        invite(admin, "ADMIN@example.com")
    elsewhere = join(rival, "rival@example.com", Role.ADMIN)
    for inviter in (admin, elsewhere, admin, elsewhere, admin):
        invite(inviter)
    with pytest.raises(members.RefusedError, match="mailbox"):
        invite(elsewhere)
    for number in range(17):
        invite(admin, f"{number}@example.com")
    with pytest.raises(members.RefusedError, match="enough"):
        invite(admin, "more@example.com")
    invite(admin, "more@example.com", now=NOW + timedelta(hours=1))


def test_admins_cannot_touch_owners(owner: Membership, admin: Membership) -> None:
    with pytest.raises(members.RefusedError):
        invite(admin, role=Role.OWNER)
    with pytest.raises(members.RefusedError):
        members.change_role(membership=owner, role=Role.VIEWER, actor=admin, now=NOW)
    with pytest.raises(members.RefusedError):
        members.change_role(membership=admin, role=Role.OWNER, actor=admin, now=NOW)
    with pytest.raises(members.RefusedError):
        members.remove(membership=owner, actor=admin, now=NOW)
    invite(owner, role=Role.OWNER)
    with pytest.raises(members.RefusedError):
        members.revoke_invitation(invitation=Invitation.objects.get(), actor=admin, now=NOW)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_weaker_members_grant_nothing(acme: Organization, owner: Membership, role: Role) -> None:
    weak = join(acme, "weak@example.com", role)
    assert members.grantable(weak) == []
    with pytest.raises(members.RefusedError):
        members.remove(membership=owner, actor=weak, now=NOW)


def test_the_last_owner_stays(owner: Membership, admin: Membership) -> None:
    with pytest.raises(members.RefusedError, match="needs an owner"):
        members.remove(membership=owner, actor=owner, now=NOW)
    with pytest.raises(members.RefusedError, match="needs an owner"):
        members.change_role(membership=owner, role=Role.ADMIN, actor=owner, now=NOW)
    members.change_role(membership=admin, role=Role.OWNER, actor=owner, now=NOW)
    members.remove(membership=owner, actor=owner, now=NOW)
    assert list(Membership.objects.values_list("role", flat=True)) == [Role.OWNER]
    assert list(AuditEntry.objects.order_by("number").values_list("action", flat=True)) == [
        "member.role_changed",
        "member.left",
    ]


def test_who_is_gone_cannot_be_changed_and_changes_nobody(owner: Membership, acme: Organization) -> None:
    other, third = join(acme, "other@example.com", Role.OWNER), join(acme, "third@example.com", Role.OWNER)
    late = Membership.objects.get(pk=other.pk)
    members.remove(membership=other, actor=owner, now=NOW)
    with pytest.raises(members.RefusedError, match="no longer a member"):
        members.remove(membership=late, actor=owner, now=NOW)
    with pytest.raises(members.RefusedError, match="no longer a member"):
        members.change_role(membership=third, role=Role.VIEWER, actor=late, now=NOW)


def test_who_was_demoted_meanwhile_removes_nobody(owner: Membership, acme: Organization) -> None:
    other, third = join(acme, "other@example.com", Role.OWNER), join(acme, "third@example.com", Role.MEMBER)
    late = Membership.objects.get(pk=other.pk)
    members.change_role(membership=other, role=Role.VIEWER, actor=owner, now=NOW)
    with pytest.raises(members.RefusedError):
        members.remove(membership=third, actor=late, now=NOW)
