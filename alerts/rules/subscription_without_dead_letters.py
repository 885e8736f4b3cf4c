"""Subscriptions whose undelivered messages are thrown away."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform, together
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject

LONGEST = {"MessageRetentionPeriod": "1209600"}


class SubscriptionWithoutDeadLetters:
    """Of functions and queues; how mail and SMS are delivered is no matter of queues."""

    kind = "subscription_without_dead_letters"
    title = "Subscription has no dead-letter queue"
    why = "A message that SNS cannot deliver, such as to a deleted function or through a wrong policy, is thrown away."
    source = "https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sns_topic",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        for each in subject.config.get("subscriptions") or ():
            if each.get("dead_letter") == "":
                name = each["endpoint"].rpartition(":")[2]
                yield Advice(
                    text=f"What {subject.name} cannot deliver to {name} is lost.",
                    evidence=[("Subscriber", name), ("Dead-letter queue", "none")],
                    fixes=_fixes(subject, each, name),
                    confidence=Confidence.HIGH,
                    topic=name,
                )


def _fixes(topic: Subject, subscription: Mapping[str, Any], subscriber: str) -> list[Fix]:
    """The queue's policy has to let the topic in, too."""
    fifo = ".fifo" if topic.config.get("fifo") else ""
    queue = f"{topic.name.removesuffix('.fifo')}-dlq{fifo}"
    arn = f"{topic.arn.rpartition(':')[0].replace(':sns:', ':sqs:')}:{queue}"
    allow = {
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic.arn}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    attributes = LONGEST | {"Policy": policy} | ({"FifoQueue": "true"} if fifo else {})
    redrive = json.dumps({"deadLetterTargetArn": arn})
    block = f'redrive_policy = jsonencode({{ deadLetterTargetArn = "{arn}" }})'
    return [
        together(
            cli("sqs create-queue", topic.region, option("queue-name", queue), option("attributes", attributes)),
            cli(
                "sns set-subscription-attributes", topic.region, option("subscription-arn", subscription["arn"]),
                "--attribute-name RedrivePolicy", option("attribute-value", redrive),
            ),
        ),
        terraform(
            "aws_sns_topic_subscription", subscriber, block
        ),
        sam("AWS::SNS::Subscription", subscriber, "RedrivePolicy:", f"  deadLetterTargetArn: {arn}"),
    ]  # fmt: skip
