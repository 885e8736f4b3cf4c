"""Invocations: the list that every figure links to, and one of them with all that is known about it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.dashboards import cursors, logs
from observability.dashboards.faults import troubles
from observability.dashboards.figures import p95_ms
from observability.dashboards.window import asked, asked_resource
from observability.inventory.models import Resource
from observability.telemetry.records import Fault, Invocation, LogLine, Outcome, Window
from observability.telemetry.sketch import ERROR
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest
from observability.tenants.models import Organization

PER_PAGE = 50
LINES = 500
AROUND = timedelta(minutes=15)
RETRIES_WITHIN = timedelta(hours=6)
"""Lambda retries an asynchronous invocation for up to six hours."""

FAILED = (Outcome.ERROR, Outcome.TIMEOUT, Outcome.OUT_OF_MEMORY)
OUTCOMES: dict[str, tuple[str, tuple[Outcome, ...]]] = {
    "": ("All", ()),
    "failed": ("Failed", FAILED),
    "error": ("Errors", (Outcome.ERROR,)),
    "timeout": ("Timeouts", (Outcome.TIMEOUT,)),
    "out_of_memory": ("Out of memory", (Outcome.OUT_OF_MEMORY,)),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One invocation in a list. ``share`` is its duration as a part of the longest on the page."""

    invocation: Invocation
    resource: Resource
    share: float
    failure: str
    """The type of the error that it ended with, in the runtime's words; empty when it did not fail."""

    @property
    def id(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.invocation.event_id)


def listing(organization: Organization, query: QueryDict, window: Window, resource: Resource | None) -> dict[str, Any]:
    """The context of ``invocation_table.html``: one page of invocations, as the URL asks for them."""
    outcome, slow = query.get("outcome", ""), bool(query.get("slow"))
    slowest_ms = _slowest_ms(organization, window, resource) if slow else 0.0
    found = get_store().invocations(
        organization.pk,
        window,
        resource_id=resource.pk if resource else None,
        outcomes=OUTCOMES.get(outcome, OUTCOMES[""])[1],
        cold_start=True if query.get("cold") else None,
        request_id=query.get("request") or None,
        at_least_ms=slowest_ms,
        before=cursors.read(query.get("before", "")),
        limit=PER_PAGE + 1,
    )
    page = found[:PER_PAGE]
    return {
        "entries": entries(page, _resources(organization, page, resource), _failures(organization, page)),
        "older": cursors.write((page[-1].started_at, page[-1].event_id)) if len(found) > PER_PAGE else "",
        "paged": bool(query.get("before")),
        "outcome": outcome,
        "outcomes": {key: label for key, (label, _) in OUTCOMES.items()},
        "cold": query.get("cold", ""),
        "slow": slow,
        "slowest_ms": slowest_ms,
        "request_id": query.get("request", ""),
        "one_resource": resource,
    }


def _slowest_ms(organization: Organization, window: Window, resource: Resource | None) -> float:
    """What the slowest one in twenty of the window took at least, less the error of the sketch."""
    total = get_store().total(organization.pk, window, [resource.pk] if resource else None)
    return (p95_ms(total) or 0.0) * (1 - ERROR)


def _resources(
    organization: Organization, page: Sequence[Invocation], resource: Resource | None
) -> Mapping[int, Resource]:
    if resource:
        return {resource.pk: resource}
    return organization.resources.in_bulk({invocation.resource_id for invocation in page})


def _failures(organization: Organization, page: Sequence[Invocation]) -> dict[str, str]:
    """The error types of the failed ones by request id: Lambda itself only says ``Function.Unhandled``."""
    failed = [invocation for invocation in page if invocation.outcome == Outcome.ERROR and invocation.request_id]
    if not failed:
        return {}
    around = Window(failed[-1].started_at - AROUND, failed[0].started_at + AROUND)
    found = get_store().faults(organization.pk, around, request_ids=[invocation.request_id for invocation in failed])
    return {fault.request_id: fault.type for fault in found if fault.type}


def entries(page: Sequence[Invocation], resources: Mapping[int, Resource], failures: Mapping[str, str]) -> list[Entry]:
    longest = max((invocation.duration_ms for invocation in page), default=0) or 1
    return [
        Entry(
            invocation,
            resources[invocation.resource_id],
            invocation.duration_ms / longest,
            failures.get(invocation.request_id, invocation.error_type),
        )
        for invocation in page
    ]


@require_GET
def invocations(request: MemberRequest) -> HttpResponse:
    time_range, window, _ = asked(request.GET, timezone.now())
    resource = asked_resource(request.organization, request.GET)
    context = listing(request.organization, request.GET, window, resource)
    return render(
        request,
        "dashboards/invocations.html",
        {"title": "Invocations", "nav": "functions", "time_range": time_range} | context,
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of an invocation's waterfall; offset and length are shares of the whole."""

    label: str
    ms: float
    offset: float
    length: float
    colour: str


def waterfall(invocation: Invocation) -> list[Stage]:
    """Init, then the handler."""
    init = invocation.init_ms or 0.0
    whole = init + invocation.duration_ms or 1.0
    colour = "c1" if invocation.outcome == Outcome.SUCCESS else "err"
    stages = [Stage("Init", init, 0.0, init / whole, "c2")] if init else []
    return [
        *stages,
        Stage("Handler", invocation.duration_ms, init / whole, invocation.duration_ms / whole, colour),
    ]


def of_timeout(invocation: Invocation, resource: Resource) -> float | None:
    """The share of its time limit that the handler used, or None where the limit is not known."""
    timeout_s = resource.config.get("timeout_s")
    return min(1.0, invocation.duration_ms / (timeout_s * 1000)) if timeout_s else None


@require_GET
def invocation(request: MemberRequest, event_id: uuid.UUID) -> HttpResponse:
    store, organization = get_store(), request.organization
    found = store.invocation(organization.pk, event_id.bytes)
    if found is None:
        raise Http404
    resource = get_object_or_404(organization.resources, pk=found.resource_id)
    ended = found.started_at + timedelta(milliseconds=found.duration_ms)
    near = Window(found.started_at - AROUND, ended + AROUND)
    siblings = store.invocations(
        organization.pk,
        Window(found.started_at - RETRIES_WITHIN, ended + RETRIES_WITHIN),
        resource_id=resource.pk,
        request_id=found.request_id,
    )
    lines: list[LogLine] = store.log_lines(
        organization.pk, near, resource_id=resource.pk, request_id=found.request_id, limit=LINES
    )
    faults: list[Fault] = store.faults(organization.pk, near, resource_id=resource.pk, request_id=found.request_id)
    return render(
        request,
        "dashboards/invocation.html",
        {
            "title": f"{resource.name} {found.request_id[:8]}",
            "nav": "functions",
            "invocation": found,
            "id": event_id,
            "resource": resource,
            "ended_at": ended,
            "stages": waterfall(found),
            "of_timeout": of_timeout(found, resource),
            "lines": [logs.Line(line, resource) for line in lines],
            "cut": len(lines) == LINES,
            "troubles": troubles(faults),
            "failure": next((fault.type for fault in faults if fault.type), found.error_type),
            "tries": entries(siblings[::-1], {resource.pk: resource}, {}) if len(siblings) > 1 else [],
        },
    )
