"""What the facts say about one incident: its failures one by one, in time, and what the failing run logged."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerts.causes import Suspect, beginning
from alerts.detector import FactWindow, Function
from alerts.detectors import DETECTORS
from alerts.failures import NOTICED
from alerts.listing import failures
from alerts.models import Incident
from observability.telemetry.records import Bucket, Fault, Frame, Invocation, LogLine, Outcome, Window
from observability.telemetry.store import Store
from observability.ui.range import TimeRange

EXACT = 300
"""Up to so many faults of a function are told apart one by one; beyond it its rollups count all of this kind."""

MOST_NOTICED = 5_000
"""As many as are read of what no rollup counts."""

SHOWN_INVOCATIONS = 8
READ_INVOCATIONS = 60
BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=2)
LINES_BEFORE, LINES_AFTER, READ_LINES = 14, 8, 400
OUTCOMES = {"timeouts": Outcome.TIMEOUT, "out_of_memory": Outcome.OUT_OF_MEMORY, "errors": Outcome.ERROR}


@dataclass(frozen=True, slots=True)
class Sample:
    """One failure in detail. ``place`` is its position among ``count``, 1 for the newest."""

    at: datetime
    request_id: str
    version: str
    type: str
    message: str
    frames: tuple[Frame, ...]
    place: int = 0
    count: int = 0
    newer: str = ""
    older: str = ""

    @property
    def own(self) -> list[Frame]:
        return [frame for frame in self.frames if frame.own]

    @property
    def library(self) -> list[Frame]:
        return [frame for frame in self.frames if not frame.own]


@dataclass(frozen=True, slots=True)
class Line:
    """A log line, and how long before (negative) or after the failure it was written."""

    line: LogLine
    offset_ms: int


@dataclass(frozen=True, slots=True)
class Affected:
    invocation: Invocation

    @property
    def id(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.invocation.event_id)


@dataclass(frozen=True, slots=True)
class Share:
    """One bar of a breakdown."""

    name: str
    share: float

    @property
    def percent(self) -> int:
        return round(self.share * 100)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the page of an incident shows of the facts in a window."""

    sample: Sample
    exact: bool
    total: int
    calls: int
    chart: dict[str, Any]
    lines: Sequence[Line]
    affected: Sequence[Affected]
    outcome: str
    breakdown: Mapping[str, Sequence[Share]]
    of_runs: bool = True
    """Whether runs of a function are the evidence, with their lines and requests, or what we noticed ourselves."""

    @property
    def rate(self) -> float | None:
        return min(1.0, self.total / self.calls) if self.calls else None


def gather(
    store: Store, incident: Incident, time_range: TimeRange, *, chosen: str, cause: Suspect | None, now: datetime
) -> Evidence:
    """Read what the window holds, in four queries. ``chosen`` is the event id (hex) of the failure to show."""
    window = Window(*time_range.window)
    organization_id, resource_id = incident.organization_id, incident.resource_id
    noticed = incident.kind in NOTICED
    most = MOST_NOTICED if noticed else EXACT
    found = store.faults(organization_id, window, resource_id=resource_id, limit=most + 1)
    exact = noticed or len(found) <= most
    mine = matching(incident, found[:most], now)
    buckets = store.series(organization_id, window, time_range.step, [resource_id])
    values = _per_bucket(mine, buckets) if exact else [failures(incident.kind, bucket.rollup) for bucket in buckets]
    sample = _sample(incident, mine, chosen)
    outcome = OUTCOMES.get(incident.kind, Outcome.ERROR)
    ran = store.invocations(
        organization_id, window, resource_id=resource_id, outcomes=[outcome], limit=READ_INVOCATIONS
    )
    requests = {fault.request_id for fault in mine}
    affected = [Affected(invocation) for invocation in ran if invocation.request_id in requests]
    return Evidence(
        sample=sample,
        exact=exact,
        total=sum(values),
        calls=sum(bucket.rollup.invocations for bucket in buckets),
        chart=_chart(incident, buckets, values, time_range, cause),
        lines=_lines(store, incident, sample),
        affected=affected[:SHOWN_INVOCATIONS],
        outcome=outcome.value,
        breakdown=_breakdown(mine, affected),
        of_runs=not noticed,
    )


