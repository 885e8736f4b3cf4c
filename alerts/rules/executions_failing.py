"""State machines whose executions fail."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number, percent

DAYS = 2


class ExecutionsFailing:
    kind = "executions_failing"
    title = "Executions of a state machine fail"
    why = "Work that spans several functions stops halfway, and what was done so far stays done."
    source = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("state_machine",)
    knobs: tuple[Knob, ...] = (
        Knob("executions", "Failed executions in two days", 1, "executions", least=1),
        Knob("share", "Of all executions", 1, "%", least=0, most=100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        failed, started, share = lately.failures(subject, "ExecutionsFailed", "ExecutionsStarted", estate, days=DAYS)
        if failed < knobs["executions"] or share * 100 <= knobs["share"]:
            return
        functions = [arn.rpartition(":")[2] for arn in subject.config.get("functions") or ()]
        listing = option("state-machine-arn", subject.arn)
        failures = cli("stepfunctions list-executions", subject.region, listing, "--status-filter FAILED")
        yield Advice(
            text=f"{counted(failed, 'execution')} of {subject.name} failed within two days.",
            evidence=[
                ("Failed", number(failed)),
                ("Started", number(started)),
                ("Share", percent(share)),
                ("Calls", ", ".join(functions) or "no function"),
            ],
            fixes=[
                *([failures] if subject.config.get("type") == "STANDARD" else []),
                steps(
                    "Look at the step at which they fail; if it is a function, at its failures.",
                    "Give every step that calls something a Retry for what passes, and a Catch that tidies up.",
                    "Mend the cause, then redrive the failed executions: they go on where they stopped.",
                ),
            ],
            confidence=Confidence.MEDIUM,
        )
