"""The thresholds that an organization asks its rules and detectors with: their defaults, unless somebody turned one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerts.models import Tuning
from alerts.rule import Knob


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
