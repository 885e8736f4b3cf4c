"""Functions whose slowest runs come close to the time they are given."""

import math
from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.inventory.limits import TIMEOUT
from observability.ui.units import milliseconds, percent

ROOM = 2
"""A timeout is well set at so many times the 99th percentile."""


class NearTimeout:
    kind = "near_timeout"
    title = "Runs nearly time out"
    why = "A little more load or a slow dependency, and these runs are stopped halfway, with whatever they had begun."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("p99", "Warn when the 99th percentile is over", 80, "% of the timeout", 1, 100),
        Knob("longest", "Warn when the longest run is over", 95, "% of the timeout", 1, 100),
        Knob("invocations", "Only where it ran at least so often", 20, "times"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        timeout_s = subject.config.get("timeout_s")
        if not timeout_s or subject.rollup.timeouts or subject.rollup.invocations < max(1, knobs["invocations"]):
            return
        p99, longest = (subject.p99_ms or 0) / 1000 / timeout_s, _longest_ms(subject) / 1000 / timeout_s
        if p99 * 100 <= knobs["p99"] and longest * 100 <= knobs["longest"]:
            return
        often = p99 * 100 > knobs["p99"]
        which = f"One in a hundred runs takes {percent(p99)}" if often else f"The longest run took {percent(longest)}"
        yield Advice(
            text=f"{which} of the {timeout_s:g} s that {subject.name} is given.",
            evidence=[
                ("Timeout", f"{timeout_s:g} s"),
                ("99th percentile", milliseconds(subject.p99_ms)),
                ("Longest run", milliseconds(_longest_ms(subject) or None)),
            ],
            fixes=_fixes(subject, timeout_s),
            confidence=Confidence.MEDIUM,
        )


def _longest_ms(subject: Subject) -> float:
    return subject.peak("Duration") or 0.0


def _fixes(subject: Subject, timeout_s: float) -> list[Fix]:
    least = max((subject.p99_ms or 0) / 1000 * ROOM, _longest_ms(subject) / 1000 * 1.25, timeout_s)
    wanted = min(TIMEOUT.value, math.ceil(least))
    if wanted <= timeout_s:
        return [steps("It has the longest timeout there is: split the work, or run it in Step Functions or Fargate.")]
    return [
        *configure(subject, [f"--timeout {wanted}"], [f"timeout = {wanted}"], [f"Timeout: {wanted}"]),
        steps("Find what the slow runs wait for, and give calls to it a timeout of their own that is shorter."),
    ]
