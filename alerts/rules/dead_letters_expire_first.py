"""Dead-letter queues that delete messages sooner than those from which they come."""

from collections.abc import Iterable, Mapping

from alerts import wiring
from alerts.finding import Severity
from alerts.fixes import sam, set_queue, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.text import duration

LONGEST = 1_209_600


class DeadLettersExpireFirst:
    """In a FIFO queue a message begins a new life when it is moved; in a standard one its age goes on."""

    kind = "dead_letters_expire_first"
    title = "Dead-letter queue keeps messages too briefly"
    why = (
        "A message keeps its age when it is moved. One that failed late is deleted from the dead-letter queue soon "
        "after it arrives, or at once, before anybody saw it."
    )
    source = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"
        "#understanding-message-retention-periods"
    )
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        """Said of the queue that is too brief, once for all that it serves."""
        kept = subject.config.get("retention_s")
        if not kept or kept >= LONGEST or subject.config.get("fifo"):
            return
        sources = [
            each for each in wiring.wiring(estate).failing.get(subject.arn, ())
            if each.type == "sqs_queue" and each.config.get("retention_s", 0) >= kept
        ]  # fmt: skip
        if not sources:
            return
        names = ", ".join(each.name for each in sources)
        yield Advice(
            text=f"{subject.name} keeps failed messages for {duration(kept)}, no longer than {names} does.",
            evidence=[
                (f"Retention of {subject.name}", duration(kept)),
                *((f"Retention of {each.name}", duration(each.config["retention_s"])) for each in sources),
            ],
            fixes=[
                set_queue(subject, {"MessageRetentionPeriod": str(LONGEST)}),
                terraform("aws_sqs_queue", subject.name, f"message_retention_seconds = {LONGEST}"),
                sam("AWS::SQS::Queue", subject.name, f"MessageRetentionPeriod: {LONGEST}"),
            ],
            confidence=Confidence.HIGH,
        )
