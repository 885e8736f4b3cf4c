"""What we notice ourselves: detectors access_lost, coverage and did_not_run."""

from datetime import UTC, datetime

import pytest

from alerts.detectors import DETECTORS
from alerts.detectors.access_lost import AccessLost
from alerts.detectors.coverage import Coverage
from alerts.detectors.did_not_run import DidNotRun
from observability.telemetry.records import Fault, FaultKind
from tests.alerts.facts import CHECKOUT, fault, window

THREE = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def noticed(kind: FaultKind, message: str = "", at: float | datetime = 0.0) -> Fault:
    return fault(kind, message=message, at=at, request_id="", type="role_gone")


@pytest.mark.parametrize("kind", [FaultKind.ACCESS_LOST, FaultKind.COVERAGE, FaultKind.DID_NOT_RUN])
def test_each_kind_has_one_detector_of_the_same_name(kind: FaultKind) -> None:
    found = [finding.kind for detector in DETECTORS for finding in detector.detect(window(noticed(kind)))]
    assert found == [kind]


class TestAccessLost:
    def test_is_one_problem_per_account(self) -> None:
        message = "Nightjar has had no access to this account since 23 Nov 2026, 07:05 UTC. The role is gone."
        faults = [noticed(FaultKind.ACCESS_LOST, message, at=600 * n) for n in range(3)]
        (finding,) = AccessLost().detect(window(*faults))
        assert (finding.title, finding.count) == ("Blind on account checkout since 07:05 UTC", 3)
        assert finding.severity == "critical"

    @pytest.mark.parametrize(
        ("message", "title"),
        [
            ("since 9 Nov 2026, 07:05 UTC.", "Blind on account checkout since 9 Nov 2026, 07:05 UTC"),
            ("for reasons", "Blind on account checkout"),
        ],
    )
    def test_says_the_day_where_it_was_another(self, message: str, title: str) -> None:
        (finding,) = AccessLost().detect(window(noticed(FaultKind.ACCESS_LOST, message)))
        assert finding.title == title


class TestCoverage:
    @pytest.mark.parametrize(
        ("message", "title"),
        [
            ("Stored 41 of 50 invocations, 82 %: nobody knows why.", "9 of 50 invocations of checkout are missing"),
            ("Stored 0 of 12,345 invocations.", "12,345 of 12,345 invocations of checkout are missing"),
            ("Something else", "Invocations of checkout are missing"),
        ],
    )
    def test_names_the_figures_of_the_latest_hour(self, message: str, title: str) -> None:
        earlier = noticed(FaultKind.COVERAGE, "Stored 1 of 2 invocations", at=-3600)
        (finding,) = Coverage().detect(window(earlier, noticed(FaultKind.COVERAGE, message)))
        assert (finding.title, finding.count, finding.severity) == (title, 2, "warning")


class TestDidNotRun:
    def test_names_the_time_that_the_run_was_due(self) -> None:
        (finding,) = DidNotRun().detect(window(noticed(FaultKind.DID_NOT_RUN, at=THREE)))
        assert finding.title == f"{CHECKOUT.name} did not run at 03:00 UTC"
        assert finding.severity == "critical"
