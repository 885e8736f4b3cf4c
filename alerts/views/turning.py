"""What the pages of rules and of detectors have in common: the form that turns their thresholds."""

from collections.abc import Sequence

from django.utils import timezone

from alerts.forms import TuningForm
from alerts.rule import Knob
from alerts.tuning import OutOfLimitsError, tune, tunings
from observability.tenants.access import MemberRequest


def form_of(request: MemberRequest, kind: str, knobs: Sequence[Knob]) -> TuningForm:
    """The form with what is set now; whole numbers without a point."""
    tuned = tunings(request.organization.pk)
    numbers = tuned.of(kind, knobs)
    whole = {name: int(value) for name, value in numbers.items() if value.is_integer()}
    return TuningForm(initial={"enabled": tuned.is_on(kind), **numbers, **whole}, knobs=knobs)


def turn(request: MemberRequest, kind: str, knobs: Sequence[Knob]) -> TuningForm | None:
    """Keep what was sent, or go back to the defaults; where that cannot be, the form with what is wrong."""
    form = TuningForm(request.POST, knobs=knobs)
    reset = "reset" in request.POST
    if not reset and not form.is_valid():
        return form
    enabled, values = (True, {}) if reset else form.told()
    try:
        tune(
            organization=request.organization, kind=kind, knobs=knobs, enabled=enabled, values=values,
            actor=request.user, now=timezone.now(),
        )  # fmt: skip
    except OutOfLimitsError as error:
        for name, problem in error.problems.items():
            form.add_error(name, problem)
        return form
    return None
