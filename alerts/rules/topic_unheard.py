"""Topics to which somebody publishes and nobody listens."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number

DAYS = 7


class TopicUnheard:
    """Subscriptions of other accounts are not listed, but what is delivered to them is counted."""

    kind = "topic_unheard"
    title = "Nobody is subscribed to a topic"
    why = "Messages are published and go nowhere: a subscription was lost, or nobody needs them any more."
    source = "https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sns_topic",)
    knobs: tuple[Knob, ...] = (Knob("messages", "Messages published in a week", 1, "messages", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        config = subject.config
        published = lately.total(subject, "NumberOfMessagesPublished", estate, days=DAYS) or 0
        if config.get("subscribers") != [] or config.get("other_subscribers") or published < knobs["messages"]:
            return
        outcomes = ("NumberOfNotificationsDelivered", "NumberOfNotificationsFailed")
        if any(lately.total(subject, metric, estate, days=DAYS) for metric in outcomes):
            return
        yield Advice(
            text=f"{counted(published, 'message')} went to {subject.name} within a week, and reached nobody.",
            evidence=[("Published", number(published)), ("Delivered", "0"), ("Subscribers", "none")],
            fixes=[
                steps("Find out who should listen, and subscribe it again.", "If nobody should, delete the topic."),
                cli("sns delete-topic", subject.region, option("topic-arn", subject.arn)),
            ],
            confidence=Confidence.MEDIUM,
        )
