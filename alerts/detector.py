"""The contract of a detector: from a window of stored facts to findings. Pure; sees no database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

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
class Unusual:
    """One metric of one resource while it is far from usual. ``reason`` says how far, in a sentence."""

    resource_id: int
    metric: str
    reason: str
    surprise: float
    started_at: datetime
    at: datetime
    fingerprint: str
    """Of the incident that it belongs to; what goes wrong together has one."""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spending:
    """A function that costs so much an hour that somebody must look; ``stop`` stops it, ``undo`` takes that back."""

    resource_id: int
    usd_per_hour: float
    usual_usd_per_hour: float
    reason: str
    stop: str
    started_at: datetime
    at: datetime
    loop: tuple[str, ...] = ()
    """Names along the way on which it may be calling itself."""
    undo: str = ""


@dataclass(frozen=True, slots=True)
class Filling:
    """How much of a limit something takes, told anew while it does: ``used`` and ``limit`` in bytes.

    ``limit_name`` is a key of ``inventory.limits``, ``name`` what people call the resource. ``thresholds`` are the
    shares from which on it is worth an info, a warning, and critical. ``news`` is false of what was told before.
    """

    resource_id: int
    name: str
    limit_name: str
    used: int
    limit: int
    version: str
    since: datetime
    at: datetime
    message: str = ""
    thresholds: tuple[float, float, float] = (0.8, 0.9, 1.0)
    news: bool = True
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advised:
    """Advice that cannot wait for somebody to read the page of insights."""

    resource_id: int
    rule: str
    title: str
    text: str
    fingerprint: str
    opened_at: datetime
    at: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FactWindow:
    """What became known since the last look: failures (each once), or what watching and advising found.

    A window comes from one stage, so that mostly all but one of its parts are empty.
    """

    organization_id: int
    now: datetime
    faults: Sequence[Fault] = ()
    functions: Mapping[int, Function] = field(default_factory=dict)
    anomalies: Sequence[Unusual] = ()
    spending: Sequence[Spending] = ()
    packages: Sequence[Filling] = ()
    advice: Sequence[Advised] = ()


class Detector(Protocol):
    """One kind of trouble. ``kind`` is stored in incidents; never rename it."""

    kind: str
    title: str
    severity: Severity

    @property
    def quiet(self) -> timedelta | None:
        """How long nothing must happen until its incidents count as resolved, where that is longer than usual."""

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        """Findings of this kind in the window; the same window gives the same findings."""


MESSAGE_LENGTH = 4_000
FRAMES = 50


def together(faults: Iterable[Fault], identity: Callable[[Fault], str]) -> dict[str, list[Fault]]:
    """Faults by the problem that they belong to, each group in time order."""
    groups: dict[str, list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: (fault.at, fault.event_id)):
        groups.setdefault(identity(fault), []).append(fault)
    return groups


def finding_of(
    detector: Detector,
    window: FactWindow,
    faults: Sequence[Fault],
    *,
    fingerprint: str,
    title: str,
    severity: Severity | None = None,
) -> Finding:
    """The finding that these faults, in time order, amount to; the latest is the evidence."""
    return Finding(
        kind=detector.kind,
        fingerprint=fingerprint,
        severity=severity or detector.severity,
        resource_id=faults[-1].resource_id,
        title=title,
        count=len(faults),
        first_at=faults[0].at,
        last_at=faults[-1].at,
        detail=evidence(faults[-1]),
    )


def evidence(fault: Fault) -> dict[str, Any]:
    """What pages and messages show of a fault; JSON-ready, and bounded whatever was thrown."""
    return {
        "type": fault.type,
        "message": fault.message[:MESSAGE_LENGTH],
        "frames": [asdict(frame) for frame in fault.frames[-FRAMES:]],
        "request_id": fault.request_id,
        "version": fault.version,
        "at": fault.at.isoformat(),
    }


def name_of(window: FactWindow, fault: Fault) -> str:
    """What people call the function."""
    function = window.functions.get(fault.resource_id)
    return function.name if function else "A function"
