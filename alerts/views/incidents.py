"""The list of incidents, one incident, and what people do to it."""

import re
from datetime import datetime, timedelta
from typing import Any, TypedDict
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Case, OuterRef, Subquery, When
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from alerts import board, causes, evidence, incidents, listing
from alerts.detectors.anomaly import Anomaly
from alerts.detectors.insight import Insights
from alerts.detectors.oversized_deployment import OversizedDeployment
from alerts.detectors.runaway import Runaway
from alerts.finding import Severity
from alerts.forms import MuteForm, NoteForm
from alerts.models import Incident, State
from alerts.timeline import timeline
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Organization, Role, User
from observability.ui.range import TimeRange, parse
from observability.ui.tabs import Tab

ASKED_FIRST = {"acknowledge": "Acknowledge", "resolve": "Resolve"}
"""What a link in a message may lead to: a page that asks, because programs follow links too."""

DONE = {
    "acknowledge": "#{number} is acknowledged.",
    "resolve": "#{number} is resolved. It opens again by itself if it comes back.",
    "reopen": "#{number} is open again.",
    "mute": "#{number} is muted. It goes on counting.",
    "unmute": "#{number} is no longer muted.",
    "note": "The note is on the timeline.",
    "assign": "#{number} has a new owner.",
}

ODD = frozenset({Anomaly.kind, Runaway.kind})
"""What watching finds: there are no failures to show, but numbers."""

PLAIN = {
    "acknowledge": incidents.acknowledge,
    "resolve": incidents.resolve,
    "reopen": incidents.reopen,
    "unmute": incidents.unmute,
}


class Step(TypedDict):
    """What every action of a person takes."""

    organization: Organization
    number: int
    actor: User
    now: datetime


