"""DynamoDB tables, their capacity and indexes, and the streams of theirs that feed functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags, in_turn
from observability.aws.sessions import Region

MOST = 100
"""So many tables are described in one run."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Descriptions are by name, None where they were not told."""

    names: Sequence[str]
    descriptions: Mapping[str, Answer | None]
    tags: Sequence[Answer] | None
    lacking: tuple[str, ...]


class Tables:
    kind = "tables"
    title = "Tables"
    every = timedelta(minutes=15)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="dynamodb:ListTables",
            why="Finds your tables.",
            without="Tables are missing from the inventory.",
            probe=("dynamodb", "list_tables", {"Limit": 1}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="dynamodb:DescribeTable",
            why="Reads the settings of a table, such as its capacity and its stream. It does not read what is in it.",
            without="Capacity that is too small, and streams that feed functions, are not shown.",
            probe=("dynamodb", "describe_table", {"TableName": "nightjar-probe"}),
            resource="arn:${AWS::Partition}:dynamodb:*:${AWS::AccountId}:table/*",
        ),
        TAGS,
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        names = [name for page in aws.pages("dynamodb", "list_tables") for name in page["TableNames"]]
        extras = Extras(aws)
        descriptions = {
            name: extras.call("dynamodb", "describe_table", TableName=name)
            for name in in_turn(names, scope.cursor.get("after", ""), MOST)
        }
        return Raw(names, descriptions, extras.tags("dynamodb:table"), extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags, found = Tags(raw.tags), []
        for name in raw.names:
            arn = f"arn:{scope.partition}:dynamodb:{scope.region}:{scope.account}:table/{name}"
            told = raw.descriptions.get(name)
            found.append(Found("dynamodb_table", arn, name, _config(told["Table"]) if told else {}, tags.of(arn)))
        cursor = {"after": list(raw.descriptions)[-1] if raw.descriptions else ""}
        return Harvest(found=found, complete=frozenset({"dynamodb_table"}), cursor=cursor, lacking=raw.lacking)


def _config(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table that never was on demand has no summary of its billing mode. Size and items are up to six hours old."""
    provisioned = table.get("ProvisionedThroughput") or {}
    stream = (table.get("StreamSpecification") or {}).get("StreamEnabled")
    return {
        "status": table["TableStatus"],
        "billing": (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"),
        "read_capacity": provisioned.get("ReadCapacityUnits", 0),
        "write_capacity": provisioned.get("WriteCapacityUnits", 0),
        "class": (table.get("TableClassSummary") or {}).get("TableClass", "STANDARD"),
        "keys": [key["AttributeName"] for key in table["KeySchema"]],
        "indexes": sorted(index["IndexName"] for index in table.get("GlobalSecondaryIndexes") or ()),
        "size_bytes": table.get("TableSizeBytes", 0),
        "items": table.get("ItemCount", 0),
        "stream": table.get("LatestStreamArn", "") if stream else "",
        "deletion_protection": bool(table.get("DeletionProtectionEnabled")),
    }
