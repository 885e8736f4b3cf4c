"""One function: its metrics, invocations, errors, logs, package, configuration and changes."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.dashboards import charts, configuration, cost, environment, invocations, logs, measured, package
from observability.dashboards.deployments import verdicts
from observability.dashboards.faults import troubles
from observability.dashboards.figures import figures
from observability.dashboards.kinds import FUNCTION
from observability.dashboards.resource import connections
from observability.dashboards.window import asked
from observability.inventory.models import Resource
from observability.telemetry.records import Rollup, Window
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest
from observability.ui.range import TimeRange
from observability.ui.tabs import Tab

TABS = {
    "metrics": "Metrics",
    "invocations": "Invocations",
    "errors": "Errors",
    "logs": "Logs",
    "cost": "Cost",
    "package": "Package",
    "configuration": "Configuration",
    "changes": "Changes",
}
DEPLOYMENTS = 8
CHANGES = 25
FAULTS = 500


@require_GET
def function(request: MemberRequest, resource_id: int) -> HttpResponse:
    time_range, window, _ = asked(request.GET, timezone.now())
    resource = get_object_or_404(request.organization.resources, pk=resource_id)
    if resource.type != FUNCTION:
        return redirect("dashboards:resource", organization=request.organization.slug, resource_id=resource_id)
    tab = request.GET.get("tab", "metrics")
    tab = tab if tab in TABS else "metrics"
    total = get_store().total(resource.organization_id, window, [resource.pk])
    context: dict[str, Any] = {
        "title": resource.name,
        "nav": "functions",
        "time_range": time_range,
        "resource": resource,
        "resource_key": str(resource.pk),
        "tab": tab,
        "tabs": tabs(request, resource, tab, time_range, total),
        "total": total,
    }
    context |= content(tab, request, resource, total, time_range)
    return render(request, f"dashboards/function_{tab}.html", context)


def content(
    tab: str, request: MemberRequest, resource: Resource, total: Rollup, time_range: TimeRange
) -> dict[str, Any]:
    """What the chosen tab adds to the page."""
    window, previous = Window(*time_range.window), Window(*time_range.previous)
    match tab:
        case "metrics":
            return metrics(resource, total, time_range, window, previous)
        case "invocations":
            return invocations.listing(request.organization, request.GET, window, resource)
        case "errors":
            found = get_store().faults(resource.organization_id, window, resource_id=resource.pk, limit=FAULTS)
            return {"troubles": troubles(found), "cut": len(found) == FAULTS}
        case "logs":
            return logs.listing(request.organization, request.GET, window, resource)
        case "package":
            return package.described(resource, request.GET, time_range, now=timezone.now())
        case "cost":
            return cost.of_function(request, resource)
        case "configuration":
            return configuration.described(resource) | {"connections": connections(resource)}
        case _:
            return history(resource, request.GET, time_range, window)


def tabs(request: MemberRequest, resource: Resource, current: str, time_range: TimeRange, total: Rollup) -> list[Tab]:
    url = reverse("dashboards:function", kwargs={"organization": request.organization.slug, "resource_id": resource.pk})
    counts = {"errors": total.errors}
    return [
        Tab(label, f"{url}?tab={key}&{time_range.query}", key == current, counts.get(key, 0))
        for key, label in TABS.items()
    ]


def metrics(
    resource: Resource, total: Rollup, time_range: TimeRange, window: Window, previous: Window
) -> dict[str, Any]:
    """Key figures, charts and the deployments that may explain them."""
    store, organization_id = get_store(), resource.organization_id
    buckets = store.series(organization_id, window, time_range.step, [resource.pk])
    watched = resource.first_seen_at <= previous.start
    before = store.total(organization_id, previous, [resource.pk]) if watched else None
    watermark = store.watermark(organization_id)
    recent = resource.deployments.select_related("resource").order_by("-deployed_at")
    judged = verdicts(list(recent[:DEPLOYMENTS]), buckets, time_range.step)
    within = [v for v in judged if window.start <= v.deployment.deployed_at < window.end]
    marked = charts.marks((v.deployment for v in within), {v.deployment.pk for v in within if v.bad})
    newest = watermark.latest_event_at if watermark else None
    return {
        "figures": figures(total, before, buckets, window, partial=time_range.live),
        "panels": [
            *charts.function_panels(buckets, time_range, marked, resource.config, newest),
            *measured.panels(resource, time_range, marked),
        ],
        "deployments": judged,
    } | environment.described(resource, total, time_range, marked)


def history(resource: Resource, query: QueryDict, time_range: TimeRange, window: Window) -> dict[str, Any]:
    """Every deployment, newest first, with what followed those of this time."""
    recent = resource.deployments.select_related("resource").order_by("-deployed_at", "-pk")
    page = Paginator(recent, CHANGES).get_page(query.get("page"))
    buckets = get_store().series(resource.organization_id, window, time_range.step, [resource.pk])
    return {"page": page, "deployments": verdicts(list(page.object_list), buckets, time_range.step)}
