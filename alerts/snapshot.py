"""An estate as rules see it: everything that an organization runs, with two weeks of what was measured of it.

Seven queries, however many resources there are; of ten thousand functions it takes some hundred megabytes, most of it
their configurations. What was deleted is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Max, QuerySet
from django.db.models import Window as Over
from django.db.models.functions import RowNumber

from alerts.rule import Estate, Package, Subject
from observability.aws.models import AwsAccount
from observability.inventory import models
from observability.inventory.models import Deployment, Resource
from observability.inventory.selection import Selection
from observability.telemetry.grains import floor
from observability.telemetry.records import Reading, Rollup, Standing, Window
from observability.telemetry.store import Store

LENGTH = timedelta(days=14)
DAY = timedelta(days=1)
PACKAGES = 20
"""So many of a function's last packages are its history."""

PREFIX = "/aws/lambda/"
"""Before the names of functions in those of their log groups."""

METRICS: tuple[tuple[str, str], ...] = (
    # Lambda
    ("Invocations", "Sum"), ("Throttles", "Sum"), ("Errors", "Sum"), ("Duration", "Average"), ("Duration", "Maximum"),
    ("ConcurrentExecutions", "Maximum"), ("IteratorAge", "Maximum"), ("AsyncEventsReceived", "Sum"),
    ("AsyncEventsDropped", "Sum"), ("AsyncEventAge", "Maximum"), ("DeadLetterErrors", "Sum"),
    ("ProvisionedConcurrencyUtilization", "Maximum"),
    # The extension
    ("extension_invocations", "Sum"), ("cpu_total_time", "Sum"), ("tmp_used", "Maximum"),
    # SQS
    ("ApproximateNumberOfMessagesVisible", "Maximum"), ("ApproximateNumberOfMessagesNotVisible", "Maximum"),
    ("ApproximateAgeOfOldestMessage", "Maximum"), ("NumberOfMessagesSent", "Sum"), ("NumberOfMessagesReceived", "Sum"),
    ("NumberOfMessagesDeleted", "Sum"),
    # DynamoDB
    ("ConsumedReadCapacityUnits", "Sum"), ("ConsumedWriteCapacityUnits", "Sum"), ("ReadThrottleEvents", "Sum"),
    ("WriteThrottleEvents", "Sum"), ("SystemErrors", "Sum"),
    # API Gateway
    ("Count", "Sum"), ("4XXError", "Sum"), ("5XXError", "Sum"), ("4xx", "Sum"), ("5xx", "Sum"),
    ("Latency", "Average"), ("Latency", "Maximum"), ("IntegrationLatency", "Average"),
    # Step Functions
    ("ExecutionsStarted", "Sum"), ("ExecutionsSucceeded", "Sum"), ("ExecutionsFailed", "Sum"),
    ("ExecutionsTimedOut", "Sum"), ("ExecutionsAborted", "Sum"), ("ExecutionThrottled", "Sum"),
    ("ExecutionTime", "Average"), ("ExecutionTime", "Maximum"),
    # Kinesis
    ("IncomingRecords", "Sum"), ("IncomingBytes", "Sum"), ("GetRecords.IteratorAgeMilliseconds", "Maximum"),
    ("ReadProvisionedThroughputExceeded", "Sum"), ("WriteProvisionedThroughputExceeded", "Sum"),
    # SNS
    ("NumberOfMessagesPublished", "Sum"), ("NumberOfNotificationsFailed", "Sum"),
    ("NumberOfNotificationsDelivered", "Sum"),
    # EventBridge ("Invocations" is Lambda's word as well)
    ("FailedInvocations", "Sum"), ("ThrottledRules", "Sum"),
)  # fmt: skip
"""Everything of what ingest reads from CloudWatch that a rule may ask for, by metric and statistic."""

Points = Mapping[tuple[str, str], Mapping[int, Sequence[Reading]]]
FIELDS = ("type", "arn", "name", "region", "account", "config", "first_seen_at")
NOTHING = Standing(Rollup(), None)


