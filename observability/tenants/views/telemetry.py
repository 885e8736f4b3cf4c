"""What extensions are asked to send: the log lines of how many invocations, and whether anything at all."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from observability.tenants import steering
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.forms import PauseForm, SamplingForm
from observability.tenants.models import Role
from observability.tenants.views.tabs import settings_page


@require_GET
def show(request: MemberRequest) -> HttpResponse:
    return _page(request)


@require_POST
@role_required(Role.ADMIN)
def sample(request: MemberRequest) -> HttpResponse:
    form = SamplingForm(request.POST)
    if not form.is_valid():
        return _page(request, sampling=form, status=422)
    percent = form.cleaned_data["percent"]
    steering.sample(organization=request.organization, percent=percent, actor=request.user, now=timezone.now())
    messages.success(request, "Saved. Each environment learns of it when it sends next.")
    return redirect("tenants:telemetry", organization=request.organization.slug)


@require_POST
@role_required(Role.ADMIN)
def pause(request: MemberRequest) -> HttpResponse:
    form = PauseForm(request.POST)
    if not form.is_valid():
        return _page(request, pausing=form, status=422)
    length = timedelta(minutes=form.cleaned_data["minutes"])
    steering.pause(organization=request.organization, length=length, actor=request.user, now=timezone.now())
    told = "Each environment stops when it sends next." if length else "New environments send at once."
    messages.success(request, told)
    return redirect("tenants:telemetry", organization=request.organization.slug)


def _page(
    request: MemberRequest,
    *,
    sampling: SamplingForm | None = None,
    pausing: PauseForm | None = None,
    status: int = 200,
) -> HttpResponse:
    asked = steering.of(request.organization)
    percent = asked.sampling or steering.ALL
    context = settings_page(request, "telemetry", "Telemetry") | {
        "percent": percent,
        "paused_until": asked.paused_until if asked.paused_s(timezone.now()) else None,
        "sampling_form": sampling or SamplingForm(initial={"percent": percent}),
        "pause_form": pausing or PauseForm(),
    }
    return render(request, "tenants/telemetry.html", context, status=status)
