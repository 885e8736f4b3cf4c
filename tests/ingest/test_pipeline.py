"""One run of a collection, from what is known of the place to what is stored."""

from datetime import timedelta
from itertools import count

import pytest

from ingest import pipeline, schedule
from ingest.collector import Found, Harvest, Scope
from ingest.collectors import BY_KIND
from ingest.collectors.lambda_functions import LambdaFunctions
from ingest.collectors.queues import Queues, Raw
from ingest.metric_data import Metric
from ingest.models import Collection
from observability.aws import sessions
from observability.aws.models import AwsAccount
from observability.inventory.contents import Measured, MeasuredLayer
from observability.inventory.models import Layer, Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.ingest.cloudwatch import CloudWatch
from tests.ingest.logs import ACCOUNT, HOUR, MINUTE, NOW, REGION, connect

VISIBLE = "ApproximateNumberOfMessagesVisible"


def queue(organization: Organization, name: str, **fields: object) -> Resource:
    given = {"region": REGION, "config": {"tags": {"team": "shop"}}, **fields}
    return Resource.objects.create(
        organization=organization, type="sqs_queue", name=name, account=ACCOUNT, first_seen_at=NOW, last_seen_at=NOW,
        arn=f"arn:aws:sqs:{given['region']}:{ACCOUNT}:{name}", **given,
    )  # fmt: skip


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    maintain(now=NOW)
    return connect(acme)


def collect(
    account: AwsAccount, cloudwatch: CloudWatch, monkeypatch: pytest.MonkeyPatch, kind: str = "resource_metrics"
) -> Collection:
    row = Collection.objects.create(account=account, region=REGION, kind=kind, due_at=NOW)
    assert schedule.claim(now=NOW, at_once=1) == [row.pk]
    monkeypatch.setattr(sessions, "region", lambda target, name: cloudwatch)
    pipeline.collect(collection_id=row.pk, clock=lambda: NOW)
    row.refresh_from_db()
    return row


def test_metrics_are_read_of_what_is_known_watched_and_there(
    account: AwsAccount, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.selection = {"include": {"tags": ["team=shop"]}, "exclude": {"names": ["*-canary"]}}
    account.save()
    orders = queue(acme, "orders")
    queue(acme, "orders-canary")
    queue(acme, "theirs", config={})
    queue(acme, "deleted", gone_at=NOW)
    queue(acme, "elsewhere", region="us-east-1")
    cloudwatch = CloudWatch()
    for name in ("orders", "orders-canary", "theirs", "deleted", "elsewhere", "unknown"):
        cloudwatch.count(Metric("AWS/SQS", VISIBLE, frozenset({("QueueName", name)})), 3, NOW - MINUTE, "Maximum")
    row = collect(account, cloudwatch, monkeypatch)
    assert (row.failures, row.succeeded_at, row.cursor["until"]) == (0, NOW, NOW.isoformat())
    window = Window(NOW - timedelta(hours=1), NOW)
    stored = get_store().points(acme.pk, window, metric=VISIBLE, statistic="Maximum")
    assert {pk: [(reading.at, reading.value) for reading in readings] for pk, readings in stored.items()} == {
        orders.pk: [(NOW - MINUTE, 3.0)]
    }


class Patient:
    """A collector that asks again and again until its time is up."""

    kind, title, every, permissions = "queues", "Queues", 5 * MINUTE, ()

    def fetch(self, aws: object, scope: Scope) -> int:
        return next(number for number in range(100) if scope.time_is_up())

    def transform(self, raw: int, scope: Scope) -> Harvest:
        return Harvest(cursor={"asked": raw}, more=True)


def test_a_run_that_is_cut_short_goes_on_at_once(account: AwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Collection.objects.create(account=account, region=REGION, kind="queues", due_at=NOW)
    assert schedule.claim(now=NOW, at_once=1) == [row.pk]
    monkeypatch.setitem(BY_KIND, "queues", Patient())
    seconds = count()
    pipeline.collect(collection_id=row.pk, clock=lambda: NOW + timedelta(seconds=next(seconds)))
    row.refresh_from_db()
    asked = pipeline.PATIENCE.seconds - 1  # It begins with the second look at the clock.
    assert (row.cursor, row.due_at) == ({"asked": asked}, NOW + timedelta(seconds=asked + 3))
    assert row.leased_until is None


def test_what_is_new_is_read_at_once(account: AwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    later = NOW + 4 * MINUTE
    metrics = Collection.objects.create(account=account, region=REGION, kind="resource_metrics", due_at=later)
    logs = Collection.objects.create(account=account, region=REGION, kind="lambda_logs", due_at=later)
    monkeypatch.setattr(Queues, "fetch", lambda self, aws, scope: Raw(["https://sqs/1/orders"], {}, None, ()))
    collect(account, CloudWatch(), monkeypatch, kind="queues")
    metrics.refresh_from_db()
    logs.refresh_from_db()
    assert (metrics.due_at, logs.due_at) == (NOW, later)


class Scales:
    """A collector that weighs the one function there is."""

    kind, title, every, permissions = "package_sizes", "Package sizes", 10 * MINUTE, ()

    def fetch(self, aws: object, scope: Scope) -> Scope:
        return scope

    def transform(self, raw: Scope, scope: Scope) -> Harvest:
        layer = "arn:aws:lambda:eu-west-1:123456789012:layer:pandas:1"
        packages = [
            (function.resource_id, Measured("sha", "archive", NOW, code_bytes=100, layers_bytes=30, layers=[layer]))
            for function in raw.functions.values()
        ]
        return Harvest(packages=packages, layers=[MeasuredLayer(layer, unzipped_bytes=30)])


def test_what_packages_hold_is_stored(account: AwsAccount, acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    function = queue(acme, "orders", config={})
    Resource.objects.filter(pk=function.pk).update(type="lambda_function")
    monkeypatch.setitem(BY_KIND, "package_sizes", Scales())
    for _ in range(2):
        Collection.objects.all().delete()
        collect(account, CloudWatch(), monkeypatch, kind="package_sizes")
    (package,) = function.packages.all()
    assert (package.code_bytes, package.layers_bytes, package.measured_at) == (100, 30, NOW)
    assert [(layer.unzipped_bytes, layer.organization) for layer in Layer.objects.all()] == [(30, acme)]


def test_a_deployment_has_its_package_read_at_once(
    account: AwsAccount, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighing = Collection.objects.create(account=account, region=REGION, kind="package_sizes", due_at=NOW + HOUR)
    found = Found("lambda_function", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders", "orders", {"memory_mb": 128})
    monkeypatch.setattr(LambdaFunctions, "fetch", lambda self, aws, scope: None)
    monkeypatch.setattr(LambdaFunctions, "transform", lambda self, raw, scope: Harvest(found=[found]))
    collect(account, CloudWatch(), monkeypatch, kind="lambda_functions")
    weighing.refresh_from_db()
    assert weighing.due_at == NOW
