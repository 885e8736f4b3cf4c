"""SNS topics and who is subscribed to them: functions and queues by name, people only as a number.

Attributes of topics and of those subscriptions are read in turns, as calls cost.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags, in_turn
from observability.aws.sessions import Region

RESOURCES = {"lambda", "sqs", "firehose"}
"""Protocols whose endpoint is the ARN of a resource; others are addresses and numbers of people."""

MOST, PER_TOPIC = 30, 20
"""So many topics tell their attributes in one run, each with so many of its subscriptions."""

UNCONFIRMED = "PendingConfirmation"
"""Instead of the ARN of a subscription that nobody confirmed."""

OWN = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:nightjar-probe"


@dataclass(frozen=True, slots=True)
class Raw:
    """Attributes are by ARN, those of topics and of subscriptions, None where they were not told."""

    topics: Sequence[Answer]
    subscriptions: Sequence[Answer] | None
    attributes: Mapping[str, Answer | None]
    deliveries: Mapping[str, Answer | None]
    tags: Sequence[Answer] | None
    lacking: tuple[str, ...]


class Topics:
    kind = "topics"
    title = "Topics"
    every = timedelta(minutes=15)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="sns:ListTopics",
            why="Finds your topics.",
            without="Topics are missing from the inventory.",
            probe=("sns", "list_topics", {}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="sns:ListSubscriptions",
            why="Shows which functions and queues a topic reaches. Of addresses of people only the number is kept.",
            without="A function does not show which topics call it.",
            probe=("sns", "list_subscriptions", {}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="sns:GetTopicAttributes",
            why="Reads whether a topic is encrypted, and whether its policy lets everybody in.",
            without="Topics that are open to strangers are not noticed.",
            probe=("sns", "get_topic_attributes", {"TopicArn": OWN}),
            resource="arn:${AWS::Partition}:sns:*:${AWS::AccountId}:*",
        ),
        Permission(
            action="sns:GetSubscriptionAttributes",
            why="Reads where messages go that could not be delivered to a function or a queue.",
            without="Nobody is warned of messages that would be lost.",
            probe=(
                "sns",
                "get_subscription_attributes",
                {"SubscriptionArn": f"{OWN}:00000000-0000-4000-8000-000000000000"},
            ),
            resource="arn:${AWS::Partition}:sns:*:${AWS::AccountId}:*",
        ),
        TAGS,
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        topics = [topic for page in aws.pages("sns", "list_topics") for topic in page["Topics"]]
        extras = Extras(aws)
        pages = extras.pages("sns", "list_subscriptions")
        turn = in_turn((topic["TopicArn"] for topic in topics), scope.cursor.get("after", ""), MOST)
        attributes = {arn: extras.call("sns", "get_topic_attributes", TopicArn=arn) for arn in turn}
        by_topic = _by_topic(pages or ())
        mine = [each["SubscriptionArn"] for arn in turn for each in _resources(by_topic[arn])[:PER_TOPIC]]
        deliveries = {
            arn: extras.call("sns", "get_subscription_attributes", SubscriptionArn=arn)
            for arn in mine
            if arn != UNCONFIRMED
        }
        return Raw(topics, pages, attributes, deliveries, extras.tags("sns"), extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags, found = Tags(raw.tags), []
        by_topic = _by_topic(raw.subscriptions or ())
        for topic in raw.topics:
            arn = topic["TopicArn"]
            name = arn.rsplit(":", 1)[1]
            config: dict[str, Any] = {"fifo": name.endswith(".fifo")}
            if raw.subscriptions is not None:
                config |= _subscribers(by_topic[arn]) | _deliveries(by_topic[arn], raw.deliveries)
            if told := raw.attributes.get(arn):
                config |= _settings(told["Attributes"])
            found.append(Found("sns_topic", arn, name, config, tags.of(arn)))
        cursor = {"after": list(raw.attributes)[-1] if raw.attributes else ""}
        return Harvest(found=found, complete=frozenset({"sns_topic"}), cursor=cursor, lacking=raw.lacking)


def _by_topic(pages: Iterable[Answer]) -> Mapping[str, list[Answer]]:
    found: dict[str, list[Answer]] = defaultdict(list)
    for page in pages:
        for each in page["Subscriptions"]:
            found[each["TopicArn"]].append(each)
    return found


def _resources(subscriptions: Iterable[Answer]) -> list[Answer]:
    return [each for each in subscriptions if each["Protocol"] in RESOURCES]


def _subscribers(subscriptions: Iterable[Answer]) -> dict[str, Any]:
    by_protocol = [(each["Protocol"], each["Endpoint"]) for each in subscriptions]
    others = Counter(protocol for protocol, _ in by_protocol if protocol not in RESOURCES)
    return {
        "subscribers": sorted(endpoint for protocol, endpoint in by_protocol if protocol in RESOURCES),
        "other_subscribers": dict(sorted(others.items())),
    }


def _deliveries(subscriptions: Iterable[Answer], told: Mapping[str, Answer | None]) -> dict[str, Any]:
    """Where each subscription's undelivered messages go; nothing where none of them told."""
    found = []
    for each in sorted(_resources(subscriptions), key=lambda each: str(each["Endpoint"])):
        if answer := told.get(each["SubscriptionArn"]):
            redrive = json.loads(answer["Attributes"].get("RedrivePolicy") or "{}")
            queue = redrive.get("deadLetterTargetArn", "")
            found.append({"arn": each["SubscriptionArn"], "endpoint": each["Endpoint"], "dead_letter": queue})
    queues = sorted({each["dead_letter"] for each in found} - {""})
    return {"subscriptions": found, "dead_letters": queues} if found else {}


def _settings(attributes: Mapping[str, str]) -> dict[str, Any]:
    """Of the policy only whether it lets everybody in is kept."""
    statements = json.loads(attributes.get("Policy") or "{}").get("Statement") or []
    return {
        "encrypted": bool(attributes.get("KmsMasterKeyId")),
        "public": any(_is_open(each) for each in ([statements] if isinstance(statements, dict) else statements)),
    }


def _is_open(statement: Mapping[str, Any]) -> bool:
    """Whether it allows something to everybody. A condition is taken for a limit, as AWS's own default has one."""
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    everybody = "*" in ([named] if isinstance(named, str) else named or ())
    return statement.get("Effect") == "Allow" and everybody and not statement.get("Condition")
