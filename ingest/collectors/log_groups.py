"""Log groups of what is serverless: how long they keep what, and how much is written a day. For advice on their cost.

Listing is free. Bytes are asked of CloudWatch once a day, as whole days, which costs a metric for each group that was
written to: three hundredths of a cent a month. What is in the logs is no matter of this collector.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags
from ingest.metric_data import GET_METRIC_DATA, LIST_METRICS, PER_CALL, listed
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region

TYPE = "log_group"
PREFIXES = ("/aws/lambda/", "/aws/apigateway/", "API-Gateway-Execution-Logs_", "/aws/vendedlogs/", "/aws/states/")
LONGEST_NAME = 140
"""Longer names do not fit, and those of functions are not."""

NAMESPACE, DIMENSION, METRIC = "AWS/Logs", "LogGroupName", "IncomingBytes"
DAY, DAYS = timedelta(days=1), 7


@dataclass(frozen=True, slots=True)
class Raw:
    """``written`` is what each group was asked and answered, by its name; None when it was not time to ask."""

    pages: Sequence[Answer]
    written: Mapping[str, Sequence[float]] | None
    tags: Sequence[Answer] | None
    lacking: tuple[str, ...]


class LogGroups:
    kind = "log_groups"
    title = "Log groups"
    every = timedelta(hours=1)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="logs:DescribeLogGroups",
            why="Tells how much your logs hold, so that you see what keeping them costs.",
            without="Logs that are kept for ever, or belong to deleted functions, are not noticed.",
            probe=("logs", "describe_log_groups", {"limit": 1}),
            wild="Log groups are listed for a whole region.",
        ),
        LIST_METRICS,
        GET_METRIC_DATA,
        TAGS,
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        own = {str(each.config["log_group"]) for each in scope.functions.values() if each.config.get("log_group")}
        others = sorted(name for name in own if not name.startswith(PREFIXES))
        pages = [
            page
            for prefix in (*PREFIXES, *others)
            for page in aws.pages("logs", "describe_log_groups", logGroupNamePrefix=prefix)
        ]
        extras = Extras(aws)
        names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        written = _written(aws, extras, names, now=scope.now) if _is_time(scope) else None
        return Raw(pages, written, extras.tags("logs:log-group"), extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags = Tags(raw.tags)
        groups = {group["logGroupName"]: group for page in raw.pages for group in page["logGroups"]}
        found = []
        for name, group in groups.items():
            arn = group["arn"].removesuffix(":*")
            config = _config(group)
            if raw.written is not None:
                config["daily_bytes"] = round(sum(raw.written.get(name, ())) / DAYS)
            if len(name) <= LONGEST_NAME:
                found.append(Found(TYPE, arn, name, config, tags.of(arn)))
        asked = scope.now.isoformat() if raw.written is not None else scope.cursor.get("asked")
        return Harvest(found=found, complete=frozenset({TYPE}), cursor={"asked": asked}, lacking=raw.lacking)


def _config(group: Answer) -> dict[str, Any]:
    return {
        "retention_days": group.get("retentionInDays"),
        "class": group.get("logGroupClass", "STANDARD"),
        "stored_bytes": group.get("storedBytes", 0),
    }


def _is_time(scope: Scope) -> bool:
    asked = scope.cursor.get("asked")
    return asked is None or scope.now - datetime.fromisoformat(asked) >= DAY


def _written(
    aws: Region, extras: Extras, names: Iterable[str], *, now: datetime
) -> Mapping[str, Sequence[float]] | None:
    """Bytes of each of the last whole days, of every group that was written to lately; None when it is not told."""
    try:
        there = listed(aws, NAMESPACE, DIMENSION, recently=False)
    except AwsError as error:
        if error.trouble is not Trouble.ACCESS_DENIED:
            raise
        return None
    wanted = {frozenset({(DIMENSION, name)}) for name in names}
    alive = [dict(each.dimensions)[DIMENSION] for each in there if each.name == METRIC and each.dimensions in wanted]
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found: dict[str, Sequence[float]] = {}
    for first in range(0, len(alive), PER_CALL):
        some = alive[first : first + PER_CALL]
        asked = [_query(number, name) for number, name in enumerate(some)]
        pages = extras.pages(
            "cloudwatch", "get_metric_data", MetricDataQueries=asked, StartTime=end - DAYS * DAY, EndTime=end
        )
        if pages is None:
            return None
        for result in (result for page in pages for result in page["MetricDataResults"]):
            name = some[int(result["Id"][1:])]
            found[name] = [*found.get(name, ()), *result["Values"]]
    return found


def _query(number: int, name: str) -> dict[str, Any]:
    metric = {"Namespace": NAMESPACE, "MetricName": METRIC, "Dimensions": [{"Name": DIMENSION, "Value": name}]}
    return {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": DAY.days * 86_400, "Stat": "Sum"}}
