"""Queues in which messages wait that nobody fetches."""

from collections.abc import Iterable, Mapping, Sequence

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, steps, together
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.text import duration
from observability.ui.units import counted, number

DAY_S = 86_400


class QueueNotWorkedOn:
    kind = "queue_not_worked_on"
    title = "Queue is not being worked on"
    why = "Messages wait and nobody takes them. When their retention ends, SQS deletes them without a word."
    source = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
        "sqs-available-cloudwatch-metrics.html"
    )
    pillar = Pillar.RELIABILITY
    severity = Severity.CRITICAL
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = (Knob("messages", "Waiting messages", 1, "messages", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        waiting = lately.values(subject, "ApproximateNumberOfMessagesVisible", "Maximum", estate, days=1)
        taken = sum(
            lately.total(subject, metric, estate, days=1) or 0
            for metric in ("NumberOfMessagesReceived", "NumberOfMessagesDeleted")
        )
        if not waiting or waiting[-1] < knobs["messages"] or taken or wiring.holds_failures(subject, estate):
            return
        if not _waits_long(subject, estate):
            return
        feeds, retention = wiring.feeds(subject, estate), subject.config.get("retention_s")
        yield Advice(
            text=f"{subject.name} holds {counted(waiting[-1], 'message')}, and nobody took one within the last day.",
            evidence=[
                ("Messages waiting", number(waiting[-1])),
                ("Messages taken", "0 within a day"),
                ("Deleted unread after", duration(retention) if retention else "not known"),
                ("Read by", ", ".join(_reader(feed) for feed in feeds) or "no function"),
            ],
            fixes=_fixes(subject, feeds),
            confidence=Confidence.MEDIUM,
        )


def _waits_long(queue: Subject, estate: Estate) -> bool:
    """A message that came a moment ago waits for nobody; AWS tells the age of the oldest."""
    oldest = lately.values(queue, "ApproximateAgeOfOldestMessage", "Maximum", estate, days=1)
    return bool(oldest) and oldest[-1] >= min(DAY_S, queue.config.get("retention_s", DAY_S) / 2)


def _reader(feed: wiring.Feed) -> str:
    return feed.function.name + ("" if feed.mapping.get("enabled") else " (switched off)")


def _fixes(queue: Subject, feeds: Sequence[wiring.Feed]) -> list[Fix]:
    """Switch on what is off; else say where to look."""
    off = [feed for feed in feeds if not feed.mapping.get("enabled")]
    command = "lambda update-event-source-mapping"
    found = [cli(command, queue.region, option("uuid", feed.mapping["uuid"]), "--enabled") for feed in off]
    look = f"Find out why {', '.join(feed.function.name for feed in feeds) or 'nobody'} reads from {queue.name}."
    return [together(*found)] if found else [steps(look, "Start it again before the messages are deleted.")]
