"""Functions that pay for memory that none of their runs uses.

Memory is CPU as well. A run that computes takes longer with less of it and then costs the same; a run that waits does
not. So the saving lies between nothing and the full difference, and where the CPU was measured it is known better.
"""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.saving import cpu_share, stepped, time_month
from observability.ui.units import dollars, megabytes, number, percent

ROOM = 1.3
"""So much more than any run used is left."""

SAFE = 0.8
"""Of the timeout: where a run would take longer than that if it only computed, less memory is not advised."""

BUSY = 0.8
"""Of its CPU: who uses more needs rather more memory, whatever it holds."""


class MemoryIdle:
    kind = "memory_idle"
    title = "More memory than any run uses"
    why = (
        "Every millisecond is paid by the memory that is set, not by what is used. It also sets the CPU: measure after."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.COST
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("used", "Only where no run used more than", 50, "% of the memory", 1, 100),
        Knob("usd", "Only where it may save at least", 1, "USD a month"),
        Knob("invocations", "Only where it ran at least so often", 50, "times", 1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        memory, rollup = subject.config.get("memory_mb"), subject.rollup
        if not memory or not rollup.max_memory_mb or rollup.invocations < knobs["invocations"]:
            return
        cpu = cpu_share(subject)
        if rollup.out_of_memory or (cpu or 0.0) > BUSY:
            return
        wanted, cost = _wanted(subject, memory), time_month(subject, estate)
        if rollup.max_memory_mb / memory * 100 > knobs["used"] or wanted >= memory or cost is None:
            return
        low, high = _saving(subject, cost, wanted / memory)
        if high < knobs["usd"]:
            return
        yield Advice(
            text=f"No run of {subject.name} used more than {megabytes(rollup.max_memory_mb)} of its "
            f"{megabytes(memory)}; {megabytes(wanted)} would do.",
            evidence=[
                ("Memory", megabytes(memory)),
                ("Most that a run used", f"{megabytes(rollup.max_memory_mb)}, of {number(rollup.invocations)} runs"),
                ("Running time costs", f"{dollars(cost)} a month"),
                ("CPU in use", "not measured: the extension does" if cpu is None else percent(cpu)),
            ],
            fixes=[
                *configure(
                    subject, [f"--memory-size {wanted}"], [f"memory_size = {wanted}"], [f"MemorySize: {wanted}"]
                ),
                steps("Compare duration and cost a day later: here, under this advice, they are told by themselves."),
            ],
            confidence=Confidence.LOW if cpu is None else Confidence.MEDIUM,
            usd_month=(low, high),
        )


def _wanted(subject: Subject, memory: int) -> int:
    """Enough for the largest run, and for the slowest to end in time even if it were bound by its CPU."""
    wanted = subject.rollup.max_memory_mb * ROOM
    timeout_s, p99_ms = subject.config.get("timeout_s"), subject.p99_ms
    if timeout_s and p99_ms:
        wanted = max(wanted, memory * p99_ms / 1000 / (timeout_s * SAFE))
    return stepped(wanted)


def _saving(subject: Subject, cost: float, left: float) -> tuple[float, float]:
    """USD a month, at worst and at best, with ``left`` of the memory."""
    cpu = cpu_share(subject)
    best = cost * (1 - left)
    if cpu is None:
        return 0.0, best
    longer = max(1.0, cpu / left)
    sure = max(0.0, cost * (1 - left * longer))
    return sure, max(sure, best)
