"""Who belongs to the organization, and who is invited."""

import logging
from dataclasses import dataclass

from anymail.exceptions import AnymailError
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from observability.tenants import members
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.forms import InviteForm, RoleForm
from observability.tenants.models import Invitation, Membership, Role
from observability.tenants.views.tabs import settings_page

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A member as the reader may see and change them."""

    membership: Membership
    is_me: bool
    may_change: bool


@require_GET
def show(request: MemberRequest) -> HttpResponse:
    return _page(request, InviteForm(inviter=request.membership))


@require_POST
@role_required(Role.ADMIN)
def invite(request: MemberRequest) -> HttpResponse:
    form = InviteForm(request.POST, inviter=request.membership)
    if not form.is_valid():
        return _page(request, form, status=422)
    email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
    now = timezone.now()
    try:
        invitation, token = members.invite(
            organization=request.organization, email=email, role=role, inviter=request.membership, now=now
        )
    except members.RefusedError as refusal:
        form.add_error("email", str(refusal))
        return _page(request, form, status=422)
    try:
        _send(invitation, token)  # Outside of the transaction: a slow mail server must not hold the locks.
    except (OSError, AnymailError):
        logger.exception("invitation.not_sent")
        members.revoke_invitation(invitation=invitation, actor=request.membership, now=now)
        form.add_error("email", "The invitation could not be sent. Check EMAIL_URL on the server, then try again.")
        return _page(request, form, status=502)
    messages.success(request, f"{invitation.email} is invited as {role.label.lower()}.")
    return _back(request)


@require_POST
@role_required(Role.ADMIN)
def revoke(request: MemberRequest, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, organization=request.organization, pk=invitation_id)
    try:
        members.revoke_invitation(invitation=invitation, actor=request.membership, now=timezone.now())
        messages.success(request, f"The invitation for {invitation.email} no longer works.")
    except members.RefusedError as refusal:
        messages.error(request, str(refusal))
    return _back(request)


@require_POST
@role_required(Role.ADMIN)
def change_role(request: MemberRequest, membership_id: int) -> HttpResponse:
    membership = _membership(request, membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the roles.")
        return _back(request)
    role = Role(form.cleaned_data["role"])
    try:
        members.change_role(membership=membership, role=role, actor=request.membership, now=timezone.now())
        messages.success(request, f"{membership.user} is now {role.label.lower()}.")
    except members.RefusedError as refusal:
        messages.error(request, str(refusal))
    return _back(request)


@require_POST
@role_required(Role.ADMIN)
def remove(request: MemberRequest, membership_id: int) -> HttpResponse:
    membership = _membership(request, membership_id)
    if membership.pk == request.membership.pk:
        return leave(request)
    try:
        members.remove(membership=membership, actor=request.membership, now=timezone.now())
        messages.success(request, f"{membership.user} is no longer a member.")
    except members.RefusedError as refusal:
        messages.error(request, str(refusal))
    return _back(request)


@require_POST
def leave(request: MemberRequest) -> HttpResponse:
    try:
        members.remove(membership=request.membership, actor=request.membership, now=timezone.now())
    except members.RefusedError as refusal:
        messages.error(request, str(refusal))
        return _back(request)
    messages.success(request, f"You have left {request.organization.name}.")
    return redirect("tenants:home")


def _membership(request: MemberRequest, membership_id: int) -> Membership:
    mine = Membership.objects.select_related("user", "organization").filter(organization=request.organization)
    return get_object_or_404(mine, pk=membership_id)


def _page(request: MemberRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    mine = Membership.objects.filter(organization=request.organization).select_related("user").order_by("created_at")
    roles = members.grantable(request.membership)
    open_invitations = Invitation.objects.filter(
        organization=request.organization, accepted_at=None, revoked_at=None, expires_at__gt=now
    )
    context = settings_page(request, "members", "Members") | {
        "rows": [Row(m, m.pk == request.membership.pk, Role(m.role) in roles) for m in mine],
        "roles": roles,
        "invitations": open_invitations.select_related("invited_by").order_by("-created_at"),
        "form": form,
        "now": now,
    }
    return render(request, "tenants/members.html", context, status=status)


def _back(request: MemberRequest) -> HttpResponse:
    return redirect("tenants:members", organization=request.organization.slug)


def _send(invitation: Invitation, token: str) -> None:
    context = {
        "invitation": invitation,
        "url": settings.PUBLIC_URL + reverse("tenants:invitation", args=[token]),
        "days": members.VALID_FOR.days,
    }
    subject = " ".join(f"Join {invitation.organization.name} on Nightjar".split())
    send_mail(subject, render_to_string("tenants/invitation.txt", context), None, [invitation.email])
