"""State machines on which traces end."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class StateMachineWithoutTracing:
    kind = "state_machine_without_tracing"
    title = "State machine does not trace"
    why = "A trace shows the functions but not the steps between them, nor how long they waited."
    source = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("state_machine",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("tracing") is not False:
            return
        yield Advice(
            text=f"{subject.name} does not trace its executions.",
            evidence=[("Tracing with X-Ray", "off")],
            fixes=[
                cli(
                    "stepfunctions update-state-machine", subject.region, option("state-machine-arn", subject.arn),
                    "--tracing-configuration enabled=true",
                ),
                terraform("aws_sfn_state_machine", subject.name, "tracing_configuration {", "  enabled = true", "}"),
                sam("AWS::Serverless::StateMachine", subject.name, "Tracing:", "  Enabled: true"),
            ],
            confidence=Confidence.HIGH,
        )  # fmt: skip
