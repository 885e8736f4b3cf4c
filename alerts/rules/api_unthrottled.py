"""Stages of APIs that let through whatever comes."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import http_stage, rest_stage, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import number

DAY_S = 86_400
ROOM, LEAST = 20, 50
"""A limit is proposed at so many times the average of the busiest day, and at least at so many requests a second."""


class ApiUnthrottled:
    kind = "api_unthrottled"
    title = "API has no limit of its own"
    why = (
        "One caller in a loop can use up what all APIs of the account share, 10,000 requests a second, and every "
        "request runs a function that is paid for."
    )
    source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api", "http_api")
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        busiest = max(lately.values(subject, "Count", "Sum", estate, days=14), default=0.0)
        rate = max(LEAST, round(busiest / DAY_S * ROOM))
        for stage in subject.config.get("stages") or ():
            if stage.get("throttled") is False:
                yield Advice(
                    text=f"Stage {stage['name']} of {subject.name} lets through whatever comes.",
                    evidence=[
                        ("Stage", stage["name"]),
                        ("Limit", "none but the account's"),
                        ("Busiest day", f"{number(busiest)} requests"),
                    ],
                    fixes=_rest(subject, stage["name"], rate)
                    if subject.type == "rest_api"
                    else _http(subject, stage["name"], rate),
                    confidence=Confidence.HIGH,
                    topic=stage["name"],
                )


def _rest(api: Subject, stage: str, rate: int) -> list[Fix]:
    limits = {"*__*__throttling__rateLimit": str(rate), "*__*__throttling__burstLimit": str(2 * rate)}
    return [
        rest_stage(api, stage, **limits),
        terraform(
            "aws_api_gateway_method_settings", stage,
            'method_path = "*/*"', "settings {", f"  throttling_rate_limit  = {rate}",
            f"  throttling_burst_limit = {2 * rate}", "}",
        ),
        sam(
            "AWS::Serverless::Api", api.name,
            "MethodSettings:", "  - ResourcePath: '/*'", "    HttpMethod: '*'", f"    ThrottlingRateLimit: {rate}",
            f"    ThrottlingBurstLimit: {2 * rate}",
        ),
    ]  # fmt: skip


def _http(api: Subject, stage: str, rate: int) -> list[Fix]:
    limits = f"ThrottlingRateLimit={rate},ThrottlingBurstLimit={2 * rate}"
    return [
        http_stage(api, stage, f"--default-route-settings {limits}"),
        terraform(
            "aws_apigatewayv2_stage", stage,
            "default_route_settings {", f"  throttling_rate_limit  = {rate}",
            f"  throttling_burst_limit = {2 * rate}", "}",
        ),
        sam(
            "AWS::Serverless::HttpApi", api.name,
            "DefaultRouteSettings:", f"  ThrottlingRateLimit: {rate}", f"  ThrottlingBurstLimit: {2 * rate}",
        ),
    ]  # fmt: skip
