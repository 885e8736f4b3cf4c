"""The contract of a detector: from a window of stored facts to findings. Pure; sees no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alerts.finding import Finding, Severity
from observability.telemetry.records import Fault


@dataclass(frozen=True, slots=True)
class Function:
    """What a detector may know about a resource."""

    resource_id: int
    name: str
    region: str
    runtime: str
    memory_mb: int | None
    timeout_s: float | None


@dataclass(frozen=True, slots=True)
class FactWindow:
    """The facts that became known since the last evaluation, each failure once (see ``alerts.evaluation``)."""

    organization_id: int
    now: datetime
    faults: Sequence[Fault]
    functions: Mapping[int, Function]


class Detector(Protocol):
    """One kind of trouble. ``kind`` is stored in incidents; never rename it."""

    kind: str
    title: str
    severity: Severity

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        """Findings of this kind in the window; the same window gives the same findings."""
