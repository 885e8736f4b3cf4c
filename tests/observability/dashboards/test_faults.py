"""Faults: groups and stacks."""

from datetime import timedelta

from observability.dashboards.faults import culprit, stack, title, troubles
from observability.telemetry.records import Fault, FaultKind, Frame
from tests.observability.dashboards.buckets import START


def frame(name: str, *, own: bool = True) -> Frame:
    return Frame(f"/var/task/{name}.py", 1, name, own=own)


def fault(minute: int, type: str = "KeyError", kind: FaultKind = FaultKind.EXCEPTION) -> Fault:
    at = START + timedelta(minutes=minute)
    return Fault(1, 1, at.date(), bytes(16), at, "", "7", kind, type, "", (frame("handler"),))


OWN, LIBRARY = frame("handler"), frame("client", own=False)


class TestStack:
    def test_folds_runs_of_library_frames(self) -> None:
        found = stack([OWN, LIBRARY, LIBRARY, LIBRARY, OWN])
        assert [(len(stretch.frames), stretch.folded) for stretch in found] == [(1, False), (3, True), (1, False)]

    def test_does_not_fold_a_single_frame(self) -> None:
        assert not any(stretch.folded for stretch in stack([OWN, LIBRARY]))

    def test_shows_library_frames_where_there_are_no_others(self) -> None:
        (stretch,) = stack([LIBRARY] * 5)
        assert not stretch.folded

    def test_may_be_empty(self) -> None:
        assert stack([]) == ()

    def test_leads_to_the_innermost_frame_of_ones_own(self) -> None:
        inner = frame("charge")
        assert culprit([OWN, inner, LIBRARY]) == inner
        assert culprit([LIBRARY]) is None


class TestTroubles:
    def test_are_grouped_by_kind_and_type(self) -> None:
        found = troubles([fault(9), fault(8, "", FaultKind.TIMEOUT), fault(7), fault(6)])
        assert [(trouble.title, trouble.count) for trouble in found] == [("KeyError", 3), ("Timed out", 1)]

    def test_know_the_newest_and_the_first(self) -> None:
        (trouble,) = troubles([fault(9), fault(6)])
        assert (trouble.example.at, trouble.first_at) == (fault(9).at, fault(6).at)


def test_a_fault_without_a_type_is_called_by_what_happened() -> None:
    assert title(fault(0, "", FaultKind.OUT_OF_MEMORY)) == "Out of memory"
