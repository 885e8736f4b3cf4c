"""Functions that may hang for far longer than they ever need."""

import math
from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.saving import memory_mb, price_of
from observability.telemetry.pricing import time_usd
from observability.ui.units import dollars, milliseconds, number

LEAST_S, ROOM = 30, 5


class TimeoutTooLong:
    kind = "timeout_too_long"
    title = "Timeout far longer than any run"
    why = "When a dependency hangs, every run waits for the whole timeout: it is paid, and it takes up concurrency."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("times", "Only where the timeout is over so many times the longest run", 20, "times", 2),
        Knob("seconds", "Only timeouts over", 120, "s", LEAST_S),
        Knob("invocations", "Only where it ran at least so often", 1_000, "times"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        timeout_s, longest = subject.config.get("timeout_s") or 0, (subject.peak("Duration") or 0) / 1000
        if timeout_s <= knobs["seconds"] or not longest or subject.rollup.invocations < knobs["invocations"]:
            return
        if timeout_s <= longest * knobs["times"]:
            return
        wanted = max(LEAST_S, math.ceil(longest * ROOM))
        hung = time_usd(price_of(subject), billed_ms=timeout_s * 1000, memory_mb=memory_mb(subject)) * 1000
        yield Advice(
            text=f"{subject.name} may run for {timeout_s:g} s, but its longest took {milliseconds(longest * 1000)}.",
            evidence=[
                ("Timeout", f"{timeout_s:g} s"),
                ("Longest run", f"{milliseconds(longest * 1000)}, of {number(subject.rollup.invocations)} runs"),
                ("Cost of 1,000 runs that hang", dollars(hung)),
            ],
            fixes=configure(subject, [f"--timeout {wanted}"], [f"timeout = {wanted}"], [f"Timeout: {wanted}"]),
            confidence=Confidence.MEDIUM,
        )
