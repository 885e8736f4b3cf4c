"""The rules of insights: what each looks for, and the thresholds that admins may turn."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from alerts.board import PILLARS
from alerts.forms import TuningForm
from alerts.models import Insight
from alerts.rule import Rule
from alerts.rules import BY_KIND, RULES
from alerts.tuning import tunings
from alerts.views.turning import form_of, turn
from observability.dashboards.kinds import kind
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role

State = Insight.State


@require_GET
def rules_page(request: MemberRequest) -> HttpResponse:
    """By pillar, with what is open of each and which thresholds were turned."""
    tuned = tunings(request.organization.pk)
    open_ones = _open_ones(request)
    rows = [
        {
            "rule": rule,
            "pillar": PILLARS[rule.pillar],
            "types": [kind(each).one for each in rule.types],
            "on": tuned.is_on(rule.kind),
            "turned": bool(rule.kind in tuned.rows and tuned.rows[rule.kind].values),
            "open": open_ones[rule.kind],
            "knobs": [(knob, tuned.of(rule.kind, rule.knobs)[knob.name]) for knob in rule.knobs],
        }
        for rule in sorted(RULES, key=lambda rule: (list(PILLARS).index(rule.pillar), rule.title))
    ]
    context = {"title": "Rules", "nav": "insights", "rows": rows, "off": sum(not row["on"] for row in rows)}
    return render(request, "alerts/rules.html", context)


def _open_ones(request: MemberRequest) -> Counter[str]:
    rows = Insight.objects.filter(organization=request.organization, state=State.OPEN).order_by()
    return Counter(dict(rows.values_list("rule").annotate(number=Count("pk"))))


@require_http_methods(["GET", "HEAD", "POST"])
def rule_page(request: MemberRequest, rule: str) -> HttpResponseBase:
    """Everybody sees what a rule looks for; only admins may turn its knobs."""
    if rule not in BY_KIND:
        raise Http404
    found = BY_KIND[rule]
    if request.method == "POST":
        return _save(request, found)
    return _show(request, found, form_of(request, found.kind, found.knobs))


@role_required(Role.ADMIN)
def _save(request: MemberRequest, rule: Rule) -> HttpResponse:
    if wrong := turn(request, rule.kind, rule.knobs):
        return _show(request, rule, wrong, status=422)
    messages.success(request, f"“{rule.title}” is saved. The next look, within the hour, goes by it.")
    return redirect("alerts:insight_rules", organization=request.organization.slug)


def _show(request: MemberRequest, rule: Rule, form: TuningForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "title": rule.title,
        "nav": "insights",
        "rule": rule,
        "pillar": PILLARS[rule.pillar],
        "types": [kind(each).many for each in rule.types],
        "form": form,
        "open": _open_ones(request)[rule.kind],
        "is_admin": request.membership.may(Role.ADMIN),
    }
    return render(request, "alerts/rule.html", context, status=status)
