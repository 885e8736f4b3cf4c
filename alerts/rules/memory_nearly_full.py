"""Functions whose runs leave hardly any memory free."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.saving import stepped
from observability.inventory.limits import MEMORY
from observability.ui.units import megabytes, number, percent

ROOM = 1.4


class MemoryNearlyFull:
    kind = "memory_nearly_full"
    title = "Memory is nearly full"
    why = (
        "A larger event, or a leak, and the environment is killed in the middle of a run, without a word from the code."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("high", "Tell when a run used more than", 85, "% of the memory", 1, 100),
        Knob("full", "Warn when a run used more than", 95, "% of the memory", 1, 100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        memory, used, rollup = subject.config.get("memory_mb"), subject.rollup.max_memory_mb, subject.rollup
        if not memory or memory < rollup.memory_mb or rollup.out_of_memory or used / memory * 100 <= knobs["high"]:
            return
        wanted = min(MEMORY.value, stepped(used * ROOM))
        yield Advice(
            text=f"{subject.name} has used {megabytes(used)} of its {megabytes(memory)}, that is "
            f"{percent(used / memory)}.",
            evidence=[
                ("Memory", megabytes(memory)),
                ("Most that a run used", megabytes(used)),
                ("Runs looked at", number(rollup.invocations)),
            ],
            fixes=configure(
                subject, [f"--memory-size {wanted}"], [f"memory_size = {wanted}"], [f"MemorySize: {wanted}"]
            ),
            confidence=Confidence.MEDIUM,
            severity=Severity.WARNING if used / memory * 100 > knobs["full"] else None,
        )
