"""Policies: which incidents are told to which channels."""

from django.contrib import messages
from django.http import HttpResponse
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
@role_required(Role.ADMIN)
def policy_new(request: MemberRequest) -> HttpResponse:
    return _edit(request, Policy(organization=request.organization, created_at=timezone.now()), "New policy")


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.ADMIN)
def policy(request: MemberRequest, policy_id: int) -> HttpResponse:
    found = get_object_or_404(
        Policy.objects.select_related("organization"), organization=request.organization, pk=policy_id
    )
    return _edit(request, found, found.name)


def _edit(request: MemberRequest, found: Policy, title: str) -> HttpResponse:
    form = PolicyForm(request.POST or None, instance=found, organization=request.organization)
    if request.method == "POST" and form.is_valid():
        administration.save_policy(
            policy=form.save(commit=False),
            channels=form.cleaned_data["channels"],
            actor=request.user,
            now=timezone.now(),
        )
        messages.success(request, f"{found} is saved.")
        return redirect("alerts:policies", organization=request.organization.slug)
    context = setup_page(request, "policies", title) | {"form": form, "policy": found}
    return render(request, "alerts/policy.html", context, status=422 if form.is_bound else 200)


@require_POST
@role_required(Role.ADMIN)
def policy_delete(request: MemberRequest, policy_id: int) -> HttpResponse:
    found = get_object_or_404(
        Policy.objects.select_related("organization"), organization=request.organization, pk=policy_id
    )
    try:
        administration.delete_policy(policy=found, actor=request.user, now=timezone.now())
    except administration.NotNowError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"{found} is deleted.")
    return redirect("alerts:policies", organization=request.organization.slug)
