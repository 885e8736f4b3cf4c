"""One function: its metrics, invocations, errors and logs."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.dashboards import charts, invocations, logs
from observability.dashboards.deployments import verdicts
from observability.dashboards.faults import troubles
from observability.dashboards.figures import figures
from observability.dashboards.window import asked
from observability.inventory.models import Resource
from observability.telemetry.records import Rollup, Window
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest
from observability.ui.range import TimeRange
from observability.ui.tabs import Tab

TABS = {"metrics": "Metrics", "invocations": "Invocations", "errors": "Errors", "logs": "Logs"}
DEPLOYMENTS = 8
FAULTS = 500


@require_GET
def function(request: MemberRequest, resource_id: int) -> HttpResponse:
    time_range, window, previous = asked(request.GET, timezone.now())
    resource = get_object_or_404(request.organization.resources, pk=resource_id)
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
    if tab == "metrics":
        context |= metrics(resource, total, time_range, window, previous)
    elif tab == "invocations":
        context |= invocations.listing(request.organization, request.GET, window, resource)
    elif tab == "errors":
        found = get_store().faults(resource.organization_id, window, resource_id=resource.pk, limit=FAULTS)
        context |= {"troubles": troubles(found), "cut": len(found) == FAULTS}
    else:
        context |= logs.listing(request.organization, request.GET, window, resource)
    return render(request, f"dashboards/function_{tab}.html", context)


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
    """Key figures, six charts and the deployments that may explain them."""
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
        "panels": charts.function_panels(buckets, time_range, marked, resource.config, newest),
        "deployments": judged,
    }
