"""Functions of which runs were stopped because their time was up."""

import math
from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.lately import since_deployed
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import memory_mb, per_month, price_of
from observability.inventory.limits import TIMEOUT
from observability.telemetry.pricing import time_usd
from observability.ui.units import dollars, milliseconds, number

ALMOST = 0.99


class TimeoutsSeen:
    kind = "timeouts_seen"
    title = "Runs time out"
    why = "A run that is stopped leaves its work half done, tells its caller nothing useful, and is paid in full."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("timeouts", "Warn from so many timeouts in two weeks on", 1, "timeouts", 1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        count, timeout_s = subject.rollup.timeouts, subject.config.get("timeout_s")
        if not timeout_s or count < knobs["timeouts"] or _is_over(subject, estate, timeout_s):
            return
        each = time_usd(price_of(subject), billed_ms=timeout_s * 1000, memory_mb=memory_mb(subject))
        wasted = per_month(each * count, subject, estate)
        times = "once" if count == 1 else f"{number(count)} times"
        yield Advice(
            text=f"{subject.name} was stopped {times} after {timeout_s:g} s, before it was done.",
            evidence=[
                ("Timeouts", f"{number(count)} of {number(subject.rollup.invocations)} runs"),
                ("Timeout", f"{timeout_s:g} s"),
                ("99th percentile", milliseconds(subject.p99_ms)),
                ("Cost of the stopped runs", f"{dollars(wasted)} a month"),
            ],
            fixes=_fixes(subject, timeout_s),
            confidence=Confidence.HIGH,
            usd_month=None if wasted is None else (0.0, wasted),
        )


def _is_over(subject: Subject, estate: Estate, timeout_s: float) -> bool:
    """Whether it ran since it was last changed, and never as long as it may."""
    longest = since_deployed(subject, "Duration", "Maximum", estate)
    return bool(longest) and max(longest) < timeout_s * 1000 * ALMOST


def _fixes(subject: Subject, timeout_s: float) -> list[Fix]:
    """First look, then wait longer: a run that hangs only hangs for longer."""
    look = steps(
        "Open the last timed-out run: the last line of its log says what it waited for.",
        "Give that call a timeout of its own, shorter than the function's, and handle it.",
        "Only if the work really takes that long, raise the timeout.",
    )
    wanted = min(TIMEOUT.value, math.ceil(timeout_s * 2))
    longer = configure(subject, [f"--timeout {wanted}"], [f"timeout = {wanted}"], [f"Timeout: {wanted}"])
    return [look, *longer] if wanted > timeout_s else [look]
