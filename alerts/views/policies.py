"""Policies: which incidents are told to which channels."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alerts import administration
from alerts.detectors import DETECTORS
from alerts.forms import PolicyForm
from alerts.models import Policy
from alerts.views.tabs import setup_page
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role

TITLES = {detector.kind: detector.title for detector in DETECTORS}


@require_GET
def policies(request: MemberRequest) -> HttpResponse:
    found = Policy.objects.filter(organization=request.organization).order_by("-is_default", "name")
    rows = [
        {
            "policy": policy,
            "kinds": [TITLES.get(kind, kind) for kind in policy.kinds],
            "channels": policy.channels.all(),
        }
        for policy in found.prefetch_related("channels")
    ]
    return render(request, "alerts/policies.html", setup_page(request, "policies", "Policies") | {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def policy_new(request: MemberRequest) -> HttpResponseBase:
    return _page(request, Policy(organization=request.organization, created_at=timezone.now()), "New policy")


@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: MemberRequest, policy_id: int) -> HttpResponseBase:
    found = _mine(request, policy_id)
    return _page(request, found, found.name)


def _mine(request: MemberRequest, policy_id: int) -> Policy:
    rows = Policy.objects.select_related("organization")
    return get_object_or_404(rows, organization=request.organization, pk=policy_id)


def _page(request: MemberRequest, found: Policy, title: str) -> HttpResponseBase:
    """Everybody sees what a policy says; only admins may change it."""
    if request.method == "POST":
        return _save(request, found, title)
    return _show(request, PolicyForm(instance=found, organization=request.organization), title)


@role_required(Role.ADMIN)
def _save(request: MemberRequest, found: Policy, title: str) -> HttpResponse:
    form = PolicyForm(request.POST, instance=found, organization=request.organization)
    if not form.is_valid():
        return _show(request, form, title, status=422)
    administration.save_policy(
        policy=form.save(commit=False), channels=form.cleaned_data["channels"], actor=request.user, now=timezone.now()
    )
    messages.success(request, f"{found} is saved.")
    return redirect("alerts:policies", organization=request.organization.slug)


def _show(request: MemberRequest, form: PolicyForm, title: str, *, status: int = 200) -> HttpResponse:
    context = setup_page(request, "policies", title) | {"form": form, "policy": form.instance}
    return render(request, "alerts/policy.html", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def policy_delete(request: MemberRequest, policy_id: int) -> HttpResponse:
    found = _mine(request, policy_id)
    try:
        administration.delete_policy(policy=found, actor=request.user, now=timezone.now())
    except administration.NotNowError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"{found} is deleted.")
    return redirect("alerts:policies", organization=request.organization.slug)
