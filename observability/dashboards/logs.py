"""Log search and the live tail."""

import re
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

PER_PAGE = 100
TAIL_LINES = 100
CONTEXT = 50
"""How many lines are shown on either side of one that a link points to."""
TAIL_REACH = timedelta(minutes=15)
LATE = timedelta(seconds=15)
"""How much later than another's a function's lines may arrive and still be seen by somebody who follows."""

SHOWN = 1500
"""Characters of a line; the rest unfolds."""

REQUEST_ID = re.compile(r"\s*RequestId: [0-9a-f-]{36}")
SPACES = re.compile(r"\s{2,}|\t")
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

    @property
    def text(self) -> str:
        """The message; Lambda's own lines without the request id and the tabs that only machines need."""
        if self.line.level != Level.PLATFORM:
            return self.line.message[:SHOWN]
        return SPACES.sub("  ", REQUEST_ID.sub("", self.line.message[:SHOWN]))

    @property
    def rest(self) -> str:
        """What is too long to be shown at once."""
        return "" if self.line.attributes else self.line.message[SHOWN:]

    @property
    def place(self) -> str:
        """Its place among all lines, for links to it."""
        return cursors.write((self.line.at, self.line.event_id))


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
    """The context of ``log_list.html``: the newest matching lines, oldest at the top, as in a terminal.

    ``?line=`` asks for what was written around one line instead, whatever its level or words.
    """
    linked = cursors.read(query.get("line", ""))
    if linked:
        return _around(organization, linked, resource)
    after = cursors.read(query.get("before", ""))
    found = _matching(organization, query, window, resource, after=after, newest_first=True, limit=PER_PAGE + 1)
    page = found[:PER_PAGE]
    return {
        "lines": page[::-1],
        "older": page[-1].place if len(found) > PER_PAGE else "",
        "newest": "" if after else page[0].place if page else cursors.write((window.start, bytes(16))),
        "levels": {key: label for key, (label, _) in LEVELS.items()},
        "level": query.get("level", ""),
        "text": query.get("q", ""),
        "request_id": query.get("request", ""),
        "one_resource": resource,
    }


def _around(organization: Organization, place: cursors.Place, resource: Resource | None) -> dict[str, Any]:
    """The context of ``log_list.html`` with one line in the middle."""
    window, anything = Window(place[0] - TAIL_REACH, place[0] + TAIL_REACH), QueryDict()
    above = _matching(organization, anything, window, resource, after=place, newest_first=True, limit=CONTEXT)
    below = _matching(organization, anything, window, resource, after=cursors.just_before(place), limit=CONTEXT)
    return {
        "lines": [*above[::-1], *below],
        "linked": cursors.write(place),
        "levels": {key: label for key, (label, _) in LEVELS.items()},
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
    """The lines that came after ``after``; an open page asks for them every second.

    Those of the last seconds before it come again, because functions report at different times; the page knows which
    of them it has.
    """
    now = timezone.now()
    resource, after = asked_resource(request.organization, request.GET), cursors.read(request.GET.get("after", ""))
    start = max(after[0] - LATE, now - TAIL_REACH) if after else now - TAIL_REACH
    window = Window(start, now + TAIL_REACH)
    found = _matching(request.organization, request.GET, window, resource, newest_first=True, limit=TAIL_LINES)[::-1]
    return render(
        request,
        "dashboards/logs_tail.html",
        {
            "lines": found,
            "newest": found[-1].place if found else request.GET.get("after", ""),
            "one_resource": resource,
            "level": request.GET.get("level", ""),
            "text": request.GET.get("q", ""),
            "request_id": request.GET.get("request", ""),
        },
    )
