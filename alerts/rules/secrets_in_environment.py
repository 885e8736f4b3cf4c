"""Functions that seem to have secrets in their environment, where many may read them."""

import re
from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

SECRET = re.compile(
    r"(^|_)(SECRETS?|PASSWORD|PASSWD|PASSPHRASE|PWD|TOKEN|API_?KEY|APIKEY|PRIVATE_?KEY|ACCESS_?KEY|SECRET_?KEY"
    r"|CREDENTIALS?|CONNECTION_STRING)($|_)",
    re.IGNORECASE,
)
CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
ELSEWHERE = re.compile(
    r"^(PARAMETERS_SECRETS_EXTENSION|SECRETS_MANAGER)_|_(ARN|NAME|ID|PATH|FILE|URL|URI|PARAM|PARAMETER|REF|TTL|EXPIRY|EXPIRES|LENGTH|TYPE|HEADER|REGION|ENABLED|BUCKET"
    r"|TABLE|PREFIX|VERSION)$",
    re.IGNORECASE,
)
"""Names of where a secret is, of how long it lasts, and of the settings of AWS's extension that fetches it."""

EXTENSION = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html"


class SecretsInEnvironment:
    """By the names alone: Nightjar never keeps the values."""

    kind = "secrets_in_environment"
    title = "Secrets in environment variables"
    why = (
        "Everybody who may list functions reads them in the clear, they stand in templates and in old versions, and "
        "changing one needs a deployment."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
    pillar = Pillar.SECURITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        names = [name for name in subject.config.get("environment") or () if _is_secret(name)]
        if not names:
            return
        many = len(names) > 1
        secret = f"{subject.name}/{names[0].lower()}"
        yield Advice(
            text=f"{subject.name} seems to have {'secrets' if many else 'a secret'} in its environment: "
            f"{', '.join(names[:5])}{' and more' if names[5:] else ''}.",
            evidence=[("Variables", ", ".join(names)), ("Values", "not known to Nightjar")],
            fixes=[
                cli(
                    "secretsmanager create-secret", subject.region, option("name", secret),
                    "--secret-string file://secret.txt",
                ),
                terraform("aws_secretsmanager_secret", secret, f'name = "{secret}"'),
                steps(
                    "Put the value into Secrets Manager or into a SecureString of Parameter Store.",
                    f"Read it when the function starts, with AWS's extension or Powertools: {EXTENSION}",
                    "Let the function's role read just that secret, and take the variable away.",
                    "Change the secret: many may have read it.",
                ),
            ],
            confidence=Confidence.LOW,
        )  # fmt: skip


def _is_secret(name: str) -> bool:
    words = CAPITALS.sub("_", name)
    return bool(SECRET.search(words)) and not ELSEWHERE.search(words)
