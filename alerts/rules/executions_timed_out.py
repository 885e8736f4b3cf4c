"""State machines whose executions run out of time."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, milliseconds, number

DAYS = 2


class ExecutionsTimedOut:
    kind = "executions_timed_out"
    title = "Executions of a state machine time out"
    why = "They waited for something that did not come, such as a task token that nobody sent back."
    source = "https://docs.aws.amazon.com/step-functions/latest/dg/sfn-stuck-execution.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("state_machine",)
    knobs: tuple[Knob, ...] = (Knob("executions", "Timed-out executions in two days", 1, "executions", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        late = lately.total(subject, "ExecutionsTimedOut", estate, days=DAYS) or 0
        if late < knobs["executions"]:
            return
        started = lately.total(subject, "ExecutionsStarted", estate, days=DAYS) or 0
        yield Advice(
            text=f"{counted(late, 'execution')} of {subject.name} ran out of time within two days.",
            evidence=[
                ("Timed out", number(late)),
                ("Started", number(started)),
                ("Usual duration", milliseconds(lately.mean(subject, "ExecutionTime", estate, days=DAYS))),
            ],
            fixes=[
                steps(
                    "Find the step they were in: its history tells.",
                    "Give that step a TimeoutSeconds or HeartbeatSeconds of its own, and a Catch for States.Timeout.",
                    "If the work just takes longer now, raise TimeoutSeconds of the state machine.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
