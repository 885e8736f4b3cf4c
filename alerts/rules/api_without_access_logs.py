"""Stages of APIs that keep no record of who asked for what."""

from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import cli, http_stage, option, rest_stage, sam, terraform, together
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject

FORMAT = '{"id":"$context.requestId","at":"$context.requestTime","ip":"$context.identity.sourceIp",' \
    '"path":"$context.path","status":"$context.status","ms":"$context.responseLatency"}'  # fmt: skip
TERRAFORM = {"rest_api": "aws_api_gateway_stage", "http_api": "aws_apigatewayv2_stage"}
SAM = {"rest_api": "AWS::Serverless::Api", "http_api": "AWS::Serverless::HttpApi"}
KEY = {"rest_api": "AccessLogSetting", "http_api": "AccessLogSettings"}


class ApiWithoutAccessLogs:
    kind = "api_without_access_logs"
    title = "API keeps no access log"
    why = "When callers report errors that no function shows, only the access log says what was asked and answered."
    source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api", "http_api")
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        for stage in subject.config.get("stages") or ():
            if stage.get("access_log") == "":
                yield Advice(
                    text=f"Stage {stage['name']} of {subject.name} keeps no access log.",
                    evidence=[("Stage", stage["name"]), ("Access log", "off")],
                    fixes=_fixes(subject, stage),
                    confidence=Confidence.HIGH,
                    topic=stage["name"],
                )


def _fixes(api: Subject, stage: Mapping[str, Any]) -> list[Fix]:
    group = f"/aws/apigateway/{api.config['id']}/{stage['name'].removeprefix('$')}"
    arn = f"{':'.join(api.arn.split(':')[:2])}:logs:{api.region}:{api.account}:log-group:{group}"
    create = cli("logs create-log-group", api.region, option("log-group-name", group))
    settings = {"accessLogSettings__destinationArn": arn, "accessLogSettings__format": FORMAT}
    http = option("access-log-settings", {"DestinationArn": arn, "Format": FORMAT})
    change = (
        rest_stage(api, stage["name"], **settings) if api.type == "rest_api" else http_stage(api, stage["name"], http)
    )
    return [
        together(create, change),
        terraform(
            TERRAFORM[api.type], stage["name"],
            "access_log_settings {", f'  destination_arn = "{arn}"', "  format = jsonencode({",
            '    id = "$context.requestId", path = "$context.path", status = "$context.status"', "  })", "}",
        ),
        sam(SAM[api.type], api.name, f"{KEY[api.type]}:", f"  DestinationArn: {arn}", f"  Format: '{FORMAT}'"),
    ]  # fmt: skip
