"""Kinesis data streams: how many shards feed functions, and how long records stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags, in_turn
from observability.aws.sessions import Region

MOST = 50
"""So many streams are described in one run."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Descriptions are by name, None where they were not told."""

    names: Sequence[str]
    descriptions: Mapping[str, Answer | None]
    tags: Sequence[Answer] | None
    lacking: tuple[str, ...]


class Streams:
    kind = "streams"
    title = "Streams"
    every = timedelta(minutes=15)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="kinesis:ListStreams",
            why="Finds your streams.",
            without="Streams are missing from the inventory.",
            probe=("kinesis", "list_streams", {"Limit": 1}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="kinesis:DescribeStreamSummary",
            why="Reads the settings of a stream: shards, retention, encryption. It does not read records.",
            without="Streams with too few shards, or without encryption, are not noticed.",
            probe=("kinesis", "describe_stream_summary", {"StreamName": "nightjar-probe"}),
            resource="arn:${AWS::Partition}:kinesis:*:${AWS::AccountId}:stream/*",
        ),
        TAGS,
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        names = [name for page in aws.pages("kinesis", "list_streams") for name in page["StreamNames"]]
        extras = Extras(aws)
        descriptions = {
            name: extras.call("kinesis", "describe_stream_summary", StreamName=name)
            for name in in_turn(names, scope.cursor.get("after", ""), MOST)
        }
        return Raw(names, descriptions, extras.tags("kinesis:stream"), extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags, found = Tags(raw.tags), []
        for name in raw.names:
            arn = f"arn:{scope.partition}:kinesis:{scope.region}:{scope.account}:stream/{name}"
            told = raw.descriptions.get(name)
            config = _config(told["StreamDescriptionSummary"]) if told else {}
            found.append(Found("kinesis_stream", arn, name, config, tags.of(arn)))
        cursor = {"after": list(raw.descriptions)[-1] if raw.descriptions else ""}
        return Harvest(found=found, complete=frozenset({"kinesis_stream"}), cursor=cursor, lacking=raw.lacking)


def _config(stream: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": stream["StreamStatus"],
        "mode": (stream.get("StreamModeDetails") or {}).get("StreamMode", "PROVISIONED"),
        "shards": stream["OpenShardCount"],
        "retention_s": stream["RetentionPeriodHours"] * 3600,
        "encrypted": stream.get("EncryptionType", "NONE") != "NONE",
        "consumers": stream.get("ConsumerCount", 0),
    }
