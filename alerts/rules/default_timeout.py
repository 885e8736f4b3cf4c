"""Functions that still have the timeout that Lambda gives when nobody chose one, and come near it."""

import math
from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import milliseconds, percent

DEFAULT_S = 3
ROOM = 3


class DefaultTimeout:
    kind = "default_timeout"
    title = "Timeout was never chosen"
    why = "Lambda's default of 3 seconds is right for few: a cold start with one slow call is enough to be stopped."
    source = "https://awslabs.github.io/serverless-rules/rules/lambda/default_timeout/"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("p99", "Only where the 99th percentile is over", 25, "% of it", 0, 100),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        p99_ms = subject.p99_ms
        if subject.config.get("timeout_s") != DEFAULT_S or p99_ms is None:
            return
        share = p99_ms / 1000 / DEFAULT_S
        if share * 100 <= knobs["p99"]:
            return
        wanted = max(DEFAULT_S + 1, math.ceil(p99_ms / 1000 * ROOM))
        yield Advice(
            text=f"{subject.name} has Lambda's default timeout of 3 s, and one in a hundred runs takes "
            f"{percent(share)} of it.",
            evidence=[("Timeout", "3 s, the default"), ("99th percentile", milliseconds(p99_ms))],
            fixes=configure(subject, [f"--timeout {wanted}"], [f"timeout = {wanted}"], [f"Timeout: {wanted}"]),
            confidence=Confidence.HIGH,
        )
