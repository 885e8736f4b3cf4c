"""Detectors that go by thresholds: which there are, and the numbers that admins may turn."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from alerts.detector import Detector
from alerts.detectors import DETECTORS
from alerts.forms import TuningForm
from alerts.rule import Knob
from alerts.tuning import tunings
from alerts.views.tabs import setup_page
from alerts.views.turning import form_of, turn
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
    return _show(request, found, form_of(request, found.kind, found.knobs))


@role_required(Role.ADMIN)
def _save(request: MemberRequest, found: Tunable) -> HttpResponse:
    if wrong := turn(request, found.kind, found.knobs):
        return _show(request, found, wrong, status=422)
    messages.success(request, f"“{found.title}” is saved. The next look, within a minute, goes by it.")
    return redirect("alerts:detectors", organization=request.organization.slug)


def _show(request: MemberRequest, found: Tunable, form: TuningForm, *, status: int = 200) -> HttpResponse:
    context = setup_page(request, "detectors", found.title) | {"detector": found, "form": form}
    return render(request, "alerts/detector.html", context, status=status)
