"""The palette: resources by name, one invocation by its request id, pages by their title."""

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Value
from django.db.models.functions import Lower, StrIndex
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.dashboards.functions import named
from observability.dashboards.kinds import FUNCTION, kind
from observability.dashboards.resources import shown
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest

REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
REACH = timedelta(days=30)
RESOURCES = 8
PAGES = (
    ("Overview", "layout-dashboard", "dashboards:overview"),
    ("Incidents", "siren", "alerts:incidents"),
    ("Functions", "square-function", "dashboards:functions"),
    ("Invocations", "list", "dashboards:invocations"),
    ("Resources", "boxes", "dashboards:resources"),
    ("Packages", "package", "dashboards:packages"),
    ("Logs", "text-search", "dashboards:logs"),
    ("AWS accounts", "cloud", "aws:accounts"),
    ("Coverage", "shield-check", "dashboards:coverage"),
    ("Alert channels", "bell", "alerts:channels"),
    ("Settings", "settings", "tenants:settings"),
    ("Ingest keys", "key-round", "tenants:keys"),
    ("Members", "users", "tenants:members"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result; ``kind`` is an AWS service, ``icon`` a Lucide name."""

    label: str
    hint: str
    url: str
    icon: str = ""
    kind: str = ""


@require_GET
def search(request: MemberRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    hits = [*_invocations(request, text), *_incident(request, text), *_resources(request, text), *_pages(request, text)]
    return render(request, "dashboards/search.html", {"hits": hits, "text": text})


def _url(request: MemberRequest, view: str, **kwargs: object) -> str:
    return reverse(view, kwargs={"organization": request.organization.slug, **kwargs})


def _resources(request: MemberRequest, text: str) -> list[Hit]:
    known = named(shown(request.organization), text)
    # Names that begin with the text come first.
    found = known.order_by(StrIndex(Lower("name"), Value(text.lower())), "name")[:RESOURCES]
    return [
        Hit(
            r.name,
            f"{r.config.get('runtime', '')} {r.region}".strip(),
            _url(request, "dashboards:function" if r.type == FUNCTION else "dashboards:resource", resource_id=r.pk),
            kind=kind(r.type).service,
        )
        for r in found
    ]


def _invocations(request: MemberRequest, text: str) -> list[Hit]:
    match = REQUEST_ID.search(text.lower())
    if not match:
        return []
    now = timezone.now()
    found = get_store().invocations(
        request.organization.pk, Window(now - REACH, now + timedelta(minutes=10)), request_id=match[0], limit=5
    )
    resources = request.organization.resources.in_bulk({i.resource_id for i in found})
    return [
        Hit(
            f"Invocation {i.request_id[:13]}…",
            f"{resources[i.resource_id].name}, {i.outcome.replace('_', ' ')}",
            _url(request, "dashboards:invocation", event_id=uuid.UUID(bytes=i.event_id)),
            icon="activity",
        )
        for i in found
    ]


def _incident(request: MemberRequest, text: str) -> list[Hit]:
    number = text.removeprefix("#")
    if not (number.isascii() and number.isdecimal()) or len(number) > 9:
        return []
    return [Hit(f"Incident #{int(number)}", "", _url(request, "alerts:incident", number=int(number)), icon="siren")]


def _pages(request: MemberRequest, text: str) -> list[Hit]:
    return [
        Hit(title, "page", _url(request, view), icon=icon)
        for title, icon, view in PAGES
        if text.lower() in title.lower()
    ]
