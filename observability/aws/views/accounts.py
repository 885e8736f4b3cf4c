"""The connected accounts: all of them, and of each its health, its permissions and its settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from redis.exceptions import RedisError

from observability.aws import connecting, usage
from observability.aws.account_form import AccountForm, initial
from observability.aws.models import AwsAccount, Tier
from observability.aws.standing import ALLOWED, Standing, grants, standing
from observability.aws.views.account_page import account_page
from observability.aws.views.steps import mine
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role

DAYS = 7
ENDED = 20
"""How many disconnected ones are shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """One account in the list; ``today`` is None when Redis could not be asked."""

    account: AwsAccount
    standing: Standing
    today: usage.Usage | None


@require_GET
def accounts(request: MemberRequest) -> HttpResponse:
    now, every = timezone.now(), request.organization.aws_accounts
    ended = every.exclude(disconnected_at=None).order_by("-disconnected_at")[:ENDED]
    context = {
        "title": "AWS accounts",
        "nav": "aws",
        "rows": rows(every.filter(disconnected_at=None).order_by("name", "pk"), now),
        "ended": ended,
        "is_admin": request.membership.may(Role.ADMIN),
    }
    return render(request, "aws/accounts.html", context)


def rows(found: Iterable[AwsAccount], now: datetime) -> list[Row]:
    listed = []
    for account in found:
        days = calls(account, now, days=1)
        listed.append(Row(account, standing(account, now), days[-1] if days else None))
    return listed


def calls(account: AwsAccount, now: datetime, *, days: int) -> list[usage.Usage]:
    """What was asked of AWS, day by day; empty when nobody can tell."""
    try:
        return usage.of_account(account.account_id, days=days, now=now)
    except RedisError:
        return []


@require_GET
def account(request: MemberRequest, connection_id: int) -> HttpResponse:
    found, now = mine(request, connection_id), timezone.now()
    days = calls(found, now, days=DAYS)
    context = account_page(request, found, "health", now) | {
        "days": days,
        "calls": [day.total for day in days],
        "today": days[-1] if days else None,
        "tiers": [tier.label for tier in Tier if tier in found.tiers or tier == Tier.BASE],
    }
    return render(request, "aws/account.html", context)


@require_GET
def account_standing(request: MemberRequest, connection_id: int) -> HttpResponse:
    """A fragment of every page about the account, which the page asks for again and again."""
    found = mine(request, connection_id)
    context = account_page(request, found, "", timezone.now()) | {"polled": True}
    return render(request, "aws/account_standing.html", context)


@require_GET
def permissions(request: MemberRequest, connection_id: int) -> HttpResponse:
    found = mine(request, connection_id)
    listed = grants(found)
    context = account_page(request, found, "permissions", timezone.now()) | {
        "grants": listed,
        "allowed": sum(grant.answer == ALLOWED for grant in listed),
    }
    return render(request, "aws/account_permissions.html", context)


@require_POST
@role_required(Role.ADMIN)
def check(request: MemberRequest, connection_id: int) -> HttpResponse:
    """Look at the role and its permissions now, as after its stack was updated."""
    found = mine(request, connection_id)
    try:
        connecting.look_again(account=found, actor=request.user, now=timezone.now())
    except connecting.RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, "Nightjar looks at the role and tries its permissions now, which takes up to a minute."
        )
    return redirect("aws:permissions", organization=request.organization.slug, connection_id=found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: MemberRequest, connection_id: int) -> HttpResponseBase:
    """The form for everybody to see; only admins may send it."""
    found = mine(request, connection_id)
    if request.method == "POST":
        return _change(request, found)
    return _settings_page(request, found, AccountForm(initial=initial(found)))


@role_required(Role.ADMIN)
def _change(request: MemberRequest, found: AwsAccount) -> HttpResponse:
    form = AccountForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, found, form, status=422)
    try:
        connecting.change(
            account=found,
            actor=request.user,
            name=form.cleaned_data["name"],
            regions=form.cleaned_data["regions"],
            tiers=form.tiers_chosen(),
            selection=form.selection(),
            now=timezone.now(),
        )
    except connecting.RefusedError as refusal:
        form.add_error(None, str(refusal))
        return _settings_page(request, found, form, status=422)
    messages.success(request, f"{found.name} is saved. What is watched changes with the next look, within a minute.")
    return redirect("aws:settings", organization=request.organization.slug, connection_id=found.pk)


def _settings_page(request: MemberRequest, found: AwsAccount, form: AccountForm, *, status: int = 200) -> HttpResponse:
    context = account_page(request, found, "settings", timezone.now()) | {"form": form}
    return render(request, "aws/account_settings.html", context, status=status)
