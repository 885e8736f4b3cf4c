"""The pages that say how reading an AWS account goes. ``observability.aws`` has those about the account itself."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from ingest import account_status, backfills
from observability.aws.models import AwsAccount
from observability.aws.views.account_page import account_page
from observability.aws.views.steps import mine
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role

PER_PAGE = 50
STRETCHES = {1: "the last hour", 6: "the last 6 hours", 24: "the last day", 72: "the last 3 days", 168: "the last week"}
"""How much history can be asked for, in hours."""


class BackfillForm(forms.Form):
    hours = forms.TypedChoiceField(choices=list(STRETCHES.items()), coerce=int, initial=24, label="Read the logs of")


@require_GET
def standings(request: MemberRequest) -> HttpResponse:
    """Cells of the list of accounts, swapped in where they belong."""
    found = account_status.standings(request.organization, timezone.now())
    return render(request, "ingest/standings.html", {"standings": found})


@require_GET
def health(request: MemberRequest, connection_id: int) -> HttpResponse:
    """A fragment of the account's page: one line for each region."""
    found = mine(request, connection_id)
    context = {"account": found, "regions": account_status.regions(found, timezone.now())}
    return render(request, "ingest/health.html", context)


@require_GET
def regions(request: MemberRequest, connection_id: int) -> HttpResponse:
    """A fragment of the page below, which asks for it again and again."""
    found = mine(request, connection_id)
    over = found.disconnected_at is not None
    context = {"account": found, "over": over, "regions": account_status.regions(found, timezone.now())}
    return render(request, "ingest/regions.html", context)


@require_GET
def account(request: MemberRequest, connection_id: int) -> HttpResponse:
    found, now = mine(request, connection_id), timezone.now()
    page = Paginator(account_status.log_groups(found), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = account_page(request, found, "collection", now) | {
        "regions": account_status.regions(found, now),
        "page": page,
        "groups": [account_status.group_status(group) for group in page.object_list],
        "form": BackfillForm(),
    }
    return render(request, "ingest/account.html", context | _latest(found))


@require_GET
def backfill(request: MemberRequest, connection_id: int) -> HttpResponse:
    """A fragment that asks again until the backfill is over."""
    found = mine(request, connection_id)
    latest = _latest(found)
    if not latest:
        return HttpResponse(status=204)
    return render(request, "ingest/backfill.html", {"account": found} | latest)


@require_POST
@role_required(Role.ADMIN)
def backfill_new(request: MemberRequest, connection_id: int) -> HttpResponse:
    found, form, now = mine(request, connection_id), BackfillForm(request.POST), timezone.now()
    if not form.is_valid():
        messages.error(request, "Choose how far back to read.")
    elif found.status != AwsAccount.Status.CONNECTED:
        messages.error(request, f"{found.name} cannot be read now: it is not connected.")
    else:
        start = now - timedelta(hours=form.cleaned_data["hours"])
        try:
            backfills.start(account=found, start=start, end=now, actor=request.user, now=now)
        except backfills.AlreadyRunningError:
            messages.info(request, "One is under way; when it is over, the next can begin.")
        except backfills.NothingToReadError:
            messages.info(request, "Nothing of that time is kept.")
    return redirect("collection:account", organization=request.organization.slug, connection_id=found.pk)


def _latest(account: AwsAccount) -> dict[str, Any]:
    """The account's newest backfill and how far it is; empty when there was none."""
    latest = account.backfills.order_by("-created_at").first()
    return {"backfill": latest, "progress": backfills.progress(latest)} if latest else {}
