"""Topics that anybody may use."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class TopicPublic:
    kind = "topic_public"
    title = "Topic is open to everybody"
    why = "Its policy lets any AWS account in, without a condition: strangers can read what is published, or publish."
    source = "https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html"
    pillar = Pillar.SECURITY
    severity = Severity.CRITICAL
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sns_topic",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("public") is not True:
            return
        yield Advice(
            text=f"Anybody with an AWS account may use {subject.name}.",
            evidence=[("Policy", "allows every principal, without a condition")],
            fixes=[
                cli("sns get-topic-attributes", subject.region, option("topic-arn", subject.arn)),
                steps(
                    "Look at its policy with the command, and find the statement whose principal is *.",
                    f"Name the accounts that need it, or add a condition: aws:SourceAccount = {subject.account}.",
                    "Set it with aws sns set-topic-attributes --attribute-name Policy.",
                ),
            ],
            confidence=Confidence.HIGH,
        )
