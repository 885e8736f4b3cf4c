"""One run of a collection, from what is known of the place to what is stored."""

from datetime import timedelta

import pytest

from ingest import pipeline, schedule
from ingest.metric_data import Metric
from ingest.models import Collection
from observability.aws import sessions
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.ingest.cloudwatch import CloudWatch
from tests.ingest.logs import ACCOUNT, MINUTE, NOW, REGION, connect

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


def collect(account: AwsAccount, cloudwatch: CloudWatch, monkeypatch: pytest.MonkeyPatch) -> Collection:
    row = Collection.objects.create(account=account, region=REGION, kind="resource_metrics", due_at=NOW)
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
    assert (row.failures, row.succeeded_at, row.cursor) == (0, NOW, {"until": NOW.isoformat()})
    window = Window(NOW - timedelta(hours=1), NOW)
    stored = get_store().points(acme.pk, window, metric=VISIBLE, statistic="Maximum")
    assert {pk: [(reading.at, reading.value) for reading in readings] for pk, readings in stored.items()} == {
        orders.pk: [(NOW - MINUTE, 3.0)]
    }
