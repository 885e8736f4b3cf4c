"""SQS queues: what waits for functions, and where what failed ends up. Attributes are read in turns, as calls cost."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags, in_turn
from observability.aws.sessions import Region

MOST = 100
"""So many queues tell their attributes in one run."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Attributes are by URL, None where they were not told."""

    urls: Sequence[str]
    attributes: Mapping[str, Answer | None]
    tags: Sequence[Answer] | None
    lacking: tuple[str, ...]


class Queues:
    kind = "queues"
    title = "Queues"
    every = timedelta(minutes=15)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="sqs:ListQueues",
            why="Finds your queues, so that a function shows what feeds it.",
            without="Queues are missing from the inventory.",
            probe=("sqs", "list_queues", {"MaxResults": 1}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="sqs:GetQueueAttributes",
            why="Reads the settings of a queue: its timeouts, and where messages go that nobody could handle.",
            without="Dead-letter queues and timeouts that are too short for their function are not noticed.",
            probe=(
                "sqs",
                "get_queue_attributes",
                {"QueueUrl": "https://sqs.${AWS::Region}.amazonaws.com/${AWS::AccountId}/nightjar-probe",
                 "AttributeNames": ["QueueArn"]},
            ),
            resource="arn:${AWS::Partition}:sqs:*:${AWS::AccountId}:*",
        ),
        TAGS,
    )  # fmt: skip

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        pages = aws.pages("sqs", "list_queues", MaxResults=1000)
        urls = [url for page in pages for url in page.get("QueueUrls", ())]
        extras = Extras(aws)
        attributes = {
            url: extras.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
            for url in in_turn(urls, scope.cursor.get("after", ""), MOST)
        }
        return Raw(urls, attributes, extras.tags("sqs"), extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags, found = Tags(raw.tags), []
        for url in raw.urls:
            name = url.rsplit("/", 1)[1]
            arn = f"arn:{scope.partition}:sqs:{scope.region}:{scope.account}:{name}"
            told = raw.attributes.get(url)
            found.append(Found("sqs_queue", arn, name, _config(told["Attributes"]) if told else {}, tags.of(arn)))
        cursor = {"after": list(raw.attributes)[-1] if raw.attributes else ""}
        return Harvest(found=found, complete=frozenset({"sqs_queue"}), cursor=cursor, lacking=raw.lacking)


def _config(attributes: Mapping[str, str]) -> dict[str, Any]:
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    return {
        "visibility_timeout_s": int(attributes["VisibilityTimeout"]),
        "retention_s": int(attributes["MessageRetentionPeriod"]),
        "delay_s": int(attributes.get("DelaySeconds", 0)),
        "wait_s": int(attributes.get("ReceiveMessageWaitTimeSeconds", 0)),
        "max_message_bytes": int(attributes.get("MaximumMessageSize", 0)),
        "fifo": attributes.get("FifoQueue") == "true",
        "dead_letter": redrive.get("deadLetterTargetArn", ""),
        "max_receives": int(redrive["maxReceiveCount"]) if redrive else None,
        "encrypted": bool(attributes.get("KmsMasterKeyId")) or attributes.get("SqsManagedSseEnabled") == "true",
    }
