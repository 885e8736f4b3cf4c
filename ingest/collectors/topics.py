"""SNS topics and who is subscribed to them: functions and queues by name, people only as a number."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags
from observability.aws.sessions import Region

RESOURCES = {"lambda", "sqs", "firehose"}
"""Protocols whose endpoint is the ARN of a resource; others are addresses and numbers of people."""


@dataclass(frozen=True, slots=True)
class Raw:
    topics: Sequence[Answer]
    subscriptions: Sequence[Answer] | None
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
        TAGS,
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        topics = [topic for page in aws.pages("sns", "list_topics") for topic in page["Topics"]]
        extras = Extras(aws)
        return Raw(topics, extras.pages("sns", "list_subscriptions"), extras.tags("sns"), extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags, found = Tags(raw.tags), []
        subscribed: dict[str, list[Answer]] = defaultdict(list)
        for page in raw.subscriptions or ():
            for each in page["Subscriptions"]:
                subscribed[each["TopicArn"]].append(each)
        for topic in raw.topics:
            arn = topic["TopicArn"]
            name = arn.rsplit(":", 1)[1]
            config: dict[str, Any] = {"fifo": name.endswith(".fifo")}
            if raw.subscriptions is not None:
                config |= _subscribers(subscribed[arn])
            found.append(Found("sns_topic", arn, name, config, tags.of(arn)))
        return Harvest(found=found, complete=frozenset({"sns_topic"}), lacking=raw.lacking)


def _subscribers(subscriptions: Iterable[Answer]) -> dict[str, Any]:
    by_protocol = [(each["Protocol"], each["Endpoint"]) for each in subscriptions]
    others = Counter(protocol for protocol, _ in by_protocol if protocol not in RESOURCES)
    return {
        "subscribers": sorted(endpoint for protocol, endpoint in by_protocol if protocol in RESOURCES),
        "other_subscribers": dict(sorted(others.items())),
    }