@require_GET
def incidents_list(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    query = request.GET.get("q", "").strip()
    search = listing.read(query)
    states = search.states or {_state(request.GET.get("state", ""))}
    matching = listing.matching(request.organization, search, request.user)
    counts = listing.counts(matching)
    page = listing.page(matching.filter(state__in=states), request.GET.get("before", ""))
    bars = listing.bars(get_store(), request.organization, page.incidents, now)
    url = reverse("alerts:incidents", kwargs={"organization": request.organization.slug})
    kept = " ".join(term for term in query.split() if not term.startswith("is:") or term == "is:mine")
    context = {
        "title": "Incidents",
        "nav": "incidents",
        "query": query,
        "search": search,
        "state": next(iter(states)) if len(states) == 1 else "",
        "tabs": [
            Tab(state.label, f"{url}?{urlencode({'state': state.value, 'q': kept})}", state in states, counts[state])
            for state in State
        ],
        "elsewhere": sum(counts.values()) - sum(counts[state] for state in states),
        "rows": [(incident, bars.get(incident.pk, [])) for incident in page.incidents],
        "older": _with(request.GET, before=page.older) if page.older else "",
        "here": request.get_full_path(),
        "may_act": request.membership.may(Role.MEMBER),
    }
    return render(request, "alerts/incidents.html", context)


def _state(text: str) -> State:
    return State(text) if text in State.values else State.OPEN


def _with(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for name, value in changes.items():
        changed[name] = value
    return f"?{changed.urlencode()}"


@require_GET
def incident(request: MemberRequest, number: int) -> HttpResponse:
    now = timezone.now()
    found = get_object_or_404(_with_neighbours(request), number=number)
    if found.kind == Insights.kind:
        return _advice(request, found)
    if found.kind in ODD:
        return _odd(request, found, now)
    if found.kind == OversizedDeployment.kind:
        return _package(request, found)
    time_range = _range(request.GET, found, now)
    cause = causes.suspect(found)
    gathered = evidence.gather(
        get_store(), found, time_range, chosen=request.GET.get("event", ""), cause=cause, now=now
    )
    context = _head(request, found) | {
        "time_range": time_range,
        "evidence": gathered,
        "sample": gathered.sample,
        "cause": cause,
        "timeline": timeline(found, cause),
        "still": now - found.last_seen_at < incidents.quiet(found.kind),
    }
    return render(request, "alerts/incident.html", context)


def _odd(request: MemberRequest, found: Incident, now: datetime) -> HttpResponse:
    """An incident that watching found: numbers are its evidence, and the charts of its resource show them."""
    cause = causes.suspect(found)
    context = _head(request, found) | {
        "time_range": _range(request.GET, found, now),
        "detail": found.detail,
        "fixes": [(fix.get("name") or board.WAYS[fix["way"]], fix["text"]) for fix in found.detail.get("fixes") or ()],
        "is_of_account": found.resource.type == "aws_account",
        "cause": cause,
        "timeline": timeline(found, cause),
        "still": now - found.last_seen_at < incidents.quiet(found.kind),
    }
    return render(request, "alerts/incident_odd.html", context)


def _package(request: MemberRequest, found: Incident) -> HttpResponse:
    """An incident that is a limit nearly reached: its sizes are the evidence, and the page of packages has the rest."""
    used, limit = found.detail.get("used") or 0, found.detail.get("limit") or 0
    context = {
        "detail": found.detail,
        "share": used / limit if limit else 0,
        "is_of_account": found.resource.type == "aws_account",
        "timeline": timeline(found, None),
    }
    return render(request, "alerts/incident_package.html", _head(request, found) | context)


def _advice(request: MemberRequest, found: Incident) -> HttpResponse:
    """An incident that is advice: no run is its evidence."""
    fixes = [(board.WAYS.get(fix["way"], fix["way"]), fix["text"]) for fix in found.detail.get("fixes") or ()]
    context = {"detail": found.detail, "fixes": fixes, "timeline": timeline(found, None)}
    return render(request, "alerts/incident_advice.html", _head(request, found) | context)


def _head(request: MemberRequest, found: Incident) -> dict[str, Any]:
    """What the pages of all incidents show."""
    may_act = request.membership.may(Role.MEMBER)
    return {
        "title": f"#{found.number} {found.title}",
        "nav": "incidents",
        "incident": found,
        "may_act": may_act,
        "members": request.organization.members.order_by("email") if may_act else (),
        "here": request.get_full_path(),
    }


def _with_neighbours(request: MemberRequest) -> Any:
    """Incidents of the organization, each with the numbers before and after it."""
    mine = Incident.objects.filter(organization=request.organization)
    older = mine.filter(number__lt=OuterRef("number")).order_by("-number").values("number")[:1]
    newer = mine.filter(number__gt=OuterRef("number")).order_by("number").values("number")[:1]
    return mine.select_related("resource", "assignee__user").annotate(older=Subquery(older), newer=Subquery(newer))


def _range(query: QueryDict, found: Incident, now: datetime) -> TimeRange:
    """The range that the URL asks for, else one in which the incident can be seen well."""
    if "range" in query or "from" in query:
        return parse(query, now)
    chosen = QueryDict(mutable=True)
    if causes.beginning(found) > now - timedelta(hours=5):
        chosen["range"] = "6h"
    elif found.last_seen_at < now - timedelta(hours=23):
        chosen["from"] = str(int((found.last_seen_at - timedelta(hours=21)).timestamp()))
        chosen["to"] = str(int((found.last_seen_at + timedelta(hours=3)).timestamp()))
    return parse(chosen, now)


@require_http_methods(["GET", "HEAD", "POST"])
def incident_action(request: MemberRequest, number: int, action: str) -> HttpResponseBase:
    """POST does it; GET asks first, where a message links to it."""
    if action not in DONE:
        raise Http404
    found = get_object_or_404(
        Incident.objects.select_related("resource"), organization=request.organization, number=number
    )
    if request.method == "POST":
        return _perform(request, number, action)
    return _ask(request, found, action) if action in ASKED_FIRST else HttpResponseNotAllowed(["POST"])


def _ask(request: MemberRequest, found: Incident, action: str) -> HttpResponse:
    context = {
        "title": f"{ASKED_FIRST[action]} #{found.number}",
        "nav": "incidents",
        "incident": found,
        "action": action,
        "label": ASKED_FIRST[action],
        "possible": found.state in (State.OPEN, State.MUTED) or (action == "resolve" and found.state != State.RESOLVED),
        "may_act": request.membership.may(Role.MEMBER),
    }
    return render(request, "alerts/confirm.html", context)


@role_required(Role.MEMBER)
def _perform(request: MemberRequest, number: int, action: str) -> HttpResponse:
    """Do it, or say why it cannot be done."""
    try:
        _act(request, number, action)
    except incidents.IllegalTransitionError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, DONE[action].format(number=number))
    return redirect(_back(request, number))


def _act(request: MemberRequest, number: int, action: str) -> None:
    now = timezone.now()
    step: Step = {"organization": request.organization, "number": number, "actor": request.user, "now": now}
    match action:
        case "mute":
            incidents.mute(**step, until=_mute_end(request, now))
        case "note":
            incidents.note(**step, text=_note_text(request))
        case "assign":
            incidents.assign(**step, assignee=_assignee(request))
        case _:
            PLAIN[action](**step)


def _mute_end(request: MemberRequest, now: datetime) -> datetime | None:
    form = MuteForm(request.POST)
    if not form.is_valid():
        raise incidents.IllegalTransitionError("Choose for how long to mute it.")
    return form.end(now)


def _note_text(request: MemberRequest) -> str:
    form = NoteForm(request.POST)
    if not form.is_valid():
        raise incidents.IllegalTransitionError("Write a note of at most 4,000 characters.")
    text: str = form.cleaned_data["text"]
    return text


def _assignee(request: MemberRequest) -> User | None:
    """The chosen member, or None for nobody."""
    chosen = request.POST.get("assignee", "")
    if not chosen:
        return None
    number = _number(chosen)
    member = request.organization.members.filter(pk=number).first() if number is not None else None
    if member is None:
        raise incidents.IllegalTransitionError("That person is not a member.")
    return member


def _back(request: MemberRequest, number: int) -> str:
    """Where the reader came from, if it is a path of ours; else the incident."""
    wanted = request.POST.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("alerts:incident", kwargs={"organization": request.organization.slug, "number": number})


@require_GET
def open_incidents(request: MemberRequest) -> HttpResponse:
    """A fragment: what is open or acknowledged now, in the organization or of one function, worst first."""
    active = Incident.objects.filter(organization=request.organization, state__in=(State.OPEN, State.ACKNOWLEDGED))
    if (resource := _number(request.GET.get("resource_id", ""))) is not None:
        active = active.filter(resource=resource)
    if (without := _number(request.GET.get("without", ""))) is not None:
        active = active.exclude(number=without)
    loudest = Case(*[When(severity=severity, then=place) for place, severity in enumerate(Severity)])
    shown = list(active.select_related("resource").order_by(loudest, "-last_seen_at")[:7])
    context = {"incidents": shown[:6], "more": len(shown) > 6, "heading": request.GET.get("heading", "")}
    pills = request.GET.get("form") == "pills"
    return render(request, "alerts/incident_pills.html" if pills else "alerts/open_incidents.html", context)


def _number(text: str) -> int | None:
    """An id in a URL, or None for what cannot be one."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


@require_GET
def incident_count(request: MemberRequest) -> HttpResponse:
    """A fragment for the navigation: how many incidents wait for somebody."""
    number = Incident.objects.filter(organization=request.organization, state=State.OPEN).count()
    return render(request, "alerts/incident_count.html", {"number": number})
