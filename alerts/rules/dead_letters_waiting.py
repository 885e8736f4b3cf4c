"""Dead-letter queues that hold something."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, queue_url, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.text import duration
from observability.ui.units import counted, number


class DeadLettersWaiting:
    """By the newest reading: what was there last week and is not any more has been dealt with."""

    kind = "dead_letters_waiting"
    title = "Failed messages wait in a dead-letter queue"
    why = "Each is work that was accepted and not done. SQS deletes them when the queue's retention ends."
    source = (
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
        "sqs-configure-dead-letter-queue-redrive.html"
    )
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = (Knob("messages", "Failed messages", 1, "messages", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if not wiring.holds_failures(subject, estate) or _is_worked_on(subject, estate):
            return
        waiting = lately.values(subject, "ApproximateNumberOfMessagesVisible", "Maximum", estate, days=1)
        if not waiting or waiting[-1] < knobs["messages"]:
            return
        age = lately.peak(subject, "ApproximateAgeOfOldestMessage", estate, days=1)
        retention = subject.config.get("retention_s")
        failing = wiring.wiring(estate).failing.get(subject.arn, ())
        yield Advice(
            text=f"{subject.name} holds {counted(waiting[-1], 'failed message')}.",
            evidence=[
                ("Messages", number(waiting[-1])),
                ("Oldest", duration(age) if age else "not known"),
                ("Deleted after", duration(retention) if retention else "not known"),
                ("Come from", ", ".join(each.name for each in failing) or "not known"),
            ],
            fixes=[
                steps(
                    "Look at some of the messages with the command, and at the logs of who failed on them.",
                    "Mend what is wrong, then send them back to where they came from.",
                ),
                cli(
                    "sqs receive-message", subject.region, option("queue-url", queue_url(subject)),
                    option("message-attribute-names", "All"), option("max-number-of-messages", 10),
                ),
                *_moved_back(subject, failing),
            ],
            confidence=Confidence.MEDIUM,
        )  # fmt: skip


def _is_worked_on(queue: Subject, estate: Estate) -> bool:
    """Whether a function reads from it: then messages are there only until it does, as in any queue."""
    return any(feed.mapping.get("enabled", True) for feed in wiring.feeds(queue, estate))


def _moved_back(subject: Subject, failing: Iterable[Subject]) -> list[Fix]:
    """SQS moves back only what another queue gave up."""
    if not any(each.type == "sqs_queue" for each in failing):
        return []
    return [cli("sqs start-message-move-task", subject.region, option("source-arn", subject.arn))]
