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
    """Descriptions and backups are by name, None where they were not told."""

    names: Sequence[str]
    descriptions: Mapping[str, Answer | None]
    backups: Mapping[str, Answer | None]
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
        Permission(
            action="dynamodb:DescribeContinuousBackups",
            why="Tells whether a table can be restored to an earlier moment.",
            without="Nobody is warned of tables that a mistake would destroy for good.",
            probe=("dynamodb", "describe_continuous_backups", {"TableName": "nightjar-probe"}),
            resource="arn:${AWS::Partition}:dynamodb:*:${AWS::AccountId}:table/*",
        ),
        TAGS,
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        names = [name for page in aws.pages("dynamodb", "list_tables") for name in page["TableNames"]]
        extras = Extras(aws)
        turn = in_turn(names, scope.cursor.get("after", ""), MOST)
        descriptions = {name: extras.call("dynamodb", "describe_table", TableName=name) for name in turn}
        backups = {name: extras.call("dynamodb", "describe_continuous_backups", TableName=name) for name in turn}
        return Raw(names, descriptions, backups, extras.tags("dynamodb:table"), extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags, found = Tags(raw.tags), []
        for name in raw.names:
            arn = f"arn:{scope.partition}:dynamodb:{scope.region}:{scope.account}:table/{name}"
            told, backups = raw.descriptions.get(name), raw.backups.get(name)
            config = (_config(told["Table"]) if told else {}) | (_recovery(backups) if backups else {})
            found.append(Found("dynamodb_table", arn, name, config, tags.of(arn)))
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


def _recovery(answer: Answer) -> dict[str, Any]:
    """Whether the table can be restored to any moment of the last days."""
    told = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription") or {}
    return {"recovery": told.get("PointInTimeRecoveryStatus") == "ENABLED"}
