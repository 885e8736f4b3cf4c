"""The page of insights, what people do about them, and the fragments that other pages load."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from alerts import board, insights, tasks
from alerts.finding import Severity
from alerts.forms import SnoozeForm
from alerts.models import Insight, WatchCursor
from alerts.rules import RULES
from alerts.tuning import tunings
from observability.inventory.models import Resource
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Organization, Role
from observability.ui.tabs import Tab

State = Insight.State
AGAIN = timedelta(minutes=1)
"""Whoever asks for a look so soon after the last one is told its result instead."""

SHOWN = 8


def rules_of(organization: Organization) -> board.Rules:
    """The rules that are switched on there; advice of others is not shown."""
    tuned = tunings(organization.pk)
    return {rule.kind: rule for rule in RULES if tuned.is_on(rule.kind)}


@require_GET
def insights_page(request: MemberRequest) -> HttpResponse:
    rules = rules_of(request.organization)
    asked = board.read(request.GET, rules)
    found = board.board(request.organization, asked, rules)
    looked_at = _looked_at(request)
    context = {
        "title": "Insights",
        "nav": "insights",
        "asked": asked,
        "board": found,
        "tabs": _tabs(request, asked, found),
        "rule_count": len(rules),
        "looked_at": looked_at,
        "asked_at": _moment(request.GET.get("since", "")),
        "runs_anything": looked_at is not None or Resource.objects.filter(organization=request.organization).exists(),
        "about": _resource(request, asked.resource),
        "here": request.get_full_path(),
        "may_act": request.membership.may(Role.MEMBER),
    }
    return render(request, "alerts/insights.html", context)


def _tabs(request: MemberRequest, asked: board.Asked, found: board.Board) -> list[Tab]:
    url = reverse("alerts:insights", kwargs={"organization": request.organization.slug})
    kept = {name: value for name, value in request.GET.items() if name not in ("state", "page", "since")}
    urls = {state: f"{url}?{urlencode({'state': state.value, **kept})}" for state in State}
    return [Tab(state.label, urls[state], state == asked.state, found.states[state]) for state in State]


def _looked_at(request: MemberRequest) -> datetime | None:
    return WatchCursor.objects.filter(organization=request.organization).values_list("advised_at", flat=True).first()


def _moment(text: str) -> datetime | None:
    """Seconds since the epoch in a URL, or None for what cannot be some."""
    return datetime.fromtimestamp(int(text), UTC) if text.isascii() and text.isdigit() and len(text) <= 11 else None


def _resource(request: MemberRequest, pk: int | None) -> Resource | None:
    return Resource.objects.filter(organization=request.organization, pk=pk).first() if pk is not None else None


@require_GET
def insights_csv(request: MemberRequest) -> StreamingHttpResponse:
    """Everything that the page would show with the same address, not only the first of each rule."""
    rules = rules_of(request.organization)
    rows = board.table(request.organization, board.read(request.GET, rules), rules)
    name = f"insights-{request.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8", headers=headers)


class _Echo:
    """Hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterator[Any]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


# Looking -----------------------------------------------------------------------------------------
@require_POST
@role_required(Role.MEMBER)
def insights_look(request: MemberRequest) -> HttpResponse:
    """Have everything looked at now; the page then waits for the result."""
    url = reverse("alerts:insights", kwargs={"organization": request.organization.slug})
    now, looked_at = timezone.now(), _looked_at(request)
    if looked_at and now - looked_at < AGAIN:
        messages.info(request, "Everything was looked at less than a minute ago.")
        return redirect(url)
    tasks.advise.delay(organization_id=request.organization.pk)
    return redirect(f"{url}?since={int(now.timestamp())}")


@require_GET
def insights_looked(request: MemberRequest) -> HttpResponse:
    """A fragment that asks again until the look is over, and then has the page drawn anew."""
    asked_at, looked_at = _moment(request.GET.get("since", "")), _looked_at(request)
    over = asked_at is not None and looked_at is not None and looked_at >= asked_at
    if over:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "alerts/insights_looked.html", {"asked_at": asked_at, "looked_at": looked_at})


# People ------------------------------------------------------------------------------------------
@require_POST
@role_required(Role.MEMBER)
def insight_snooze(request: MemberRequest, insight_id: int) -> HttpResponseBase:
    """Put one off, or with ``all`` every open one of its rule."""
    found = _mine(request, insight_id)
    form, now = SnoozeForm(request.POST), timezone.now()
    if not form.is_valid():
        messages.warning(request, "Say why, and for how long.")
        return redirect(_back(request))
    ids = _like(found) if form.cleaned_data["all"] else [found.pk]
    try:
        number = insights.snooze(
            organization=request.organization, ids=ids, reason=form.cleaned_data["reason"], until=form.end(now),
            actor=request.user, now=now,
        )  # fmt: skip
    except insights.RefusedError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"{number} insights are snoozed." if number > 1 else "It is snoozed.")
    return redirect(_back(request))


@require_POST
@role_required(Role.MEMBER)
def insight_unsnooze(request: MemberRequest, insight_id: int) -> HttpResponseBase:
    found = _mine(request, insight_id)
    try:
        insights.unsnooze(
            organization=request.organization, ids=[found.pk], actor=request.user, now=timezone.now()
        )  # fmt: skip
    except insights.RefusedError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "It is open again.")
    return redirect(_back(request))


def _mine(request: MemberRequest, insight_id: int) -> Insight:
    return get_object_or_404(Insight, organization=request.organization, pk=insight_id)


def _like(found: Insight) -> list[int]:
    same = Insight.objects.filter(organization_id=found.organization_id, rule=found.rule, state=State.OPEN)
    return list(same.values_list("pk", flat=True))


def _back(request: MemberRequest) -> str:
    """Where the reader came from, if it is a path of ours; else the page of insights."""
    wanted = request.POST.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("alerts:insights", kwargs={"organization": request.organization.slug})


# Fragments ---------------------------------------------------------------------------------------
@require_GET
def resource_insights(request: MemberRequest, resource_id: int) -> HttpResponse:
    """A fragment for the pages of a function and of any other resource: its open advice, the loudest first."""
    resource = get_object_or_404(Resource, organization=request.organization, pk=resource_id)
    rules = rules_of(request.organization)
    rows = Insight.objects.filter(resource=resource, state=State.OPEN, rule__in=rules).select_related("resource")
    shown = list(rows.order_by(board.LOUDEST, *board.BY_MONEY)[: SHOWN + 1])
    context = {
        "resource": resource,
        "items": [(board.item(row, rules[row.rule]), rules[row.rule]) for row in shown[:SHOWN]],
        "more": len(shown) > SHOWN,
        "looked_at": _looked_at(request),
    }
    return render(request, "alerts/resource_insights.html", context)


@require_GET
def insight_count(request: MemberRequest) -> HttpResponse:
    """A fragment for the navigation: how much critical advice is open."""
    rows = Insight.objects.filter(organization=request.organization, state=State.OPEN, severity=Severity.CRITICAL)
    number = rows.filter(rule__in=rules_of(request.organization)).count()
    return render(request, "alerts/incident_count.html", {"number": number})
