"""Stages of REST APIs at which a trace begins too late."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import rest_stage, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class ApiWithoutTracing:
    """HTTP APIs cannot trace."""

    kind = "api_without_tracing"
    title = "API does not trace its requests"
    why = "Without it, a trace begins at the function: time spent in the API, and requests it refused, are not on it."
    source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-xray.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        for stage in subject.config.get("stages") or ():
            if stage.get("tracing") is False:
                yield Advice(
                    text=f"Stage {stage['name']} of {subject.name} does not trace its requests.",
                    evidence=[("Stage", stage["name"]), ("Tracing with X-Ray", "off")],
                    fixes=[
                        rest_stage(subject, stage["name"], tracingEnabled="true"),
                        terraform("aws_api_gateway_stage", stage["name"], "xray_tracing_enabled = true"),
                        sam("AWS::Serverless::Api", subject.name, "TracingEnabled: true"),
                    ],
                    confidence=Confidence.HIGH,
                    topic=stage["name"],
                )
