"""The list of functions: find one, sort by what matters, narrow by region and runtime."""

from collections import Counter
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.dashboards.rows import SORTS, TREND_STEPS, described, ordered, rows, with_releases, with_trends
from observability.dashboards.window import asked
from observability.inventory.models import Resource
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest

PER_PAGE = 50

COLUMNS = (
    ("invocations", "Invocations", "num max-sm:hidden"),
    ("", "Trend", "max-md:hidden"),
    ("errors", "Errors", "num max-sm:hidden"),
    ("rate", "Error rate", "num"),
    ("slowest", "p95", "num"),
    ("timeout", "Of timeout", "max-md:hidden"),
    ("memory", "Memory", "max-lg:hidden"),
    ("cold", "Cold starts", "num max-md:hidden"),
    ("cost", "Cost", "num max-sm:hidden"),
)
"""Heading, the sort it offers, and where it is hidden for want of room."""


def named(resources: QuerySet[Resource], text: str) -> QuerySet[Resource]:
    """Those whose name contains the text; ``*`` stands for anything."""
    for part in text.split("*"):
        if part:
            resources = resources.filter(name__icontains=part)
    return resources


@require_GET
def functions(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    time_range, window, _ = asked(request.GET, now)
    store, organization = get_store(), request.organization
    asked_for = {key: request.GET.get(key, "") for key in ("q", "region", "runtime", "sort")}
    found = named(organization.resources.all(), asked_for["q"])
    table = rows(described(found), store.by_resource(organization.pk, window))
    facets = {
        "region": Counter(entry.region for entry in table).most_common(),
        "runtime": Counter(entry.runtime for entry in table if entry.runtime).most_common(),
    }
    table = [
        entry
        for entry in table
        if asked_for["region"] in ("", entry.region) and asked_for["runtime"] in ("", entry.runtime)
    ]
    page = Paginator(ordered(table, asked_for["sort"] or "invocations"), PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    trends = store.series_by_resource(
        organization.pk, window, TREND_STEPS * time_range.step, [entry.id for entry in shown]
    )
    return render(
        request,
        "dashboards/functions.html",
        {
            "title": "Functions",
            "nav": "functions",
            "time_range": time_range,
            "rows": with_releases(with_trends(shown, trends, window, partial=time_range.live), organization, now),
            "page": page,
            "facets": facets,
            "asked": asked_for,
            "sort": asked_for["sort"] or "invocations",
            "sorts": SORTS,
            "columns": COLUMNS,
            "narrowed": any(asked_for[key] for key in ("q", "region", "runtime")),
            "kept": urlencode({k: v for k, v in asked_for.items() if v and k != "sort"}),
        },
    )
