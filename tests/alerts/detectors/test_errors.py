import pytest

from alerts.detectors.errors import Errors
from alerts.finding import Severity
from observability.telemetry.records import FaultKind, Frame
from tests.alerts.facts import NOW, fault, window


class TestTitle:
    @pytest.mark.parametrize(
        ("kind", "type", "message", "title"),
        [
            (FaultKind.EXCEPTION, "ValueError", "boom", "ValueError: boom in checkout"),
            (FaultKind.EXCEPTION, "com.acme.StripeTimeout", "no answer", "StripeTimeout: no answer in checkout"),
            (FaultKind.EXCEPTION, "ValueError", "", "ValueError in checkout"),
            (FaultKind.EXCEPTION, "", "", "Unhandled exception in checkout"),
            (FaultKind.EXCEPTION, "ValueError", "\n two\n lines", "ValueError: two in checkout"),
            (
                FaultKind.INIT_ERROR,
                "Runtime.ImportModuleError",
                "no",
                "checkout failed to start: ImportModuleError: no",
            ),
            (FaultKind.EXIT, "Runtime.ExitError", "exit status 1", "checkout crashed: exit status 1"),
            (FaultKind.EXIT, "Runtime.ExitError", "", "checkout crashed: ExitError"),
            (FaultKind.EXIT, "", "", "checkout crashed"),
            (FaultKind.UNKNOWN, "unknown", "", "checkout failed without saying why"),
            (FaultKind.UNKNOWN, "Runtime.Unknown", "", "checkout failed: Unknown"),
        ],
    )
    def test_says_what_happened_to_whom(self, kind: FaultKind, type: str, message: str, title: str) -> None:
        (finding,) = Errors().detect(window(fault(kind, type=type, message=message)))
        assert finding.title == title

    def test_is_short_whatever_was_thrown(self) -> None:
        (finding,) = Errors().detect(window(fault(message="x" * 10_000)))
        assert len(finding.title) < 160


class TestDetect:
    def test_puts_the_same_error_together(self) -> None:
        faults = [fault(message=f"order {n} is gone", at=n) for n in range(3)]
        (finding,) = Errors().detect(window(*reversed(faults)))
        assert (finding.count, finding.first_at, finding.last_at) == (3, NOW, faults[2].at)
        assert finding.detail["message"] == "order 2 is gone"

    def test_tells_errors_apart(self) -> None:
        assert len(list(Errors().detect(window(fault(type="KeyError"), fault(type="ValueError"))))) == 2

    def test_leaves_the_rest_to_others(self) -> None:
        assert list(Errors().detect(window(fault(FaultKind.TIMEOUT), fault(FaultKind.OUT_OF_MEMORY)))) == []

    def test_brings_evidence(self) -> None:
        frame = Frame("/var/task/app.py", 7, "handler", code="raise ValueError")
        (finding,) = Errors().detect(window(fault(frames=[frame], request_id="r", version="42")))
        assert finding.detail == {
            "type": "ValueError",
            "message": "boom",
            "frames": [
                {"file": "/var/task/app.py", "line": 7, "function": "handler", "code": "raise ValueError", "own": True}
            ],
            "request_id": "r",
            "version": "42",
            "at": NOW.isoformat(),
        }

    def test_is_quieter_about_what_nobody_explains(self) -> None:
        (finding,) = Errors().detect(window(fault(FaultKind.UNKNOWN)))
        assert finding.severity == Severity.WARNING

    def test_copes_with_a_function_it_does_not_know(self) -> None:
        (finding,) = Errors().detect(window(fault(resource_id=99)))
        assert finding.title == "ValueError: boom in A function"
