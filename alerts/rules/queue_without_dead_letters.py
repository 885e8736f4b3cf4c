"""Queues from which a message that cannot be handled is tried until it is deleted."""

import json
from collections.abc import Iterable, Mapping

from alerts import wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, sam, set_queue, terraform, together
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.text import duration

TRIES = 5
LONGEST = 1_209_600
"""Seconds: a dead-letter queue keeps messages for as long as SQS allows."""


class QueueWithoutDeadLetters:
    kind = "queue_without_dead_letters"
    title = "Queue has no dead-letter queue"
    why = (
        "A message that always fails is handed out again and again, blocks others, costs invocations, and is lost for "
        "good when its retention ends."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("dead_letter") != "" or wiring.holds_failures(subject, estate):
            return
        fifo = subject.config.get("fifo")
        name = f"{subject.name.removesuffix('.fifo')}-dlq{'.fifo' if fifo else ''}"
        arn = f"{subject.arn.rpartition(':')[0]}:{name}"
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": TRIES})
        made = {"MessageRetentionPeriod": str(LONGEST)} | ({"FifoQueue": "true"} if fifo else {})
        readers = [feed.function.name for feed in wiring.feeds(subject, estate)]
        yield Advice(
            text=f"{subject.name} has nowhere to put messages that cannot be handled.",
            evidence=[
                ("Dead-letter queue", "none"),
                ("Tried again for", duration(subject.config.get("retention_s", 0))),
                ("Read by", ", ".join(readers) or "no function"),
            ],
            fixes=[
                together(
                    cli("sqs create-queue", subject.region, option("queue-name", name), option("attributes", made)),
                    set_queue(subject, {"RedrivePolicy": redrive}),
                ),
                terraform(
                    "aws_sqs_queue", subject.name,
                    "redrive_policy = jsonencode({",
                    f'  deadLetterTargetArn = "{arn}"',
                    f"  maxReceiveCount     = {TRIES}",
                    "})",
                ),
                sam(
                    "AWS::SQS::Queue", subject.name,
                    "RedrivePolicy:", f"  deadLetterTargetArn: {arn}", f"  maxReceiveCount: {TRIES}",
                ),
            ],
            confidence=Confidence.HIGH,
        )  # fmt: skip
