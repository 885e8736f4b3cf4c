from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts import snapshot
from alerts.rule import Estate
from ingest.collectors.lambda_metrics import DETAILS, SIGNS
from ingest.collectors.resource_metrics import MEASURED
from observability.aws.models import AwsAccount
from observability.inventory.models import Deployment, Package, Resource
from observability.telemetry.records import Point
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.alerts.facts import NOW
from tests.alerts.rules.cases import load
from tests.alerts.test_outcomes import runs

DAY = timedelta(days=1)
EXTENSION = {("extension_invocations", "Sum"), ("cpu_total_time", "Sum"), ("tmp_used", "Maximum")}
"""What no collector reads, but the extension tells."""


@pytest.fixture
def checkout(checkout: Resource) -> Resource:
    checkout.first_seen_at = NOW - 90 * DAY
    checkout.save()
    return checkout


def take(organization: Organization) -> Estate:
    return snapshot.take(organization_id=organization.pk, store=get_store(), now=NOW)


def test_a_function_comes_with_everything_that_is_known_of_it(acme: Organization, checkout: Resource) -> None:
    get_store().append(runs(checkout, NOW - 3 * DAY, 20, days=2), now=NOW)
    get_store().append_points(
        [
            Point(acme.pk, checkout.pk, "Invocations", "Sum", 60, NOW - hours * timedelta(hours=1), 5.0)
            for hours in (1, 2, 30)
        ]
        + [Point(acme.pk, checkout.pk, "Unknown", "Sum", 60, NOW, 5.0)],
        now=NOW,
    )
    Deployment.objects.create(organization=acme, resource=checkout, version="1", deployed_at=NOW - 9 * DAY)
    Deployment.objects.create(organization=acme, resource=checkout, version="2", deployed_at=NOW - 2 * DAY)
    estate = take(acme)
    subject = estate.subjects[checkout.pk]
    assert estate.by_arn[checkout.arn] is subject
    assert (subject.name, subject.type, subject.config) == ("checkout", "lambda_function", checkout.config)
    assert subject.rollup.invocations == 20
    assert subject.p95_ms == pytest.approx(210, rel=0.02)
    assert subject.p99_ms == pytest.approx(210, rel=0.02)
    readings = subject.points["Invocations", "Sum"]
    assert [each.value for each in readings] == [5.0, 10.0]
    assert readings[-1].at == NOW.replace(hour=0)
    assert list(subject.points) == [("Invocations", "Sum")]
    assert subject.total("Invocations") == 15
    assert subject.deployed_at == NOW - 2 * DAY


def test_the_window_is_two_weeks_from_midnight_or_since_anything_is_known(
    acme: Organization, checkout: Resource
) -> None:
    estate = take(acme)
    assert (estate.window.start, estate.window.end) == ((NOW - 14 * DAY).replace(hour=0), NOW)
    checkout.first_seen_at = NOW - 2 * DAY
    checkout.save()
    assert take(acme).window.start == (NOW - 2 * DAY).replace(hour=0)


def test_what_is_gone_or_anothers_is_left_out(acme: Organization, rival: Organization, checkout: Resource) -> None:
    assert take(rival).subjects == {}
    Resource.objects.update(gone_at=NOW)
    assert take(acme).subjects == {}


def test_packages_come_as_the_newest_with_the_sizes_of_those_before(acme: Organization, checkout: Resource) -> None:
    for place in range(25):
        Package.objects.create(
            organization=acme, resource=checkout, digest=f"{place}", source="archive", code_bytes=1_000 + place,
            layers_bytes=500, zipped_bytes=400, dependencies=[{"name": "boto3", "bytes": place}], waste={"tests": 7},
            layers=["arn:layer"], deployed_at=NOW - (25 - place) * DAY, measured_at=NOW,
        )  # fmt: skip
    package = take(acme).subjects[checkout.pk].package
    assert package is not None
    assert (package.code_bytes, package.layers_bytes, package.image_bytes, package.complete) == (1_024, 500, None, True)
    assert (package.dependencies, package.waste, package.layers) == (
        [{"name": "boto3", "bytes": 24}], {"tests": 7}, ["arn:layer"],
    )  # fmt: skip
    assert len(package.history) == snapshot.PACKAGES
    assert package.history[-1] == (NOW - DAY, 1_524)
    assert package.history[0] == (NOW - 20 * DAY, 1_505)


