"""Functions with nearly as many environment variables as AWS takes."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.inventory.limits import ENVIRONMENT
from observability.ui.units import percent, size


class EnvironmentNearlyFull:
    kind = "environment_nearly_full"
    title = "Environment variables are nearly full"
    why = "Names and values together may take 4 KB. One more variable, and the deployment fails."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("used", "Tell when more is used than", 80, "%", 1, 100),
        Knob("warn", "Warn when more is used than", 90, "%", 1, 100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        used, names = subject.config.get("environment_bytes") or 0, subject.config.get("environment") or {}
        share = used / ENVIRONMENT.value
        if share * 100 <= knobs["used"]:
            return
        parameter = f"/{subject.name}/settings"
        yield Advice(
            text=f"The variables of {subject.name} take {percent(share)} of the 4 KB there are.",
            evidence=[
                ("Used", f"{size(used)} of {size(ENVIRONMENT.value)}"),
                ("Variables", str(len(names))),
            ],
            fixes=[
                steps(
                    f"Put the long ones together into one parameter, such as {parameter}.",
                    "Read it when the environment begins, through AWS's extension for parameters and secrets.",
                ),
                cli(
                    "ssm put-parameter",
                    subject.region,
                    option("name", parameter),
                    "--type SecureString",
                    "--value file://settings.json",
                ),
            ],
            confidence=Confidence.HIGH,
            severity=Severity.WARNING if share * 100 > knobs["warn"] else None,
        )
