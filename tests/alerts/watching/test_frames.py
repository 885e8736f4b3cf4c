"""What is read of one step, and what is not known of it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from alerts.watching import frames
from alerts.watching.frames import Frame
from alerts.watching.series import BY_NAME, METRICS, Source, key_of, metric_of, resource_of
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.tenants.models import Organization
from tests.alerts.watching.numbers import Numbers, Runs

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)


@pytest.fixture
def pushing(checkout: Resource) -> Resource:
    checkout.pushed_at = AT
    checkout.save()
    return checkout


def resource(like: Resource, name: str, **fields: object) -> Resource:
    values = {"name": name, "arn": f"{like.arn}-{name}", "type": like.type, "region": like.region} | fields
    return Resource.objects.create(
        organization=like.organization, account=like.account, first_seen_at=AT, last_seen_at=AT, **values
    )


def read(organization: Organization, numbers: Numbers, source: Source = Source.ROLLUP) -> Frame:
    estate = frames.estate(organization.pk)
    (frame,) = frames.read(numbers, organization.pk, source, [AT], estate)  # type: ignore[arg-type]
    return frame


def value(frame: Frame, resource: Resource, metric: str) -> float:
    return float(frame.of_keys(np.array([key_of(resource.pk, BY_NAME[metric])]))[0][0])


def test_numbers_and_names_are_unique_and_keys_tell_both() -> None:
    assert len({metric.number for metric in METRICS}) == len({metric.name for metric in METRICS}) == len(METRICS)
    key = key_of(7, BY_NAME["cost"])
    assert (resource_of(key), metric_of(key)) == (7, BY_NAME["cost"])
    assert metric_of(7 << 8 | 255) is None
    assert all(len(metric.name) <= 40 for metric in METRICS)


def test_a_function_that_ran(acme: Organization, pushing: Resource) -> None:
    frame = read(acme, Numbers({pushing.pk: lambda at: Runs(40, 100.0, 1e-4, memory_mb=200)}, noise=0))
    runs = value(frame, pushing, "invocations")
    assert runs == pytest.approx(200, abs=60)
    assert value(frame, pushing, "cost") == pytest.approx(runs * 1e-4 * 12)
    assert value(frame, pushing, "duration_p50") == pytest.approx(100)
    assert value(frame, pushing, "duration_p95") == pytest.approx(160)
    assert value(frame, pushing, "memory") == pytest.approx(200, rel=0.04)


def test_of_few_runs_no_percentile_is_told(acme: Organization, pushing: Resource) -> None:
    frame = read(acme, Numbers({pushing.pk: lambda at: Runs(2)}))
    assert np.isnan(value(frame, pushing, "duration_p95"))
    assert value(frame, pushing, "invocations") > 0


def test_who_did_not_run_while_others_of_the_region_did(acme: Organization, pushing: Resource) -> None:
    idle = resource(pushing, "idle", pushed_at=AT)
    elsewhere = resource(pushing, "elsewhere", pushed_at=AT, region="us-east-1")
    frame = read(acme, Numbers({pushing.pk: lambda at: Runs(40)}))
    assert value(frame, idle, "invocations") == 0
    assert np.isnan(value(frame, idle, "errors"))
    assert np.isnan(value(frame, elsewhere, "invocations"))


def test_where_nothing_was_stored_nothing_is_known(acme: Organization, pushing: Resource) -> None:
    assert len(read(acme, Numbers({pushing.pk: lambda at: None})).keys) == 0


def test_of_an_account_that_is_blind_nothing_is_known(acme: Organization, checkout: Resource) -> None:
    AwsAccount.objects.create(
        organization=acme, name="Prod", account_id=checkout.account, external_id="x", created_at=AT, blind_since=AT
    )
    numbers = Numbers({checkout.pk: lambda at: Runs(40)}, {("Throttles", "Sum"): {checkout.pk: lambda at: 4.0}})
    assert len(read(acme, numbers).keys) == 0
    assert len(read(acme, numbers, Source.POINT).keys) == 0
    Resource.objects.update(pushed_at=AT)
    assert len(read(acme, numbers).keys)


def test_how_often_a_function_ran_whose_logs_are_read_is_for_aws_to_say(acme: Organization, checkout: Resource) -> None:
    numbers = Numbers(
        {checkout.pk: lambda at: Runs(40)}, {("Invocations", "Sum"): {checkout.pk: lambda at: 300.0}}, noise=0
    )
    assert np.isnan(value(read(acme, numbers), checkout, "invocations"))
    assert value(read(acme, numbers, Source.POINT), checkout, "invocations") == 300
    Resource.objects.update(pushed_at=AT)
    assert np.isnan(value(read(acme, numbers, Source.POINT), checkout, "invocations"))


def test_a_function_whose_extension_was_removed_did_not_stop_running(acme: Organization, checkout: Resource) -> None:
    Resource.objects.update(pushed_at=AT - timedelta(days=2), listed_at=AT)
    numbers = Numbers(
        {checkout.pk: lambda at: Runs(40)}, {("Invocations", "Sum"): {checkout.pk: lambda at: 300.0}}, noise=0
    )
    assert np.isnan(value(read(acme, numbers), checkout, "invocations"))
    assert value(read(acme, numbers, Source.POINT), checkout, "invocations") == 300


def test_points_are_added_up_scaled_and_zero_where_only_their_whole_is_stored(
    acme: Organization, checkout: Resource
) -> None:
    queue = resource(checkout, "queue", type="sqs_queue")
    api = resource(checkout, "api", type="rest_api")
    table = resource(checkout, "table", type="dynamodb_table")
    numbers = Numbers(
        points={
            ("ApproximateAgeOfOldestMessage", "Maximum"): {queue.pk: lambda at: 90.0},
            ("5XXError", "Sum"): {api.pk: lambda at: 3.0},
            ("Count", "Sum"): {api.pk: lambda at: 60.0},
            ("ConsumedReadCapacityUnits", "Sum"): {table.pk: lambda at: 12.0},
            ("ConcurrentExecutions", "Maximum"): {checkout.pk: lambda at: None},
        }
    )
    frame = read(acme, numbers, Source.POINT)
    assert value(frame, queue, "queue_age") == 90_000
    assert value(frame, api, "api_errors") == pytest.approx(5.0)
    assert value(frame, table, "table_throttles") == 0
    assert np.isnan(value(frame, checkout, "concurrency"))


def test_what_is_gone_is_not_watched(acme: Organization, pushing: Resource) -> None:
    Resource.objects.filter(pk=pushing.pk).update(gone_at=AT + timedelta(days=1))
    assert frames.estate(acme.pk) == {}
