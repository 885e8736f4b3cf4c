"""Faults as people read them: grouped, and with their own code before that of libraries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from observability.telemetry.records import Fault, FaultKind, Frame

NAMES = {
    FaultKind.TIMEOUT: "Timed out",
    FaultKind.OUT_OF_MEMORY: "Out of memory",
    FaultKind.INIT_ERROR: "Failed to initialize",
    FaultKind.EXIT: "Exited early",
    FaultKind.EXCEPTION: "Exception",
    FaultKind.UNKNOWN: "Failed",
}
FEWEST_FOLDED = 2
"""A single library frame takes no more room than the line that would stand for it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring stack frames that are shown, or folded behind a line that counts them."""

    frames: tuple[Frame, ...]
    folded: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Faults of the same kind and type, with the newest of them as the example."""

    title: str
    example: Fault
    count: int
    first_at: datetime
    stack: tuple[Stretch, ...]
    culprit: Frame | None


def title(fault: Fault) -> str:
    """The error's type, or what happened where there is none."""
    return fault.type or NAMES[fault.kind]


def stack(frames: Sequence[Frame]) -> tuple[Stretch, ...]:
    """The frames in their order, library frames folded; nothing is folded where all are of libraries."""
    if not any(frame.own for frame in frames):
        return (Stretch(tuple(frames), False),) if frames else ()
    runs = [(own, tuple(run)) for own, run in groupby(frames, key=lambda frame: frame.own)]
    return tuple(Stretch(run, not own and len(run) >= FEWEST_FOLDED) for own, run in runs)


def culprit(frames: Sequence[Frame]) -> Frame | None:
    """The innermost frame of the customer's own code: where to look first."""
    return next((frame for frame in reversed(frames) if frame.own), None)


def troubles(faults: Iterable[Fault]) -> list[Trouble]:
    """What failed, grouped by kind and type; takes faults newest first and answers in the order of the newest."""
    groups: dict[tuple[FaultKind, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.kind, fault.type), []).append(fault)
    return [_trouble(group) for group in groups.values()]


def _trouble(group: Sequence[Fault]) -> Trouble:
    example = group[0]
    return Trouble(
        title=title(example),
        example=example,
        count=len(group),
        first_at=group[-1].at,
        stack=stack(example.frames),
        culprit=culprit(example.frames),
    )