def test_an_image_is_its_own_size_and_what_could_not_be_read_has_none(acme: Organization, checkout: Resource) -> None:
    told = {"organization": acme, "resource": checkout, "measured_at": NOW}
    Package.objects.create(**told, digest="a", source="image", image_bytes=9_000, deployed_at=NOW - DAY)
    Package.objects.create(**told, digest="b", source="archive", problem="denied", complete=False, deployed_at=NOW)
    package = take(acme).subjects[checkout.pk].package
    assert package is not None
    assert (package.history, package.complete, package.code_bytes) == ([(NOW - DAY, 9_000)], False, None)


def test_it_takes_few_queries_however_much_there_is(acme: Organization, checkout: Resource) -> None:
    with CaptureQueriesContext(connection) as few:
        take(acme)
    for place in range(30):
        Resource.objects.create(
            organization=acme, arn=f"{checkout.arn}-{place}", name=f"n{place}", first_seen_at=NOW, last_seen_at=NOW
        )
    with CaptureQueriesContext(connection) as many:
        take(acme)
    assert len(many) == len(few) <= 8


def test_every_metric_that_a_rule_asks_for_is_read_and_collected() -> None:
    collected = {*SIGNS, *DETAILS}
    for measured in MEASURED.values():
        collected |= {(each.metric, each.statistic) for each in (*measured.signs, *measured.details)}
    asked = {
        key
        for twins in load().values()
        for case in (twins.problem, twins.clean)
        for subject in (case.subject, *case.others)
        for key in subject.points
    }
    assert asked <= set(snapshot.METRICS), "Add them to snapshot.METRICS."
    assert {key for key in snapshot.METRICS if key not in collected} == EXTENSION


def test_only_what_an_accounts_owner_chose_is_watched(acme: Organization, checkout: Resource) -> None:
    AwsAccount.objects.create(
        organization=acme, name="Shop", account_id=checkout.account, role_arn="arn:aws:iam::1:role/nightjar",
        regions=[checkout.region], selection={"include": {"names": ["check*"]}, "exclude": {"tags": ["stage=test"]}},
        created_at=NOW,
    )  # fmt: skip
    for type_, name in (("sqs_queue", "orders"), ("log_group", "/aws/lambda/checkout"), ("log_group", "/custom")):
        Resource.objects.create(
            organization=acme, type=type_, arn=f"arn:{name}", name=name, account=checkout.account,
            region=checkout.region, first_seen_at=NOW, last_seen_at=NOW,
        )  # fmt: skip
    assert watched(acme) == {"checkout", "/aws/lambda/checkout"}
    Resource.objects.create(
        organization=acme, type="aws_account", arn="arn:root", account=checkout.account, first_seen_at=NOW,
        last_seen_at=NOW,
    )  # fmt: skip
    assert watched(acme) == {"", "checkout", "/aws/lambda/checkout"}, "The limits of an account are those of all."
    Resource.objects.filter(type="aws_account").delete()
    checkout.config |= {"log_group": "/custom"}
    checkout.save()
    assert watched(acme) == {"checkout", "/aws/lambda/checkout", "/custom"}
    checkout.config |= {"tags": {"stage": "test"}}
    checkout.save()
    assert watched(acme) == {"/aws/lambda/checkout"}


def watched(organization: Organization) -> set[str]:
    return {subject.name for subject in take(organization).subjects.values() if subject.watched}
