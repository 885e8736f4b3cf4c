"""Queues that nobody writes to any more."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, queue_url, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class QueueAbandoned:
    """Dead-letter queues are meant to stay empty, and are left alone."""

    kind = "queue_abandoned"
    title = "Queue is abandoned"
    why = "Nothing was sent to it for days. Either its sender is broken, or it is left over and can go."
    source = "https://docs.aws.amazon.com/wellarchitected/latest/framework/cost_decomissioning_resources_track.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = (Knob("days", "Days without a message", 7, "days", least=1, most=14),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        days = int(knobs["days"])
        if estate.days_of(subject) < days or not subject.config or wiring.holds_failures(subject, estate):
            return
        busy = ("NumberOfMessagesSent", "NumberOfMessagesDeleted")
        if not wiring.reached(subject, estate, days=days) or any(
            lately.total(subject, each, estate, days=days) for each in busy
        ):
            return
        if lately.peak(subject, "ApproximateNumberOfMessagesVisible", estate, days=days):
            return  # Then nobody reads from it, which is another rule's.
        readers = [feed.function.name for feed in wiring.feeds(subject, estate)]
        yield Advice(
            text=f"Nothing was sent to {subject.name} in the last {days} days, and nothing waits in it.",
            evidence=[
                ("Messages sent", f"0 in {days} days"),
                ("Messages waiting", "0"),
                ("Read by", ", ".join(readers) or "no function"),
            ],
            fixes=[
                steps(
                    f"Find out who should send to {subject.name}, and whether that still runs.",
                    "If nobody should, delete its event source mappings, then the queue.",
                ),
                cli("sqs delete-queue", subject.region, option("queue-url", queue_url(subject))),
            ],
            confidence=Confidence.MEDIUM,
        )
