"""Functions whose calls to other services nobody can follow."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number


class TracingMissing:
    kind = "tracing_missing"
    title = "Tracing is off"
    why = "Without a trace it takes guessing to say which call made a run slow, or where a request failed."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("invocations", "Only where it ran at least so often", 100, "times", 1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        mode, runs = subject.config.get("tracing"), subject.rollup.invocations
        if mode in (None, "Active") or runs < knobs["invocations"]:
            return
        yield Advice(
            text=f"{subject.name} sends no traces of its own: tracing is set to {mode}.",
            evidence=[("Tracing", str(mode)), ("Runs in two weeks", number(runs))],
            fixes=configure(
                subject,
                ["--tracing-config Mode=Active"],
                ["tracing_config {", '  mode = "Active"', "}"],
                ["Tracing: Active"],
            ),
            confidence=Confidence.HIGH,
        )
