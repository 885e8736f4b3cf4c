"""State machines that wait because the account has too much under way."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number

DAYS = 2


class ExecutionsThrottled:
    kind = "executions_throttled"
    title = "State machine is throttled"
    why = (
        "Step Functions allows an account so many transitions a second. Beyond it, steps wait and executions are late."
    )
    source = "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("state_machine",)
    knobs: tuple[Knob, ...] = (Knob("times", "Throttled in two days", 1, "times", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        throttled = lately.total(subject, "ExecutionThrottled", estate, days=DAYS) or 0
        if throttled < knobs["times"]:
            return
        started = lately.total(subject, "ExecutionsStarted", estate, days=DAYS) or 0
        yield Advice(
            text=f"{subject.name} was throttled {counted(throttled, 'time')} within two days.",
            evidence=[("Throttled", number(throttled)), ("Executions started", number(started))],
            fixes=[
                steps(
                    "Ask for a higher quota of state transitions in Service Quotas.",
                    "Start fewer at a time: put a queue before the state machine, or limit the concurrency of its Map.",
                    "What is short and may run twice can be an Express workflow, which has no such limit.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
