"""One failure, however many pieces of evidence tell of it.

A crash may be seen twice: the runtime prints a stack trace, and the platform reports that the request failed, often
in a later batch. Both faults carry the same request id. Only the strongest evidence counts, and it counts once.

An asynchronous retry reuses the request id, but Lambda waits a minute before it. So faults of a request that are at
most ``SAME_ATTEMPT`` apart tell of one failure, and later ones of the next. A function's timeout plays no part:
evidence of a failure appears when it ends, not while it runs.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

If stronger evidence is stored only after weaker has been judged, both count: telling too much beats telling nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from observability.telemetry.records import Fault, FaultKind, Window

SAME_ATTEMPT = timedelta(seconds=30)

STRENGTH = {
    FaultKind.OUT_OF_MEMORY: 4,  # The platform's verdict beats whatever the dying runtime managed to say.
    FaultKind.TIMEOUT: 4,
    FaultKind.EXCEPTION: 2,
    FaultKind.INIT_ERROR: 2,
    FaultKind.EXIT: 1,
    FaultKind.UNKNOWN: 0,
    FaultKind.ACCESS_LOST: 4,
    FaultKind.COVERAGE: 4,
    FaultKind.DID_NOT_RUN: 4,
}

NOTICED = frozenset({FaultKind.ACCESS_LOST, FaultKind.COVERAGE, FaultKind.DID_NOT_RUN})
"""What no run of a function tells, but we ourselves; incidents of these kinds have the same names."""


def strength(fault: Fault) -> int:
    """How much a fault explains; a stack trace beats the same kind of error without one."""
    return STRENGTH[fault.kind] + bool(fault.frames and fault.kind in (FaultKind.EXCEPTION, FaultKind.INIT_ERROR))


def fold(fresh: Sequence[Fault], stored: Sequence[Fault] = ()) -> list[Fault]:
    """The ``fresh`` faults that count, in time order: each failure once, by its strongest evidence.

    ``stored`` is other evidence of the same requests, which earlier or later batches hold. A failure whose strongest
    evidence is there does not count here.
    """
    everything = {fault.event_id: fault for fault in (*stored, *fresh)}
    strongest = {_strongest(failure).event_id for failure in failures(everything.values())}
    unique = {fault.event_id: fault for fault in fresh if fault.event_id in strongest}
    return sorted(unique.values(), key=_moment)


def failures(faults: Iterable[Fault]) -> list[list[Fault]]:
    """Faults grouped by the failure that they tell of; a fault without a request id is a failure of its own."""
    requests: defaultdict[tuple[int, str], list[Fault]] = defaultdict(list)
    alone: list[list[Fault]] = []
    for fault in faults:
        if fault.request_id:
            requests[fault.resource_id, fault.request_id].append(fault)
        else:
            alone.append([fault])
    return alone + [attempt for request in requests.values() for attempt in _attempts(request)]


def needs_company(faults: Iterable[Fault]) -> list[str]:
    """Request ids whose failure may be better explained elsewhere, sorted."""
    return sorted(
        {fault.request_id for fault in faults if fault.request_id and strength(fault) < max(STRENGTH.values())}
    )


def company_window(faults: Sequence[Fault]) -> Window:
    """Where the other evidence of these faults' failures can be."""
    return Window(min(f.at for f in faults) - 2 * SAME_ATTEMPT, max(f.at for f in faults) + 2 * SAME_ATTEMPT)


def _attempts(faults: list[Fault]) -> list[list[Fault]]:
    attempts: list[list[Fault]] = []
    for fault in sorted(faults, key=_moment):
        if attempts and fault.at - attempts[-1][-1].at <= SAME_ATTEMPT:
            attempts[-1].append(fault)
        else:
            attempts.append([fault])
    return attempts


def _strongest(failure: list[Fault]) -> Fault:
    """The first of the strongest, so that the answer does not depend on the order of arrival."""
    return min(failure, key=lambda fault: (-strength(fault), *_moment(fault)))


def _moment(fault: Fault) -> tuple[datetime, bytes]:
    return fault.at, fault.event_id
