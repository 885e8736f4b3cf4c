"""Functions that anybody on the internet can run."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform, together
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

LATEST = "$LATEST"


class FunctionUrlPublic:
    kind = "function_url_public"
    title = "Function URL is open to everybody"
    why = (
        "Whoever finds the URL can run the function again and again, at your cost. Unless the code checks who calls, "
        "nothing does."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
    pillar = Pillar.SECURITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        for url in subject.config.get("url") or ():
            if url["auth"] != "NONE":
                continue
            name, at = option("function-name", subject.name), url["qualifier"]
            which = (name,) if at == LATEST else (name, option("qualifier", at))
            statement = "--statement-id FunctionURLAllowPublicAccess"
            yield Advice(
                text=f"Anybody can run {subject.name} by its URL.",
                evidence=[
                    ("URL", url["url"]),
                    ("Authentication", "none"),
                    ("Version or alias", at),
                    ("Reserved concurrency", str(subject.config.get("reserved_concurrency") or "none")),
                ],
                fixes=[
                    together(
                        cli("lambda update-function-url-config", subject.region, *which, "--auth-type AWS_IAM"),
                        cli("lambda remove-permission", subject.region, *which, statement),
                    ),
                    terraform("aws_lambda_function_url", subject.name, 'authorization_type = "AWS_IAM"'),
                    sam("AWS::Serverless::Function", subject.name, "FunctionUrlConfig:", "  AuthType: AWS_IAM"),
                    steps(
                        "If it has to be public, such as a webhook: check a signature in the code, and reserve some "
                        "concurrency, so that a flood stays cheap.",
                        "Or put CloudFront with AWS WAF before it, with an origin access control.",
                        "Then put this advice off, with your reason.",
                    ),
                ],
                confidence=Confidence.HIGH,
                topic=at,
            )
