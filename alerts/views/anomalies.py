"""The page of anomalies, the fragment that pages of resources load, and what people say of an anomaly."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST
from django_htmx.middleware import HtmxDetails

from alerts import oddities
from alerts.models import Anomaly, WatchCursor
from alerts.watching import feedback, watch
from alerts.watching.series import TYPES
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role
from observability.ui.range import TimeRange, parse

MOST = 200
MOST_OF_RESOURCE = 12
THANKS = {
    Anomaly.Feedback.EXPECTED: "Thanks. From now on that counts as usual.",
    Anomaly.Feedback.TROUBLE: "Thanks. That will never count as usual.",
}


@require_GET
def anomalies_page(request: MemberRequest) -> HttpResponse:
    time_range = _range(request.GET)
    found = oddities.found(request.organization, Window(*time_range.window))
    told_only = request.GET.get("show") == "told"
    rows = oddities.shown(request.organization, (found.filter(told=True) if told_only else found)[:MOST])
    cursor = WatchCursor.objects.filter(organization=request.organization).first()
    ready_at = watch.ready_at(cursor)
    context = {
        "title": "Anomalies",
        "nav": "incidents",
        "time_range": time_range,
        "rows": rows,
        "cut": len(rows) == MOST,
        "told_only": told_only,
        "watched_at": cursor.watched_at if cursor else None,
        "ready_at": ready_at,
        "is_learning": ready_at is None or ready_at > timezone.now(),
        "runs_anything": request.organization.resources.filter(type__in=TYPES).exists(),
        "may_act": request.membership.may(Role.MEMBER),
        "here": request.get_full_path(),
    }
    return render(request, "alerts/anomalies.html", context)


def _range(query: QueryDict) -> TimeRange:
    """A week, unless the URL asks for another time."""
    if "range" not in query and "from" not in query:
        query = query.copy()
        query["range"] = "7d"
    return parse(query, timezone.now())


@require_GET
def resource_anomalies(request: MemberRequest, resource_id: int) -> HttpResponse:
    """A fragment: what was odd about a resource in the time of the page, with charts."""
    resource = get_object_or_404(request.organization.resources, pk=resource_id)
    time_range = parse(request.GET, timezone.now())
    found = list(oddities.found(request.organization, Window(*time_range.window), resource=resource)[:MOST_OF_RESOURCE])
    context = {
        "resource": resource,
        "time_range": time_range,
        "rows": oddities.shown(request.organization, found),
        "panels": oddities.panels(get_store(), resource, found, time_range),
        "without": request.GET.get("without", ""),
        "may_act": request.membership.may(Role.MEMBER),
        "here": _asking_page(request),
    }
    return render(request, "alerts/resource_anomalies.html", context)


def _asking_page(request: MemberRequest) -> str:
    """The path of the page that loads the fragment."""
    return str(HtmxDetails(request).current_url_abs_path or "")


@require_POST
@role_required(Role.MEMBER)
def anomaly_feedback(request: MemberRequest, anomaly_id: int) -> HttpResponse:
    found = get_object_or_404(Anomaly, organization=request.organization, pk=anomaly_id)
    given = request.POST.get("feedback", "")
    if given not in Anomaly.Feedback.values:
        return HttpResponseBadRequest("Say whether it was expected or trouble.")
    said = Anomaly.Feedback(given)
    feedback.give(anomaly=found, feedback=said, actor=request.user, now=timezone.now())
    messages.success(request, THANKS[said])
    wanted = request.POST.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return redirect(wanted)
    return redirect(reverse("alerts:anomalies", kwargs={"organization": request.organization.slug}))
