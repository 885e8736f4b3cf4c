"""Functions that compute all the time, and would be done sooner with more CPU at about the same price."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.saving import VCPU_MB, cpu_share, stepped
from observability.ui.units import megabytes, milliseconds, percent


class CpuBound:
    kind = "cpu_bound"
    title = "Runs wait for their CPU"
    why = (
        "CPU comes with memory. A run that uses all it gets takes half as long with twice as much, and costs the same."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.DURATION
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("cpu", "Only where it uses more than", 80, "% of its CPU", 1, 100),
        Knob("mean", "Only where a run takes on average over", 100, "ms"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        memory, cpu, rollup = subject.config.get("memory_mb"), cpu_share(subject), subject.rollup
        if not memory or memory >= VCPU_MB or cpu is None or cpu * 100 <= knobs["cpu"]:
            return
        mean = rollup.duration_ms / rollup.invocations
        if mean <= knobs["mean"]:
            return
        wanted = min(stepped(VCPU_MB), stepped(memory * 2))
        yield Advice(
            text=f"{subject.name} uses {percent(min(1, cpu))} of the CPU that comes with {megabytes(memory)}; with "
            f"{megabytes(wanted)} it would take about {milliseconds(mean * memory / wanted)} instead of "
            f"{milliseconds(mean)}.",
            evidence=[
                ("CPU in use", percent(min(1, cpu))),
                ("Memory", f"{megabytes(memory)}, that is {percent(memory / VCPU_MB)} of a CPU"),
                ("Mean duration", milliseconds(mean)),
            ],
            fixes=configure(
                subject, [f"--memory-size {wanted}"], [f"memory_size = {wanted}"], [f"MemorySize: {wanted}"]
            ),
            confidence=Confidence.MEDIUM,
            saved_ms=mean * (1 - memory / wanted),
        )
