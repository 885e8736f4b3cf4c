"""Topics whose messages did not get to somebody who is subscribed."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number

DAYS = 2


class TopicDeliveriesFailed:
    kind = "topic_deliveries_failed"
    title = "Topic could not deliver"
    why = "SNS gave up on these messages after all its tries. Without a dead-letter queue they are gone."
    source = "https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("sns_topic",)
    knobs: tuple[Knob, ...] = (Knob("messages", "Failed deliveries in two days", 1, "messages", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        failed = lately.total(subject, "NumberOfNotificationsFailed", estate, days=DAYS) or 0
        if failed < knobs["messages"]:
            return
        delivered = lately.total(subject, "NumberOfNotificationsDelivered", estate, days=DAYS) or 0
        names = [arn.rpartition(":")[2] for arn in subject.config.get("subscribers") or ()]
        yield Advice(
            text=f"{subject.name} could not deliver {counted(failed, 'message')} within two days.",
            evidence=[
                ("Failed", number(failed)),
                ("Delivered", number(delivered)),
                ("Subscribers", ", ".join(names) or "none that is a resource"),
            ],
            fixes=[
                steps(
                    "Look whether each subscriber still exists, and whether its policy lets the topic in.",
                    "An encrypted queue needs a key whose policy lets SNS use it.",
                    "Have failed messages kept: give each subscription a dead-letter queue.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
