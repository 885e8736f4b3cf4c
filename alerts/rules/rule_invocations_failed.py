"""Rules of EventBridge that could not run their target."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number

DAYS = 2


class RuleInvocationsFailed:
    kind = "rule_invocations_failed"
    title = "Rule could not run its target"
    why = "EventBridge gave up on these events: the target is gone, or does not let the rule in. Nothing ran for them."
    source = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("schedule_rule",)
    knobs: tuple[Knob, ...] = (Knob("times", "Failed in two days", 1, "times", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        failed = lately.total(subject, "FailedInvocations", estate, days=DAYS) or 0
        if failed < knobs["times"]:
            return
        ran = lately.total(subject, "Invocations", estate, days=DAYS) or 0
        names = [arn.rpartition(":")[2] for arn in subject.config.get("targets") or ()]
        yield Advice(
            text=f"{subject.name} failed {counted(failed, 'time')} within two days to run its target.",
            evidence=[
                ("Failed", number(failed)),
                ("Ran", number(ran)),
                ("Targets", ", ".join(names) or "not known"),
            ],
            fixes=[
                *(
                    cli(
                        "lambda add-permission", subject.region, option("function-name", name),
                        option("statement-id", f"{subject.name}-events"), "--action lambda:InvokeFunction",
                        "--principal events.amazonaws.com", option("source-arn", subject.arn),
                    )
                    for name in names[:1]
                ),
                steps(
                    "Look whether the target still exists, and whether its policy lets EventBridge run it.",
                    "Give the target a dead-letter queue: it keeps each failed event with the reason.",
                ),
            ],
            confidence=Confidence.MEDIUM,
        )  # fmt: skip
