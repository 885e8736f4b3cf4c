"""The thresholds that an organization asks its rules and detectors with: their defaults, unless somebody turned one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from alerts.models import Tuning
from alerts.rule import Knob
from observability.tenants import audit
from observability.tenants.models import Organization, User

UNLIMITED = 1e9
"""The most of a knob that has no upper limit worth telling."""


class OutOfLimitsError(ValueError):
    """``problems`` says of each knob, by name, what is wrong with its number."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Tunings:
    """Everything that one organization tuned, by kind."""

    rows: Mapping[str, Tuning] = field(default_factory=dict)

    def is_on(self, kind: str) -> bool:
        return self.rows[kind].enabled if kind in self.rows else True

    def of(self, kind: str, knobs: Sequence[Knob]) -> dict[str, float]:
        """A number for every knob, by name."""
        turned = self.rows[kind].values if kind in self.rows else {}
        return {knob.name: float(turned.get(knob.name, knob.default)) for knob in knobs}


def tunings(organization_id: int) -> Tunings:
    """What the organization tuned; one query."""
    return Tunings({row.kind: row for row in Tuning.objects.filter(organization_id=organization_id)})


@transaction.atomic
def tune(
    *,
    organization: Organization,
    kind: str,
    knobs: Sequence[Knob],
    enabled: bool,
    values: Mapping[str, float],
    actor: User,
    now: datetime,
) -> None:
    """Turn knobs of a rule or a detector; what is not named, or is the default, follows the default from now on.

    Raises ``OutOfLimitsError``.
    """
    known = {knob.name: knob for knob in knobs}
    problems = {name: limits(known[name]) for name, value in values.items() if not _within(known[name], value)}
    if problems:
        raise OutOfLimitsError(problems)
    turned = {name: value for name, value in values.items() if value != known[name].default}
    if enabled and not turned:
        Tuning.objects.filter(organization=organization, kind=kind).update(enabled=True, values={}, changed_at=now)
    else:
        told = {"enabled": enabled, "values": turned, "changed_at": now}
        Tuning.objects.update_or_create(organization=organization, kind=kind, defaults=told)
    detail = {"enabled": enabled, "values": turned}
    audit.record(organization=organization, actor=actor, action="tuning.changed", target=kind, detail=detail, now=now)


def _within(knob: Knob, value: float) -> bool:
    return knob.least <= value <= knob.most  # Never true of what is not a number.


def limits(knob: Knob) -> str:
    """Between which numbers a knob may stand, in words."""
    unit = f" {knob.unit}" if knob.unit else ""
    if knob.most >= UNLIMITED:
        return f"{knob.least:,.10g}{unit} or more."
    return f"Between {knob.least:,.10g} and {knob.most:,.10g}{unit}."
