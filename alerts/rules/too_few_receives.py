"""Queues that give a message up after too few tries."""

import json
from collections.abc import Iterable, Mapping

from alerts import wiring
from alerts.finding import Severity
from alerts.fixes import sam, set_queue, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

TRIES = 5


class TooFewReceives:
    kind = "too_few_receives"
    title = "Messages are given up too soon"
    why = (
        "Lambda takes messages before it has room for them. With few tries, a moment of throttling sends healthy "
        "messages to the dead-letter queue."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = (Knob("tries", "Fewer tries than (AWS recommends 5)", 3, "tries", least=2, most=100),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        tries = subject.config.get("max_receives")
        if not tries or tries >= knobs["tries"]:
            return
        target = subject.config["dead_letter"]
        redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": TRIES})
        readers = [feed.function.name for feed in wiring.feeds(subject, estate)]
        yield Advice(
            text=f"{subject.name} gives a message up after {tries} {'try' if tries == 1 else 'tries'}.",
            evidence=[
                ("Tries (maxReceiveCount)", str(tries)),
                ("Goes to", target.rpartition(":")[2]),
                ("Read by", ", ".join(readers) or "no function"),
            ],
            fixes=[
                set_queue(subject, {"RedrivePolicy": redrive}),
                terraform(
                    "aws_sqs_queue", subject.name,
                    "redrive_policy = jsonencode({",
                    f'  deadLetterTargetArn = "{target}"',
                    f"  maxReceiveCount     = {TRIES}",
                    "})",
                ),
                sam(
                    "AWS::SQS::Queue", subject.name,
                    "RedrivePolicy:", f"  deadLetterTargetArn: {target}", f"  maxReceiveCount: {TRIES}",
                ),
            ],
            confidence=Confidence.HIGH,
        )  # fmt: skip
