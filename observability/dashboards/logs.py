"""Log search and the live tail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.dashboards import cursors
from observability.dashboards.window import asked, asked_resource
from observability.inventory.models import Resource
from observability.telemetry.records import Level, LogLine, Window
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest
from observability.tenants.models import Organization

PER_PAGE = 200
TAIL_LINES = 100
TAIL_REACH = timedelta(minutes=15)
"""How late a line may arrive and still be seen by somebody who follows."""

LEVELS = {
    "error": ("Errors", (Level.ERROR, Level.FATAL)),
    "warn": ("Warnings and errors", (Level.WARN, Level.ERROR, Level.FATAL)),
    "app": ("Without platform lines", tuple(level for level in Level if level is not Level.PLATFORM)),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A log line and the function that wrote it."""

    line: LogLine
    resource: Resource


def _matching(
    organization: Organization, query: QueryDict, window: Window, resource: Resource | None, **page: Any
) -> list[Line]:
    found = get_store().log_lines(
        organization.pk,
        window,
        resource_id=resource.pk if resource else None,
        request_id=query.get("request") or None,
        levels=LEVELS.get(query.get("level", ""), ("", ()))[1],
        text=query.get("q", "").strip(),
        **page,
    )
    return _with_resources(organization, found, resource)


def _with_resources(organization: Organization, found: Sequence[LogLine], resource: Resource | None) -> list[Line]:
    if resource:
        return [Line(line, resource) for line in found]
    resources = organization.resources.in_bulk({line.resource_id for line in found})
    return [Line(line, resources[line.resource_id]) for line in found]


def listing(organization: Organization, query: QueryDict, window: Window, resource: Resource | None) -> dict[str, Any]:
    """The context of ``log_list.html``: the newest matching lines, oldest at the top, as in a terminal."""
    after = cursors.read(query.get("before", ""))
    found = _matching(organization, query, window, resource, after=after, newest_first=True, limit=PER_PAGE + 1)
    page = found[:PER_PAGE]
    return {
        "lines": page[::-1],
        "older": cursors.write((page[-1].line.at, page[-1].line.event_id)) if len(found) > PER_PAGE else "",
        "newest": cursors.write((page[0].line.at, page[0].line.event_id)) if page and not after else "",
        "levels": {key: label for key, (label, _) in LEVELS.items()},
        "level": query.get("level", ""),
        "text": query.get("q", ""),
        "request_id": query.get("request", ""),
        "one_resource": resource,
    }


@require_GET
def logs(request: MemberRequest) -> HttpResponse:
    time_range, window, _ = asked(request.GET, timezone.now())
    resource = asked_resource(request.organization, request.GET)
    context = listing(request.organization, request.GET, window, resource)
    names = request.organization.resources.filter(type="lambda_function").order_by("name")
    return render(
        request,
        "dashboards/logs.html",
        {"title": "Logs", "nav": "logs", "time_range": time_range, "functions": names.only("name", "organization")}
        | context,
    )


@require_GET
def logs_tail(request: MemberRequest) -> HttpResponse:
    """The lines that came after ``after``; an open page asks for them every second."""
    now = timezone.now()
    resource, after = asked_resource(request.organization, request.GET), cursors.read(request.GET.get("after", ""))
    window = Window(now - TAIL_REACH, now + TAIL_REACH)
    found = _matching(request.organization, request.GET, window, resource, after=after, limit=TAIL_LINES)
    last = found[-1].line if found else None
    return render(
        request,
        "dashboards/logs_tail.html",
        {
            "lines": found,
            "newest": cursors.write((last.at, last.event_id)) if last else request.GET.get("after", ""),
            "one_resource": resource,
            "level": request.GET.get("level", ""),
            "text": request.GET.get("q", ""),
        },
    )
