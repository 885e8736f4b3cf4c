"""Who belongs to an organization: invite, accept, change roles, remove, leave.

Membership is looked up on every request, so all of it takes effect at once.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from allauth.account.models import EmailAddress
from django.db import transaction

from observability.tenants import audit
from observability.tenants.models import Invitation, Membership, Organization, Role, User

VALID_FOR = timedelta(days=7)
QUOTA_WINDOW = timedelta(hours=1)
QUOTA_PER_MAILBOX = 5
QUOTA_PER_ORGANIZATION = 20


class RefusedError(Exception):
    """The change breaks a rule of the organization; the text is for the person who asked."""


def invite(
    *, organization: Organization, email: str, role: Role, inviter: Membership, now: datetime
) -> tuple[Invitation, str]:
    """An invitation and its token, which only the mailbox may see. An older open one for the mailbox ends.

    Raises ``RefusedError``.
    """
    email = email.lower()
    _require_may_grant(inviter, role)
    with transaction.atomic():
        _lock(organization)
        if Membership.objects.filter(organization=organization, user__email__iexact=email).exists():
            raise RefusedError(f"{email} is a member already.")
        _require_quota(organization, email, now)
        open_ones = Invitation.objects.filter(organization=organization, email__iexact=email, accepted_at=None)
        open_ones.filter(revoked_at=None).update(revoked_at=now)
        token = secrets.token_urlsafe(32)
        invitation = Invitation.objects.create(
            organization=organization,
            email=email,
            role=role,
            token_hash=_hash(token),
            invited_by=inviter.user,
            created_at=now,
            expires_at=now + VALID_FOR,
        )
        _record(organization, inviter.user, "member.invited", email, {"role": role.value}, now)
    return invitation, token


def find_invitation(*, token: str, now: datetime) -> Invitation | None:
    """The open invitation of this token."""
    invitation = (
        Invitation.objects.select_related("organization", "invited_by")
        .filter(token_hash=_hash(token), organization__archived_at=None)
        .first()
    )
    return invitation if invitation is not None and invitation.is_open(now) else None


def revoke_invitation(*, invitation: Invitation, actor: Membership, now: datetime) -> None:
    """Raises ``RefusedError`` when it is not open any more."""
    _require_may_grant(actor, Role(invitation.role))
    with transaction.atomic():
        mine = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
        if not mine.update(revoked_at=now):
            raise RefusedError("That invitation is no longer open.")
        _record(invitation.organization, actor.user, "invitation.revoked", invitation.email, {}, now)


def accept(*, token: str, user: User, now: datetime) -> Membership:
    """Make ``user`` a member; works once, and only for the verified owner of the invited mailbox.

    Raises ``RefusedError``.
    """
    with transaction.atomic():
        Invitation.objects.select_for_update().filter(token_hash=_hash(token)).first()
        invitation = find_invitation(token=token, now=now)
        if invitation is None:
            raise RefusedError("This invitation has expired or was used already.")
        if not owns_mailbox(user=user, email=invitation.email):
            raise RefusedError(f"This invitation is for {invitation.email}.")
        membership, _ = Membership.objects.get_or_create(
            organization=invitation.organization, user=user, defaults={"role": invitation.role}
        )
        invitation.accepted_at = now
        invitation.save(update_fields=["accepted_at"])
        _record(invitation.organization, user, "member.joined", user.email, {"role": membership.role}, now)
    return membership


def owns_mailbox(*, user: User, email: str) -> bool:
    return bool(EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists())


def change_role(*, membership: Membership, role: Role, actor: Membership, now: datetime) -> None:
    """Raises ``RefusedError``."""
    with transaction.atomic():
        _lock(membership.organization)
        _refresh(membership, actor)
        old = Role(membership.role)
        if old == role:
            return
        _require_may_grant(actor, old)
        _require_may_grant(actor, role)
        _require_another_owner(membership)
        membership.role = role
        membership.save(update_fields=["role"])
        detail = {"from": old.value, "to": role.value}
        _record(membership.organization, actor.user, "member.role_changed", membership.user.email, detail, now)


def remove(*, membership: Membership, actor: Membership, now: datetime) -> None:
    """End somebody's membership, or one's own. Raises ``RefusedError``."""
    with transaction.atomic():
        _lock(membership.organization)
        _refresh(membership, actor)
        own = membership.pk == actor.pk
        if not own:
            _require_may_grant(actor, Role(membership.role))
        _require_another_owner(membership)
        action = "member.left" if own else "member.removed"
        membership.delete()
        _record(membership.organization, actor.user, action, membership.user.email, {"role": membership.role}, now)


def grantable(actor: Membership) -> list[Role]:
    """The roles that ``actor`` may give and take."""
    return [role for role in Role if actor.may(Role.ADMIN) and actor.may(role)]


def _require_may_grant(actor: Membership, role: Role) -> None:
    if role not in grantable(actor):
        raise RefusedError("Only an owner can do that to an owner.")


def _require_another_owner(membership: Membership) -> None:
    owners = Membership.objects.filter(organization=membership.organization, role=Role.OWNER)
    if membership.role == Role.OWNER and not owners.exclude(pk=membership.pk).exists():
        raise RefusedError("An organization needs an owner. Make somebody else an owner first.")


def _require_quota(organization: Organization, email: str, now: datetime) -> None:
    """Nobody may use us to flood a mailbox: counted over all organizations per mailbox."""
    recent = Invitation.objects.filter(created_at__gt=now - QUOTA_WINDOW)
    if recent.filter(email__iexact=email).count() >= QUOTA_PER_MAILBOX:
        raise RefusedError("That mailbox got enough invitations for now. Try again in an hour.")
    if recent.filter(organization=organization).count() >= QUOTA_PER_ORGANIZATION:
        raise RefusedError("That is enough invitations for now. Try again in an hour.")


def _lock(organization: Organization) -> None:
    """One change of members at a time, so that two owners cannot demote each other at once."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _refresh(*memberships: Membership) -> None:
    """What somebody else changed while these waited for the lock; raises ``RefusedError`` when one is gone.

    They are locked, so that whoever gives a member work meanwhile comes either before the change or after it.
    """
    locked = Membership.objects.select_for_update(no_key=True)
    for membership in memberships:
        try:
            membership.refresh_from_db(fields=["role"], from_queryset=locked)
        except Membership.DoesNotExist:
            raise RefusedError("That person is no longer a member.") from None


def _record(
    organization: Organization, actor: User, action: str, target: str, detail: dict[str, str], now: datetime
) -> None:
    audit.record(organization=organization, actor=actor, action=action, target=target, detail=detail, now=now)


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
