"""Function URLs that web pages of anybody may call."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

YOURS = "https://www.example.com"


class FunctionUrlAnyOrigin:
    kind = "function_url_any_origin"
    title = "Function URL may be called from any web page"
    why = "Any page that one of your users opens can call the function from their browser, and read the answer."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html"
    pillar = Pillar.SECURITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        told = subject.config.get("cors") or {}
        for url in subject.config.get("url") or ():
            at = url["qualifier"]
            allowed = told.get(at) or {}
            if "*" not in allowed.get("origins", ()):
                continue
            which = (option("function-name", subject.name), *([] if at == "$LATEST" else [option("qualifier", at)]))
            cors = option("cors", f"AllowOrigins={YOURS}")
            yield Advice(
                text=f"Web pages of anybody may call {subject.name}.",
                evidence=[("URL", url["url"]), ("Allowed origins", ", ".join(allowed["origins"]))],
                fixes=[
                    cli("lambda get-function-url-config", subject.region, *which),
                    steps(
                        "Read with the command what is allowed besides origins: methods, headers, credentials.",
                        "Set all of it anew, with your own origins: AWS forgets what the next command does not name.",
                    ),
                    cli("lambda update-function-url-config", subject.region, *which, cors),
                    terraform(
                        "aws_lambda_function_url", subject.name, "cors {", f'  allow_origins = ["{YOURS}"]', "}"
                    ),
                    sam(
                        "AWS::Serverless::Function", subject.name,
                        "FunctionUrlConfig:", "  Cors:", "    AllowOrigins:", f"      - {YOURS}",
                    ),
                ],
                confidence=Confidence.HIGH,
                topic=at,
                severity=Severity.WARNING if allowed.get("credentials") else None,
            )  # fmt: skip
