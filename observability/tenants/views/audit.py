"""The audit log: newest first, filtered by person and kind of change."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from observability.tenants.access import MemberRequest
from observability.tenants.models import AuditEntry
from observability.tenants.views.tabs import settings_page

PAGE = 50


@require_GET
def show(request: MemberRequest) -> HttpResponse:
    mine = AuditEntry.objects.filter(organization=request.organization)
    actor, action = request.GET.get("actor", "")[:254], request.GET.get("action", "")[:60]
    before = _number(request.GET.get("before", ""))
    entries = list(_filtered(mine, actor, action, before).order_by("-number")[: PAGE + 1])
    context = settings_page(request, "audit", "Audit log") | {
        "entries": entries[:PAGE],
        "actors": list(mine.values_list("actor_label", flat=True).distinct().order_by("actor_label")),
        "actions": list(mine.values_list("action", flat=True).distinct().order_by("action")),
        "actor": actor,
        "action": action,
        "newest": _link(request, None) if before else "",
        "older": _link(request, entries[PAGE - 1].number) if len(entries) > PAGE else "",
    }
    return render(request, "tenants/audit.html", context)


def _filtered(entries: QuerySet[AuditEntry], actor: str, action: str, before: int | None) -> QuerySet[AuditEntry]:
    # A NUL cannot be in any row and PostgreSQL refuses it as a parameter.
    if "\0" in actor + action:
        return entries.none()
    if actor:
        entries = entries.filter(actor_label=actor)
    if action:
        entries = entries.filter(action=action)
    return entries.filter(number__lt=before) if before is not None else entries


def _link(request: MemberRequest, before: int | None) -> str:
    query = request.GET.copy()
    query.pop("before", None)
    if before is not None:
        query["before"] = str(before)
    return "?" + query.urlencode()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
