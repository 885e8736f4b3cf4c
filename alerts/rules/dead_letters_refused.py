"""Functions whose failed events cannot even be kept: the dead-letter queue refuses them."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.lately import total
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number


class DeadLettersRefused:
    kind = "dead_letters_refused"
    title = "Dead-letter queue refuses failed events"
    why = "Lambda tried to keep an event that failed and could not: mostly the role may not send there. It is lost."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.CRITICAL
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("events", "From so many events on", 1, "events", 1),
        Knob("days", "Look at the last", 3, "days", 1, 14),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        days, target = int(knobs["days"]), subject.config.get("dead_letter") or ""
        refused = total(subject, "DeadLetterErrors", estate, days=days) or 0
        if refused < knobs["events"]:
            return
        yield Advice(
            text=f"{counted(refused, 'failed event')} of {subject.name} could not be put into its dead-letter queue.",
            evidence=[
                (f"Refused in {days} days", number(refused)),
                ("Dead-letter queue", target or "not known"),
                ("Role of the function", subject.config.get("role") or "not known"),
            ],
            fixes=[*_allow(subject, target), _look(target)],
            confidence=Confidence.HIGH,
        )


def _allow(subject: Subject, target: str) -> list[Fix]:
    """The grant that mostly lacks."""
    role, service = str(subject.config.get("role") or ""), target.split(":")[2:3]
    if not role or service not in (["sqs"], ["sns"]):
        return []
    action = "sqs:SendMessage" if service == ["sqs"] else "sns:Publish"
    statement = {"Effect": "Allow", "Action": action, "Resource": target}
    return [
        cli(
            "iam put-role-policy", subject.region, option("role-name", role.split("/")[-1]),
            option("policy-name", "send-to-dead-letters"),
            option("policy-document", {"Version": "2012-10-17", "Statement": [statement]}),
        )
    ]  # fmt: skip


def _look(target: str) -> Fix:
    return steps(
        f"See that {target or 'the queue'} is still there, in the same region and account.",
        "See that the role of the function may send to it, and use its KMS key if it has one.",
        "An event larger than the queue takes is refused as well: keep large bodies in S3.",
    )
