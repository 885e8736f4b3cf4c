"""Faults by the dozen, and a store that holds them in a list, batch by batch."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from alerts.detector import FactWindow, Function
from observability.telemetry.records import Fault, FaultKind, Frame, Watermark, Window

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
_serial = count()


def fault(
    kind: FaultKind = FaultKind.EXCEPTION,
    *,
    organization_id: int = 1,
    resource_id: int = 1,
    at: datetime | float = 0.0,
    request_id: str | None = None,
    type: str = "ValueError",
    message: str = "boom",
    frames: Sequence[Frame] = (),
    version: str = "1",
) -> Fault:
    """A fault; ``at`` is a time or the seconds from ``NOW``. Each has a request of its own unless told otherwise."""
    serial = next(_serial)
    when = at if isinstance(at, datetime) else NOW + timedelta(seconds=at)
    return Fault(
        organization_id=organization_id,
        resource_id=resource_id,
        day=when.date(),
        event_id=hashlib.blake2b(str(serial).encode(), digest_size=16).digest(),
        at=when,
        request_id=f"request-{serial}" if request_id is None else request_id,
        version=version,
        kind=kind,
        type=type,
        message=message,
        frames=tuple(frames),
    )


CHECKOUT = Function(
    resource_id=1, name="checkout", region="eu-west-1", runtime="python3.13", memory_mb=512, timeout_s=10
)


def window(*faults: Fault, function: Function = CHECKOUT) -> FactWindow:
    return FactWindow(organization_id=1, now=NOW, faults=faults, functions={function.resource_id: function})


@dataclass
class FactList:
    """The part of the store that judging reads."""

    batches: dict[int, list[list[Fault]]] = field(default_factory=dict)

    def append(self, *faults: Fault, organization_id: int = 0) -> None:
        """One more batch."""
        self.batches.setdefault(faults[0].organization_id if faults else organization_id, []).append(list(faults))

    def watermark(self, organization_id: int) -> Watermark | None:
        batches = self.batches.get(organization_id)
        return Watermark(organization_id, len(batches), NOW, NOW) if batches else None

    def watermarks(self) -> list[Watermark]:
        return [Watermark(key, len(batches), NOW, NOW) for key, batches in self.batches.items()]

    def faults_stored(self, organization_id: int, *, after_batch: int, up_to_batch: int) -> list[Fault]:
        stored = [fault for batch in self.batches[organization_id][after_batch:up_to_batch] for fault in batch]
        return sorted(stored, key=lambda fault: fault.at)

    def faults(self, organization_id: int, window: Window, *, request_ids: Sequence[str], limit: int) -> list[Fault]:
        stored = [fault for batch in self.batches[organization_id] for fault in batch]
        return [f for f in stored if f.request_id in request_ids and window.start <= f.at < window.end][:limit]
