from dataclasses import replace

import pytest

from alerts.detectors.timeouts import Timeouts
from observability.telemetry.records import FaultKind
from tests.alerts.facts import CHECKOUT, fault, window

UNLIMITED = replace(CHECKOUT, timeout_s=None)


class TestTimeouts:
    def test_are_one_problem_per_function(self) -> None:
        (finding,) = Timeouts().detect(window(fault(FaultKind.TIMEOUT), fault(FaultKind.TIMEOUT, at=1), fault()))
        assert (finding.kind, finding.count, finding.title) == ("timeouts", 2, "checkout timed out after 10 s")

    @pytest.mark.parametrize(
        ("message", "title"),
        [
            ("Task timed out after 3.00 seconds", "checkout timed out after 3 s"),
            ("Task timed out after 0.50 s", "checkout timed out after 0.5 s"),
            ("", "checkout timed out"),
        ],
    )
    def test_take_the_limit_from_the_message_when_it_is_not_known(self, message: str, title: str) -> None:
        (finding,) = Timeouts().detect(window(fault(FaultKind.TIMEOUT, message=message), function=UNLIMITED))
        assert finding.title == title
