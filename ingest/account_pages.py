"""The pages that say how reading an AWS account goes. ``observability.aws`` has those about the account itself."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from ingest import account_status
from observability.aws.views.account_page import account_page
from observability.aws.views.steps import mine
from observability.tenants.access import MemberRequest

PER_PAGE = 50


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
def account(request: MemberRequest, connection_id: int) -> HttpResponse:
    found, now = mine(request, connection_id), timezone.now()
    page = Paginator(account_status.log_groups(found), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = account_page(request, found, "collection", now) | {
        "regions": account_status.regions(found, now),
        "page": page,
        "groups": [account_status.group_status(group) for group in page.object_list],
    }
    return render(request, "ingest/account.html", context)
