"""Queues that store messages as they are."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import sam, set_queue, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class QueueUnencrypted:
    kind = "queue_unencrypted"
    title = "Queue is not encrypted"
    why = "Messages are stored in the clear. Encryption with SQS's own keys is free and needs no change of code."
    source = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-sqs-sse-queue.html"
    )
    pillar = Pillar.SECURITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("encrypted") is not False:
            return
        yield Advice(
            text=f"{subject.name} stores its messages unencrypted.",
            evidence=[("Encryption at rest", "off")],
            fixes=[
                set_queue(subject, {"SqsManagedSseEnabled": "true"}),
                terraform("aws_sqs_queue", subject.name, "sqs_managed_sse_enabled = true"),
                sam("AWS::SQS::Queue", subject.name, "SqsManagedSseEnabled: true"),
            ],
            confidence=Confidence.HIGH,
        )
