"""One function: its metrics, invocations, errors and logs."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.dashboards import charts, invocations, logs
from observability.dashboards.figures import figures
from observability.dashboards.window import asked
from observability.inventory.models import Resource
from observability.telemetry.records import Fault, FaultKind, Window
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest
from observability.ui.range import TimeRange

TABS = {"metrics": "Metrics", "invocations": "Invocations", "errors": "Errors", "logs": "Logs"}
DEPLOYMENTS = 8
FAULTS = 500


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool
    count: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Faults of the same kind and type in a window, with the newest of them as the example."""

    example: Fault
    count: int
    first_at: datetime


@require_GET
def function(request: MemberRequest, resource_id: int) -> HttpResponse:
    time_range, window, previous = asked(request.GET, timezone.now())
    resource = get_object_or_404(request.organization.resources, pk=resource_id)
    tab = request.GET.get("tab", "metrics")
    tab = tab if tab in TABS else "metrics"
    context: dict[str, Any] = {
        "title": resource.name,
        "nav": "functions",
        "time_range": time_range,
        "resource": resource,
        "resource_key": str(resource.pk),
        "tab": tab,
        "tabs": tabs(request, resource, tab, time_range),
    }
    if tab == "metrics":
        context |= metrics(resource, time_range, window, previous)
    elif tab == "invocations":
        context |= invocations.listing(request.organization, request.GET, window, resource)
    elif tab == "errors":
        context |= {"troubles": troubles(resource, window)}
    else:
        context |= logs.listing(request.organization, request.GET, window, resource)
    return render(request, f"dashboards/function_{tab}.html", context)


def tabs(request: MemberRequest, resource: Resource, current: str, time_range: TimeRange) -> list[Tab]:
    url = reverse("dashboards:function", kwargs={"organization": request.organization.slug, "resource_id": resource.pk})
    return [Tab(label, f"{url}?tab={key}&{time_range.query}", key == current) for key, label in TABS.items()]


def metrics(resource: Resource, time_range: TimeRange, window: Window, previous: Window) -> dict[str, Any]:
    """Key figures, six charts and the deployments that may explain them."""
    store, organization_id = get_store(), resource.organization_id
    buckets = store.series(organization_id, window, time_range.step, [resource.pk])
    total = store.total(organization_id, window, [resource.pk])
    before = store.total(organization_id, previous, [resource.pk])
    deployments = list(resource.deployments.select_related("resource").order_by("-deployed_at")[:DEPLOYMENTS])
    marked = charts.marks(d for d in deployments if window.start <= d.deployed_at < window.end)
    return {
        "total": total,
        "figures": figures(total, before, buckets),
        "panels": charts.function_panels(buckets, time_range, marked, resource.config),
        "deployments": deployments,
    }


def troubles(resource: Resource, window: Window) -> list[Trouble]:
    """What failed in the window, grouped by kind and type; newest first. Looks at the newest 500 faults."""
    found = get_store().faults(resource.organization_id, window, resource_id=resource.pk, limit=FAULTS)
    counts = Counter((fault.kind, fault.type) for fault in found)
    newest: dict[tuple[FaultKind, str], Fault] = {}
    first: dict[tuple[FaultKind, str], datetime] = {}
    for fault in found:
        newest.setdefault((fault.kind, fault.type), fault)
        first[fault.kind, fault.type] = fault.at
    return [Trouble(fault, counts[key], first[key]) for key, fault in newest.items()]
