"""Queues that are near the most messages which may be handled at a time."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number, percent

MOST = 120_000
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"""


class QueueInFlight:
    kind = "queue_in_flight"
    title = "Too many messages in flight"
    why = "A queue may have 120,000 messages in flight. At the limit it hands out nothing more until some are done."
    source = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = (Knob("share", "Share of the limit", 80, "%", least=1, most=100),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        flying = lately.peak(subject, "ApproximateNumberOfMessagesNotVisible", estate, days=1)
        if flying is None or flying < MOST * knobs["share"] / 100:
            return
        yield Advice(
            text=f"{subject.name} had {number(flying)} of at most {number(MOST)} messages in flight.",
            evidence=[("Messages in flight", number(flying)), ("Of the limit", percent(flying / MOST))],
            fixes=[
                steps(
                    "Delete each message as soon as it is handled.",
                    "Shorten the visibility timeout, if messages are taken and forgotten.",
                    "Spread the work over several queues.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