def take(*, organization_id: int, store: Store, now: datetime) -> Estate:
    """Everything that is known of the organization at ``now``; ``Estate.window`` begins with a day (UTC)."""
    rows = list(_alive(organization_id).order_by("pk").values(*FIELDS, resource_id=F("pk")))
    window = _window((row["first_seen_at"] for row in rows), now)
    standings = store.by_resource(organization_id, window)
    points = _by_resource(store.measured_by_resource(organization_id, window, metrics=METRICS, step=DAY))
    packages = _packages(organization_id)
    deployed = _deployed(organization_id)
    selections, writers = _selections(organization_id), _writers(rows)
    subjects: dict[int, Subject] = {}
    for row in rows:
        pk = row["resource_id"]
        standing = standings.get(pk) or NOTHING
        whose = writers.get((row["account"], row["region"], row["name"]), row) if row["type"] == "log_group" else row
        subjects[pk] = Subject(
            **row,
            rollup=standing.rollup, p95_ms=standing.p95_ms, p99_ms=standing.p99_ms,
            points=points.get(pk, {}), package=packages.get(pk), deployed_at=deployed.get(pk),
            watched=_is_watched(whose, selections.get(row["account"], Selection())),
        )  # fmt: skip
    by_arn = {subject.arn: subject for subject in subjects.values()}
    return Estate(organization_id=organization_id, now=now, window=window, subjects=subjects, by_arn=by_arn)


def _alive(organization_id: int) -> QuerySet[Resource]:
    return Resource.objects.filter(organization_id=organization_id, gone_at=None)


def _selections(organization_id: int) -> dict[str, Selection | None]:
    """By account, what its owner wants watched; None of what was disconnected, whatever is known of it still."""
    rows = AwsAccount.objects.filter(organization=organization_id).order_by(F("disconnected_at").asc(nulls_last=True))
    told = rows.values_list("account_id", "selection", "disconnected_at")
    return {account: None if gone_at else Selection.from_json(selection) for account, selection, gone_at in told}


def _is_watched(row: Mapping[str, Any], selection: Selection | None) -> bool:
    """An account is, whatever of it was chosen: its limits are those of all."""
    if selection is None or row["type"] == "aws_account":
        return selection is not None
    return selection.matches(row["name"].removeprefix(PREFIX), row["config"].get("tags") or {})


def _writers(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Functions by the log group that they write to: it is watched if they are."""
    functions = (row for row in rows if row["type"] == "lambda_function")
    return {
        (row["account"], row["region"], row["config"].get("log_group") or f"{PREFIX}{row['name']}"): row
        for row in functions
    }


def _window(first_seen: Iterable[datetime], now: datetime) -> Window:
    """Two weeks, or since anything has been known."""
    start = min(now, max(now - LENGTH, min(first_seen, default=now)))
    return Window(floor(start, DAY), now)


def _by_resource(points: Points) -> dict[int, dict[tuple[str, str], list[Reading]]]:
    """Days of which nothing is known are left out: most resources have few metrics, and those are sparse."""
    found: dict[int, dict[tuple[str, str], list[Reading]]] = defaultdict(dict)
    for key, resources in points.items():
        for resource_id, readings in resources.items():
            found[resource_id][key] = [each for each in readings if each.value is not None]
    return found


def _packages(organization_id: int) -> dict[int, Package]:
    """Of each function its newest package, and the sizes of those before."""
    mine = models.Package.objects.filter(organization_id=organization_id, resource__gone_at=None)
    history: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for resource_id, at, *sizes in _numbered(mine, PACKAGES).values_list("resource_id", *SIZES).order_by("deployed_at"):
        if (size := _size(*sizes)) is not None:
            history[resource_id].append((at, size))
    return {row.resource_id: _package(row, history[row.resource_id]) for row in _newest(mine)}


SIZES = ("deployed_at", "code_bytes", "layers_bytes", "image_bytes")


def _numbered(packages: QuerySet[models.Package], most: int) -> QuerySet[models.Package]:
    place = Over(RowNumber(), partition_by="resource_id", order_by=F("deployed_at").desc())
    return packages.annotate(place=place).filter(place__lte=most)


def _newest(packages: QuerySet[models.Package]) -> Iterator[models.Package]:
    return packages.order_by("resource_id", "-deployed_at").distinct("resource_id").defer("folders").iterator(500)


def _size(code: int | None, layers: int | None, image: int | None) -> int | None:
    """What counts against the limit: an image, or code and layers unzipped."""
    return image if image is not None else code + (layers or 0) if code is not None else None


def _package(row: models.Package, history: Sequence[tuple[datetime, int]]) -> Package:
    dependencies: Sequence[Mapping[str, Any]] = row.dependencies
    return Package(
        row.zipped_bytes, row.code_bytes, row.layers_bytes, row.image_bytes, row.complete,
        dependencies, row.waste, row.layers, history,
    )  # fmt: skip


def _deployed(organization_id: int) -> dict[int, datetime]:
    """When each resource was last deployed."""
    rows = Deployment.objects.filter(organization_id=organization_id).values("resource_id")
    return {row["resource_id"]: row["last"] for row in rows.annotate(last=Max("deployed_at"))}
