from dataclasses import replace

from alerts.detectors.out_of_memory import OutOfMemory
from observability.telemetry.records import FaultKind
from tests.alerts.facts import CHECKOUT, fault, window


class TestOutOfMemory:
    def test_is_one_problem_per_function(self) -> None:
        faults = [fault(FaultKind.OUT_OF_MEMORY, at=n) for n in range(2)]
        (finding,) = OutOfMemory().detect(window(*faults, fault()))
        assert (finding.kind, finding.count) == ("out_of_memory", 2)
        assert finding.title == "checkout ran out of memory (512 MB)"

    def test_does_not_invent_a_size(self) -> None:
        function = replace(CHECKOUT, memory_mb=None)
        (finding,) = OutOfMemory().detect(window(fault(FaultKind.OUT_OF_MEMORY), function=function))
        assert finding.title == "checkout ran out of memory"
