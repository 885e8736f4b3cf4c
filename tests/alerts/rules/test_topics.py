"""Advice about SNS topics."""

import json
import shlex

from alerts.rules.subscription_without_dead_letters import SubscriptionWithoutDeadLetters
from alerts.rules.topic_deliveries_failed import TopicDeliveriesFailed
from alerts.rules.topic_public import TopicPublic
from alerts.rules.topic_unencrypted import TopicUnencrypted
from alerts.rules.topic_unheard import TopicUnheard
from tests.alerts.rules.cases import case, daily, subscription, topic, twins

FAILED = twins(
    TopicDeliveriesFailed(),
    problem=topic(points={**topic().points, **daily(NumberOfNotificationsFailed_Sum=(0, 3))}),
    clean=topic(points={**topic().points, **daily(NumberOfNotificationsFailed_Sum=(3, 0, 0))}),
)
WITHOUT_DEAD_LETTERS = twins(
    SubscriptionWithoutDeadLetters(),
    problem=topic(config={"subscriptions": [subscription(), subscription("mailer", dead_letter="")]}),
    clean=topic(),
)
UNENCRYPTED = twins(TopicUnencrypted(), problem=topic(config={"encrypted": False}), clean=topic())
PUBLIC = twins(TopicPublic(), problem=topic(config={"public": True}), clean=topic())
UNHEARD = twins(
    TopicUnheard(),
    problem=topic(
        config={"subscribers": [], "subscriptions": []}, points=daily(NumberOfMessagesPublished_Sum=500)
    ),
    clean=topic(config={"subscribers": [], "subscriptions": [], "other_subscribers": {"email": 1}}),
)  # fmt: skip


def test_a_subscription_of_another_account_hears_too() -> None:
    elsewhere = topic(config={"subscribers": [], "subscriptions": []})
    assert not case(elsewhere).advice(TopicUnheard())


def test_the_new_queue_lets_the_topic_in() -> None:
    (advice,) = WITHOUT_DEAD_LETTERS.problem.advice(SubscriptionWithoutDeadLetters())
    assert advice.topic == "mailer"
    create, subscribe = (shlex.split(text.replace("\\\n", " ")) for text in advice.fixes[0].text.split("\n\n"))
    policy = json.loads(json.loads(create[-1])["Policy"])
    assert policy["Statement"][0]["Resource"] == "arn:aws:sqs:eu-west-1:123456789012:news-dlq"
    assert json.loads(subscribe[-1]) == {"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:news-dlq"}
