from datetime import timedelta

import pytest

from alerts.failures import SAME_ATTEMPT, company_window, failures, fold, needs_company
from observability.telemetry.records import FaultKind, Frame
from tests.alerts.facts import NOW, fault

FRAMES = (Frame("/var/task/app.py", 1, "handler"),)


class TestFold:
    @pytest.mark.parametrize("weaker", [FaultKind.EXIT, FaultKind.UNKNOWN])
    @pytest.mark.parametrize(
        "stronger", [FaultKind.EXCEPTION, FaultKind.INIT_ERROR, FaultKind.TIMEOUT, FaultKind.OUT_OF_MEMORY]
    )
    def test_counts_a_failure_once_by_its_strongest_evidence(self, weaker: FaultKind, stronger: FaultKind) -> None:
        weak = fault(weaker, at=0, request_id="r")
        strong = fault(stronger, at=1, request_id="r")
        assert fold([weak, strong]) == fold([strong, weak]) == [strong]

    def test_prefers_the_platform_over_the_dying_runtime(self) -> None:
        exception = fault(at=0, request_id="r", frames=FRAMES)
        timeout = fault(FaultKind.TIMEOUT, at=1, request_id="r")
        assert fold([exception, timeout]) == [timeout]

    def test_prefers_a_stack_trace(self) -> None:
        bare, traced = fault(at=0, request_id="r"), fault(at=1, request_id="r", frames=FRAMES)
        assert fold([bare, traced]) == [traced]

    def test_prefers_the_first_among_equals_whatever_the_order(self) -> None:
        first, second = fault(at=0, request_id="r"), fault(at=1, request_id="r")
        assert fold([second, first]) == [first]

    def test_drops_what_stored_evidence_explains_better(self) -> None:
        exception = fault(at=0, request_id="r")
        assert fold([fault(FaultKind.UNKNOWN, at=1, request_id="r")], stored=[exception]) == []

    def test_counts_what_explains_better_than_stored_evidence(self) -> None:
        unknown = fault(FaultKind.UNKNOWN, at=1, request_id="r")
        exception = fault(at=0, request_id="r")
        assert fold([exception], stored=[unknown]) == [exception]

    def test_is_not_confused_by_finding_itself_in_the_store(self) -> None:
        exception = fault(request_id="r")
        assert fold([exception], stored=[exception]) == [exception]

    def test_counts_every_attempt_of_a_retried_request(self) -> None:
        attempts = [fault(at=seconds, request_id="r") for seconds in (0, 61, 182)]
        reports = [fault(FaultKind.UNKNOWN, at=seconds + 0.2, request_id="r") for seconds in (0, 61, 182)]
        assert fold(reports + attempts) == attempts

    def test_a_lone_unknown_counts(self) -> None:
        unknown = fault(FaultKind.UNKNOWN)
        assert fold([unknown]) == [unknown]

    def test_tells_requests_and_resources_apart(self) -> None:
        faults = [fault(request_id="a"), fault(request_id="b"), fault(request_id="a", resource_id=2)]
        assert len(fold(faults)) == 3

    def test_faults_without_a_request_count_each(self) -> None:
        assert len(fold([fault(request_id="", at=0), fault(request_id="", at=1)])) == 2

    def test_answers_in_time_order(self) -> None:
        late, early = fault(at=5), fault(at=1)
        assert fold([late, early]) == [early, late]


class TestAttempts:
    def test_end_where_nothing_is_heard_for_long_enough(self) -> None:
        together = [fault(at=0, request_id="r"), fault(at=SAME_ATTEMPT.total_seconds(), request_id="r")]
        assert len(failures(together)) == 1
        apart = [fault(at=0, request_id="r"), fault(at=SAME_ATTEMPT.total_seconds() + 1, request_id="r")]
        assert len(failures(apart)) == 2


class TestCompany:
    def test_is_asked_for_unless_nothing_can_explain_better(self) -> None:
        faults = [
            fault(FaultKind.UNKNOWN, request_id="a"),
            fault(request_id="b"),
            fault(FaultKind.TIMEOUT, request_id="c"),
            fault(FaultKind.UNKNOWN, request_id=""),
        ]
        assert needs_company(faults) == ["a", "b"]

    def test_is_looked_for_around_the_faults(self) -> None:
        window = company_window([fault(at=0), fault(at=100)])
        assert window.start <= NOW - SAME_ATTEMPT
        assert window.end > NOW + timedelta(seconds=100) + SAME_ATTEMPT
