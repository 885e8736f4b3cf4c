"""Functions that somebody switched off by reserving nothing for them, and left so (F17)."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps, terraform
from alerts.reconfigure import function_cli, in_order, in_template
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number


class ReservedZero:
    kind = "reserved_zero"
    title = "Switched off and left so"
    why = "With no execution reserved every call is refused. That stops a runaway in need; afterwards it is forgotten."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("days", "Only when nothing was changed for", 2, "days"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("reserved_concurrency") != 0:
            return
        since = max(subject.deployed_at or subject.first_seen_at, subject.first_seen_at)
        days = (estate.now - since).total_seconds() / 86_400
        if days < knobs["days"]:
            return
        refused = subject.total("Throttles") or subject.rollup.throttles
        sources = [each for each in subject.config.get("event_sources") or () if each.get("enabled", True)]
        called = f"; it refused {counted(refused, 'call')} in two weeks" if refused else ""
        yield Advice(
            text=f"{subject.name} has 0 executions reserved and cannot run{called}.",
            evidence=[
                ("Reserved executions", "0"),
                ("Refused calls", number(refused)),
                ("Triggers that still call it", str(len(sources))),
                ("Nothing changed for", f"{days:.0f} days"),
            ],
            fixes=[
                *in_order(
                    subject,
                    [
                        function_cli(subject, "delete-function-concurrency"),
                        terraform("aws_lambda_function", subject.name, "reserved_concurrent_executions = -1"),
                        in_template(subject, "# Without ReservedConcurrentExecutions"),
                    ],
                ),
                steps("If it is not needed any more, remove its triggers and delete it."),
            ],
            confidence=Confidence.HIGH,
            severity=Severity.WARNING if refused else None,
        )
