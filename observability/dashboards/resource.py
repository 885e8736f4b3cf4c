"""One resource: what is known of it, what it is connected with, and how it did."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.aws.models import AwsAccount
from observability.dashboards import measured
from observability.dashboards.facts import facts, mentioned
from observability.dashboards.kinds import ACCOUNT, FUNCTION, HIDDEN, HIGHLIGHTS, Kind, kind
from observability.dashboards.window import asked
from observability.inventory.models import Resource
from observability.tenants.access import MemberRequest

MOST = 50
"""How many connections a page has room for."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Another resource that this one names, or that names this one."""

    resource: Resource
    kind: Kind


@require_GET
def resource(request: MemberRequest, resource_id: int) -> HttpResponse:
    time_range, _, _ = asked(request.GET, timezone.now())
    found = get_object_or_404(request.organization.resources, pk=resource_id)
    is_measured = measured.is_measured(found)
    context: dict[str, Any] = {
        "title": found.name,
        "nav": "resources",
        "resource": found,
        "kind": kind(found.type),
        "facts": facts(in_order(found), without=("tags",)),
        "tags": sorted(found.config.get("tags", {}).items()),
        "connections": connections(found),
        "connected_account": connected_account(found),
        "is_measured": is_measured,
        "panels": measured.panels(found, time_range),
    }
    if is_measured:
        context["time_range"] = time_range
    return render(request, "dashboards/resource.html", context)


def connected_account(found: Resource) -> AwsAccount | None:
    """The connection behind a resource that stands for a whole account; None for any other."""
    if found.type != ACCOUNT:
        return None
    return AwsAccount.objects.filter(
        organization=found.organization_id, account_id=found.account, disconnected_at=None
    ).first()


def in_order(found: Resource) -> dict[str, Any]:
    """Its config, with what one wants to know first in front."""
    first = HIGHLIGHTS.get(found.type, ())
    keys = [*(key for key in first if key in found.config), *sorted(found.config.keys() - set(first))]
    return {key: found.config[key] for key in keys}


def connections(found: Resource) -> list[Connection]:
    """What this resource's config names by ARN, and whose config names this one; functions first."""
    named = set(mentioned(found.config)) - {found.arn}
    others = Resource.objects.filter(organization=found.organization_id).exclude(pk=found.pk).exclude(type__in=HIDDEN)
    naming = Q(config_text__contains=f'"{found.arn}')
    both = others.annotate(config_text=Cast("config", TextField())).filter(Q(arn__in=sorted(named)) | naming)
    listed = [
        Connection(other, kind(other.type))
        for other in both.order_by("name")[:MOST]
        if other.arn in named or found.arn in mentioned(other.config)  # Not one whose name only begins so.
    ]
    return sorted(listed, key=lambda entry: entry.resource.type != FUNCTION)
