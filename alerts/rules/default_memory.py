"""Functions that still have the least memory there is, and with it a fourteenth of a CPU."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.saving import cpu_share
from observability.ui.units import megabytes, milliseconds, number

DEFAULT_MB, BETTER_MB = 128, 256


class DefaultMemory:
    kind = "default_memory"
    title = "Memory was never chosen"
    why = "The default of 128 MB comes with 7% of a CPU. Twice the memory often halves the time, at the same price."
    source = "https://awslabs.github.io/serverless-rules/rules/lambda/default_memory_size/"
    pillar = Pillar.PERFORMANCE
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.DURATION
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("mean", "Only where a run takes on average over", 250, "ms"),
        Knob("invocations", "Only where it ran at least so often", 50, "times", 1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        rollup = subject.rollup
        if subject.config.get("memory_mb") != DEFAULT_MB or rollup.invocations < knobs["invocations"]:
            return
        mean = rollup.duration_ms / rollup.invocations
        if mean <= knobs["mean"] or cpu_share(subject) is not None:
            return
        yield Advice(
            text=f"{subject.name} has Lambda's default of 128 MB and takes {milliseconds(mean)} on average; it may be "
            "waiting for its CPU.",
            evidence=[
                ("Memory", "128 MB, the default"),
                ("Mean duration", f"{milliseconds(mean)}, of {number(rollup.invocations)} runs"),
                ("Most memory that a run used", megabytes(rollup.max_memory_mb)),
            ],
            fixes=[
                *configure(
                    subject,
                    [f"--memory-size {BETTER_MB}"],
                    [f"memory_size = {BETTER_MB}"],
                    [f"MemorySize: {BETTER_MB}"],
                ),
                steps("If its duration does not fall, it waits for something else: take the memory back."),
            ],
            confidence=Confidence.LOW,
        )
