"""What is new since the last look, and what the detectors make of it."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from alerts.detector import Detector, FactWindow, Function
from alerts.detectors import DETECTORS
from alerts.failures import company_window, fold, needs_company
from alerts.finding import Finding
from alerts.models import EvaluationCursor
from observability.inventory.models import Resource
from observability.telemetry.records import Fault
from observability.telemetry.store import Store

logger = logging.getLogger(__name__)

LAG = timedelta(minutes=1)  # Facts that waited longer than this are no longer just arriving.
BATCHES = 20  # Stored batches judged in one transaction, so that even in a storm it ends in time and in little memory.
COMPANY = 50_000  # Pieces of other evidence read at most; a storm beyond it may count a failure twice.
REQUESTS = 5_000  # Request ids asked for in one query.


@dataclass(frozen=True, slots=True)
class Stretch:
    """The stored batches ``(after, up_to]`` of an organization, and whether there are more behind them."""

    organization_id: int
    after: int
    up_to: int
    more: bool


def claim(organization_id: int, *, wait: bool = False) -> EvaluationCursor | None:
    """The organization's cursor, locked until the transaction ends; None when another stage holds it.

    With ``wait`` it waits for its turn instead.
    """
    EvaluationCursor.objects.get_or_create(organization_id=organization_id)
    return (
        EvaluationCursor.objects.filter(organization_id=organization_id)
        .select_for_update(skip_locked=not wait, no_key=True)
        .first()
    )


def stretch(cursor: EvaluationCursor, store: Store) -> Stretch | None:
    """What there is to judge, or None when everything stored has been judged."""
    watermark = store.watermark(cursor.organization_id)
    if watermark is None or watermark.batch <= cursor.batch:
        return None
    up_to = min(watermark.batch, cursor.batch + BATCHES)
    return Stretch(cursor.organization_id, cursor.batch, up_to, more=up_to < watermark.batch)


def behind(store: Store) -> list[int]:
    """Organizations with stored facts that nobody has judged yet, the one waiting longest first."""
    judged = dict(EvaluationCursor.objects.values_list("organization_id", "batch"))
    waiting = [mark for mark in store.watermarks() if mark.batch > judged.get(mark.organization_id, 0)]
    return [mark.organization_id for mark in sorted(waiting, key=lambda mark: mark.stored_at)]


def lags(cursor: EvaluationCursor, store: Store, *, now: datetime) -> bool:
    """Whether there are facts waiting, and nothing has been judged for so long that they may tell of old trouble."""
    judged_lately = cursor.evaluated_at is not None and cursor.evaluated_at > now - LAG
    return not judged_lately and stretch(cursor, store) is not None


def read(stretch: Stretch, store: Store, *, now: datetime) -> FactWindow:
    """The stretch's facts with every failure once; faults of resources that are gone are left out."""
    fresh = store.faults_stored(stretch.organization_id, after_batch=stretch.after, up_to_batch=stretch.up_to)
    functions = _functions(stretch.organization_id, {fault.resource_id for fault in fresh})
    fresh = [fault for fault in fresh if fault.resource_id in functions]
    faults = fold(fresh, _company(stretch.organization_id, fresh, store))
    return FactWindow(organization_id=stretch.organization_id, now=now, faults=faults, functions=functions)


def detect(window: FactWindow, detectors: Sequence[Detector] = DETECTORS) -> list[Finding]:
    """Every detector's findings; one that raises loses only the faults it cannot handle, and that is logged."""
    return [finding for detector in detectors for finding in _run(detector, window)]


def advance(cursor: EvaluationCursor, stretch: Stretch, *, now: datetime) -> None:
    """Everything up to the end of the stretch has been judged."""
    cursor.batch, cursor.evaluated_at = stretch.up_to, now
    cursor.save(update_fields=["batch", "evaluated_at"])


def _run(detector: Detector, window: FactWindow) -> list[Finding]:
    try:
        return list(detector.detect(window))
    except Exception:  # The shelf runner: a detector's mistake must not stop the others.
        logger.exception("detector.failed", extra={"detector": detector.kind, "faults": len(window.faults)})
        if len(window.faults) <= 1:
            return []
    half = len(window.faults) // 2
    parts = (replace(window, faults=window.faults[:half]), replace(window, faults=window.faults[half:]))
    return [finding for part in parts for finding in _run(detector, part)]


def _company(organization_id: int, fresh: Sequence[Fault], store: Store) -> list[Fault]:
    """Other stored evidence of the same requests, when what is fresh may not be the best explanation."""
    requests = iter(needs_company(fresh))
    found: list[Fault] = []
    while chunk := list(islice(requests, REQUESTS)):
        room = COMPANY - len(found)
        found += store.faults(organization_id, company_window(fresh), request_ids=chunk, limit=room) if room else []
    return found


def _functions(organization_id: int, resource_ids: Iterable[int]) -> dict[int, Function]:
    rows = Resource.objects.filter(organization_id=organization_id, pk__in=resource_ids)
    return {row.pk: _function(row) for row in rows}


def _function(row: Resource) -> Function:
    return Function(
        resource_id=row.pk,
        name=row.name,
        region=row.region,
        runtime=str(row.config.get("runtime") or ""),
        memory_mb=row.config.get("memory_mb"),
        timeout_s=row.config.get("timeout_s"),
    )