def matching(incident: Incident, faults: Sequence[Fault], now: datetime) -> list[Fault]:
    """Those faults that the incident's own detector would count on it."""
    detector = next((detector for detector in DETECTORS if detector.kind == incident.kind), None)
    if detector is None:
        return []
    resource = incident.resource
    function = Function(resource.pk, resource.name, resource.region, "", None, None)
    nothing = FactWindow(incident.organization_id, now, (), {resource.pk: function})
    return [
        fault
        for fault in faults
        if any(
            finding.fingerprint == incident.fingerprint for finding in detector.detect(replace(nothing, faults=[fault]))
        )
    ]


def _per_bucket(faults: Sequence[Fault], buckets: Sequence[Bucket]) -> list[int]:
    starts = [bucket.start for bucket in buckets]
    step = starts[1] - starts[0] if len(starts) > 1 else timedelta(days=400)
    counted = Counter((fault.at - starts[0]) // step for fault in faults) if starts else Counter[int]()
    return [counted[place] for place in range(len(starts))]


def _sample(incident: Incident, faults: Sequence[Fault], chosen: str) -> Sample:
    """The chosen fault, else the newest, else the evidence that the incident itself keeps."""
    if not faults:
        return _kept(incident)
    places = {fault.event_id.hex(): place for place, fault in enumerate(faults)}
    place = places.get(chosen, 0)
    fault = faults[place]
    return Sample(
        fault.at, fault.request_id, fault.version, fault.type, fault.message, tuple(fault.frames),
        place=place + 1, count=len(faults),
        newer=faults[place - 1].event_id.hex() if place else "",
        older=faults[place + 1].event_id.hex() if place + 1 < len(faults) else "",
    )  # fmt: skip


def _kept(incident: Incident) -> Sample:
    detail: dict[str, Any] = incident.detail
    at = datetime.fromisoformat(detail["at"]) if detail.get("at") else incident.last_seen_at
    frames = tuple(Frame(**frame) for frame in detail.get("frames") or ())
    request_id, version, kind, message = (
        str(detail.get(name) or "") for name in ("request_id", "version", "type", "message")
    )
    return Sample(at, request_id, version, kind, message, frames)


def _chart(
    incident: Incident, buckets: Sequence[Bucket], values: Sequence[int], time_range: TimeRange, cause: Suspect | None
) -> dict[str, Any]:
    """Failures over time, with the time that the incident was open and the deployment before it."""
    band = {"a": beginning(incident)} | ({"b": incident.resolved_at} if incident.resolved_at else {})
    return {
        "t0": buckets[0].start if buckets else time_range.start,
        "dt": int(time_range.step.total_seconds()),
        "fmt": "count",
        "partial": time_range.live,
        "series": [{"l": "Events", "c": "err", "k": "bar", "y": list(values)}],
        "marks": [{"t": cause.deployed_at, "label": cause.label, "text": "deployed"}] if cause else [],
        "bands": [band],
        "lines": [],
    }


def _lines(store: Store, incident: Incident, sample: Sample) -> list[Line]:
    """The lines of the failing run around its error; none without a request id, for they could be anybody's."""
    if not sample.request_id:
        return []
    lines = store.log_lines(
        incident.organization_id,
        Window(sample.at - BEFORE, sample.at + AFTER),
        resource_id=incident.resource_id,
        request_id=sample.request_id,
        limit=READ_LINES,
    )
    until = sum(line.at <= sample.at for line in lines)
    near = lines[max(0, until - LINES_BEFORE) : until + LINES_AFTER]
    return [Line(line, round((line.at - sample.at).total_seconds() * 1000)) for line in near]


def _breakdown(faults: Sequence[Fault], affected: Sequence[Affected]) -> dict[str, list[Share]]:
    """By version, and by how the run began; only what tells something."""
    starts = ["cold" if row.invocation.cold_start else "warm" for row in affected]
    parts = {"Version": [fault.version for fault in faults if fault.version], "Start": starts}
    return {name: _shares(values) for name, values in parts.items() if values}


def _shares(values: Sequence[str]) -> list[Share]:
    return [Share(name, number / len(values)) for name, number in Counter(values).most_common(4)]
