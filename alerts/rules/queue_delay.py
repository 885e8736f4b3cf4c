"""Queues whose messages wait too long."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.text import duration
from observability.ui.units import number


class QueueDelay:
    """Of messages that the queue itself holds back, that time does not count."""

    kind = "queue_delay"
    title = "Messages wait too long"
    why = "The oldest message waited far longer than handling it takes: whoever reads the queue is behind, or stuck."
    source = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
        "sqs-available-cloudwatch-metrics.html"
    )
    pillar = Pillar.PERFORMANCE
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = (Knob("minutes", "Oldest message waits", 15, "minutes", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        oldest = lately.peak(subject, "ApproximateAgeOfOldestMessage", estate, days=1)
        if oldest is None or wiring.holds_failures(subject, estate):
            return
        waited, limit = oldest - subject.config.get("delay_s", 0), knobs["minutes"] * 60
        if waited <= limit:
            return
        waiting = lately.peak(subject, "ApproximateNumberOfMessagesVisible", estate, days=1)
        readers = [feed.function.name for feed in wiring.feeds(subject, estate)]
        yield Advice(
            text=f"A message waited {duration(waited)} in {subject.name} within the last day.",
            evidence=[
                ("Oldest message", duration(waited)),
                ("Limit", duration(limit)),
                ("Most waiting", number(waiting)),
                ("Read by", ", ".join(readers) or "no function"),
            ],
            fixes=[
                steps(
                    f"Look at {', '.join(readers) or 'whoever reads the queue'}: errors, throttles, slow calls.",
                    "A message that fails again and again becomes old as well: let a dead-letter queue take it.",
                    "If all is well, let more of it run at a time.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
