"""Queues that are asked all the time for messages that are not there."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import sam, set_queue, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.telemetry.pricing import around
from observability.ui.units import number

WAIT_S = 20
EMPTY = (0, 10)
"""Empty answers a second, from none to a busy loop: how often others ask, we are not told."""

MONTH_S = 30 * 86_400


class ShortPolling:
    """Lambda waits for messages by itself, so only queues matter that something else reads."""

    kind = "short_polling"
    title = "Queue is polled without waiting"
    why = "Each empty answer is a paid request, and one of few of SQS's servers is asked, so that messages are missed."
    source = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html"
    )
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        received = lately.total(subject, "NumberOfMessagesReceived", estate, days=7)
        if subject.config.get("wait_s") != 0 or not received or wiring.feeds(subject, estate):
            return
        least, most = (rate * MONTH_S * around("sqs_million_requests") / 1e6 for rate in EMPTY)
        yield Advice(
            text=f"Whoever reads {subject.name} is told at once that it is empty, and asks again.",
            evidence=[
                ("Wait time for messages", "0 s"),
                ("Messages received", f"{number(received)} in a week"),
                ("Read by", "something other than a function"),
            ],
            fixes=[
                set_queue(subject, {"ReceiveMessageWaitTimeSeconds": str(WAIT_S)}),
                terraform("aws_sqs_queue", subject.name, f"receive_wait_time_seconds = {WAIT_S}"),
                sam("AWS::SQS::Queue", subject.name, f"ReceiveMessageWaitTimeSeconds: {WAIT_S}"),
            ],
            confidence=Confidence.LOW,
            usd_month=(least, most),
        )
