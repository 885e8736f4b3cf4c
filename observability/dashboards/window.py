"""What the URL of a page asks for: a window of time, and perhaps one function."""

from datetime import datetime

from django.http import Http404, QueryDict

from observability.dashboards.kinds import FUNCTION
from observability.inventory.models import Resource
from observability.telemetry.records import Window
from observability.tenants.models import Organization
from observability.ui.range import TimeRange, parse


def asked(query: QueryDict, now: datetime) -> tuple[TimeRange, Window, Window]:
    """The time range of the URL, its window, and the window of the same length before it."""
    time_range = parse(query, now)
    return time_range, Window(*time_range.window), Window(*time_range.previous)


def asked_resource(organization: Organization, query: QueryDict) -> Resource | None:
    """The function that ``?resource=`` names, or None; raises ``Http404`` when it is not of this organization."""
    number = query.get("resource", "")
    if not number:
        return None
    functions = organization.resources.filter(type=FUNCTION)
    resource = functions.filter(pk=number).first() if number.isascii() and number.isdecimal() else None
    if resource is None:
        raise Http404
    return resource
