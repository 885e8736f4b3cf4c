"""Functions of which runs were killed because memory was full."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.lately import since_deployed
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import memory_mb, stepped
from observability.inventory.limits import MEMORY
from observability.ui.units import megabytes, number


class OutOfMemorySeen:
    kind = "out_of_memory_seen"
    title = "Runs are killed for lack of memory"
    why = "The code cannot catch it and writes nothing; what it held is lost, and the next run pays a cold start."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("runs", "Warn from so many killed runs in two weeks on", 1, "runs", 1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        rollup, memory = subject.rollup, memory_mb(subject)
        if not memory or rollup.out_of_memory < knobs["runs"] or _is_over(subject, estate):
            return
        times = "once" if rollup.out_of_memory == 1 else f"{number(rollup.out_of_memory)} times"
        yield Advice(
            text=f"{subject.name} was killed {times} because its memory was full.",
            evidence=[
                ("Killed", f"{number(rollup.out_of_memory)} of {number(rollup.invocations)} runs"),
                ("Memory", megabytes(memory)),
                ("Most that a run used", megabytes(rollup.max_memory_mb)),
            ],
            fixes=_fixes(subject, memory),
            confidence=Confidence.HIGH,
        )


def _is_over(subject: Subject, estate: Estate) -> bool:
    """Whether it ran since it was last changed, and nothing failed."""
    ran, failed = (since_deployed(subject, metric, "Sum", estate) for metric in ("Invocations", "Errors"))
    return bool(ran) and not failed


def _fixes(subject: Subject, memory: int) -> list[Fix]:
    wanted = min(MEMORY.value, stepped(memory * 1.5))
    if wanted <= memory:
        return [steps("It has the most memory there is: work on less at a time, or stream from and to S3.")]
    return [
        *configure(subject, [f"--memory-size {wanted}"], [f"memory_size = {wanted}"], [f"MemorySize: {wanted}"]),
        steps(
            "If it fills up again, something is kept from run to run: look for lists and caches outside the handler."
        ),
    ]
