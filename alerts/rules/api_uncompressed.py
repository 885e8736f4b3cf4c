"""REST APIs that send answers as long as they are."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number

FROM_BYTES = 1_024
"""Smaller answers gain nothing."""


class ApiUncompressed:
    """HTTP APIs cannot compress; there it is the function's task."""

    kind = "api_uncompressed"
    title = "API does not compress its answers"
    why = "Text shrinks to a fifth. Without compression people on slow networks wait longer, and you pay for the bytes."
    source = (
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html"
    )
    pillar = Pillar.PERFORMANCE
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api",)
    knobs: tuple[Knob, ...] = (Knob("requests", "Only with at least so many requests a week", 1_000, "requests"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        config, requests = subject.config, lately.total(subject, "Count", estate, days=7) or 0
        off = "compresses_from_bytes" in config and config["compresses_from_bytes"] is None
        if not off or requests < knobs["requests"]:
            return
        which = option("rest-api-id", config["id"])
        patch = f"--patch-operations op=replace,path=/minimumCompressionSize,value={FROM_BYTES}"
        yield Advice(
            text=f"{subject.name} sends its answers uncompressed.",
            evidence=[("Compression", "off"), ("Requests", f"{number(requests)} a week")],
            fixes=[
                cli("apigateway update-rest-api", subject.region, which, patch),
                steps("Then deploy the API to its stages. Look first what else was changed in it: that goes along."),
                terraform("aws_api_gateway_rest_api", subject.name, f"minimum_compression_size = {FROM_BYTES}"),
                sam("AWS::Serverless::Api", subject.name, f"MinimumCompressionSize: {FROM_BYTES}"),
            ],
            confidence=Confidence.HIGH,
        )
