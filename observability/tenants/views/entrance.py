"""The ways in: home, the first run, a new organization, an invitation."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from observability.tenants import accounts, members, organizations
from observability.tenants.forms import AccountForm, NameForm, SetupForm
from observability.tenants.middleware import LAST_USED
from observability.tenants.models import Invitation, Organization, User


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Wherever this person belongs right now."""
    if not isinstance(request.user, User):
        return redirect("tenants:setup" if organizations.is_first_run() else "account_login")
    mine = [membership.organization for membership in organizations.active_of(request.user)]
    if not mine:
        return redirect("tenants:organization_new")
    last = [organization for organization in mine if organization.slug == request.session.get(LAST_USED)]
    return redirect(_overview((last or mine)[0]))


@never_cache
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """The first person makes themselves the owner; afterwards this page does not exist."""
    if not organizations.is_first_run():
        raise Http404
    form = SetupForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "tenants/setup.html", {"title": "Set up", "form": form})
    typed = form.cleaned_data
    try:
        user, organization = organizations.first_run(
            email=typed["email"], password=typed["password"], name=typed["organization"], now=timezone.now()
        )
    except organizations.FirstRunOverError:
        raise Http404 from None
    login(request, user)
    return redirect(_overview(organization))


@login_required
@require_http_methods(["GET", "POST"])
def organization_new(request: HttpRequest) -> HttpResponse:
    """Everybody who may sign up may found an organization; the others need an invitation into one."""
    user = _user(request)
    if not may_found(user):
        return render(request, "tenants/no_organization.html", {"title": "No organization"}, status=403)
    form = NameForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "tenants/organization_new.html", {"title": "New organization", "form": form})
    organization = organizations.create(name=form.cleaned_data["name"], owner=user, now=timezone.now())
    return redirect(_overview(organization))


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the invitation's mail: log in or sign up, then accept."""
    found = members.find_invitation(token=token, now=timezone.now())
    if found is None:
        return render(request, "tenants/invitation_over.html", {"title": "Invitation"}, status=404)
    if not isinstance(request.user, User):
        return _enter(request, found)
    if request.method == "POST":
        return _accept(request, request.user, token)
    context = {
        "title": "Invitation",
        "invitation": found,
        "fits": members.owns_mailbox(user=request.user, email=found.email),
    }
    return render(request, "tenants/invitation.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    form = AccountForm(request.POST if request.method == "POST" else None, initial={"name": user.name})
    if request.method == "POST" and form.is_valid():
        User.objects.filter(pk=user.pk).update(name=form.cleaned_data["name"])
        messages.success(request, "Your name is saved.")
        return redirect("tenants:account")
    return render(request, "tenants/account.html", {"title": "Your account", "form": form})


def may_found(user: User) -> bool:
    """On a closed installation only people who own or belong to an organization may make more of them."""
    return accounts.signup_is_open() or bool(organizations.active_of(user))


def _enter(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Remember the invitation in this browser; the mailbox it went to is thereby verified."""
    request.session[accounts.INVITED_BY] = found.pk
    get_adapter().stash_verified_email(request, found.email)
    context = {
        "title": "Invitation",
        "invitation": found,
        "known": User.objects.filter(email__iexact=found.email).exists(),
        "next": request.path,
    }
    return render(request, "tenants/invitation_enter.html", context)


def _accept(request: HttpRequest, user: User, token: str) -> HttpResponse:
    try:
        membership = members.accept(token=token, user=user, now=timezone.now())
    except members.RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect(request.path)
    request.session.pop(accounts.INVITED_BY, None)
    messages.success(request, f"Welcome to {membership.organization.name}.")
    return redirect(_overview(membership.organization))


def _overview(organization: Organization) -> str:
    return reverse("dashboards:overview", kwargs={"organization": organization.slug})


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
