"""Detectors that go by thresholds: which there are, and the numbers that admins may turn."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from alerts.detector import Detector
from alerts.detectors import DETECTORS
from alerts.forms import TuningForm
from alerts.rule import Knob
from alerts.tuning import OutOfLimitsError, tune, tunings
from alerts.views.tabs import setup_page
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role


@runtime_checkable
class Tunable(Detector, Protocol):
    """A detector with thresholds; the others judge what failed, and failed is failed."""

    knobs: Sequence[Knob]


TUNABLE: dict[str, Tunable] = {detector.kind: detector for detector in DETECTORS if isinstance(detector, Tunable)}


@require_GET
def detectors(request: MemberRequest) -> HttpResponse:
    tuned = tunings(request.organization.pk)
    rows = [
        {
            "detector": detector,
            "on": tuned.is_on(kind),
            "knobs": [(knob, tuned.of(kind, detector.knobs)[knob.name]) for knob in detector.knobs],
        }
        for kind, detector in TUNABLE.items()
    ]
    return render(request, "alerts/detectors.html", setup_page(request, "detectors", "Detectors") | {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
def detector(request: MemberRequest, detector: str) -> HttpResponseBase:
    """Everybody sees from which figures on something is told; only admins may turn them."""
    if detector not in TUNABLE:
        raise Http404
    found = TUNABLE[detector]
    if request.method == "POST":
        return _save(request, found)
    tuned = tunings(request.organization.pk)
    initial = {"enabled": tuned.is_on(detector), **tuned.of(detector, found.knobs)}
    return _show(request, found, TuningForm(initial=initial, knobs=found.knobs))


@role_required(Role.ADMIN)
def _save(request: MemberRequest, found: Tunable) -> HttpResponse:
    form = TuningForm(request.POST, knobs=found.knobs)
    if "reset" not in request.POST and not form.is_valid():
        return _show(request, found, form, status=422)
    enabled, values = (True, {}) if "reset" in request.POST else form.told()
    try:
        tune(
            organization=request.organization, kind=found.kind, knobs=found.knobs, enabled=enabled, values=values,
            actor=request.user, now=timezone.now(),
        )  # fmt: skip
    except OutOfLimitsError as error:
        for name, problem in error.problems.items():
            form.add_error(name, problem)
        return _show(request, found, form, status=422)
    messages.success(request, f"“{found.title}” is saved. The next look, within a minute, goes by it.")
    return redirect("alerts:detectors", organization=request.organization.slug)


def _show(request: MemberRequest, found: Tunable, form: TuningForm, *, status: int = 200) -> HttpResponse:
    context = setup_page(request, "detectors", found.title) | {"detector": found, "form": form}
    return render(request, "alerts/detector.html", context, status=status)
