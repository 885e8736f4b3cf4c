"""The page that says how complete the facts are."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.aws.models import AwsAccount
from observability.dashboards.coverage import cautious, together
from observability.inventory.models import Resource
from observability.telemetry.coverage import Gap, Summary
from observability.telemetry.models import Coverage
from observability.tenants.models import Organization


@pytest.fixture
def hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    now = timezone.now()
    return AwsAccount.objects.create(
        organization=acme, name="prod", account_id="123456789012", role_arn="arn:aws:iam::123456789012:role/nightjar",
        external_id="secret", status=AwsAccount.Status.CONNECTED, created_at=now, connected_at=now,
    )  # fmt: skip


def reckon(resource: Resource, hour: datetime, reported: int, seen: int, cause: str = "") -> None:
    Coverage.objects.create(
        organization=resource.organization, resource=resource, hour=hour, reported=reported, seen=seen, cause=cause
    )


def text(client: Client, query: str = "") -> str:
    answer = client.get(f"/o/acme/coverage/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.usefixtures("acme")
def test_says_what_it_needs(alice_in: Client) -> None:
    assert "No account to compare with" in text(alice_in)


def test_says_when_there_is_nothing_to_compare(alice_in: Client, account: AwsAccount) -> None:
    assert "Nothing to compare in this time" in text(alice_in)


def test_says_how_much_is_missing_and_why(alice_in: Client, checkout: Resource, hour: datetime) -> None:
    reckon(checkout, hour, 1000, 900, "throttled")
    reckon(checkout, hour - timedelta(hours=1), 1000, 1000)
    page = text(alice_in)
    assert "95.0%" in page
    assert "AWS allows too few calls to read all logs in time" in page
    assert f"/o/acme/functions/{checkout.pk}/" in page


def test_is_glad_when_nothing_is_missing(alice_in: Client, checkout: Resource, hour: datetime) -> None:
    reckon(checkout, hour, 1000, 1000)
    assert "Nothing is missing in this time" in text(alice_in)


@pytest.mark.parametrize("query", ["?range=15m", "?range=30d", "?range=never", "?page=9"])
def test_takes_any_range(alice_in: Client, checkout: Resource, hour: datetime, query: str) -> None:
    reckon(checkout, hour, 1000, 900, "unknown")
    text(alice_in, query)


def test_adds_functions_up() -> None:
    one = Summary(100, 30, [Gap("throttled", 10, 1), Gap("behind", 20, 1)])
    other = Summary(50, 15, [Gap("throttled", 15, 1)])
    assert together([one, other]) == Summary(150, 45, [Gap("throttled", 25, 2), Gap("behind", 20, 1)])


def test_never_rounds_a_gap_away() -> None:
    assert cautious(Summary(1_000_000, 1)) == 0.999
    assert cautious(Summary(1_000_000, 0)) == 1
    assert cautious(Summary()) is None


def test_asks_no_more_for_more_functions(alice_in: Client, checkout: Resource, hour: datetime) -> None:
    def asked() -> int:
        text(alice_in)
        with CaptureQueriesContext(connection) as queries:
            text(alice_in)
        return len(queries)

    reckon(checkout, hour, 10, 9, "unknown")
    few = asked()
    for number in range(20):
        another = Resource.objects.create(
            organization=checkout.organization, arn=f"{checkout.arn}-{number}", name=f"more-{number}",
            region="eu-west-1", account="1", first_seen_at=hour, last_seen_at=hour,
        )  # fmt: skip
        reckon(another, hour, 10, 9, "unknown")
    assert asked() == few <= 15


def test_is_a_link_on_the_overview_of_who_is_pulled(
    alice_in: Client, account: AwsAccount, checkout: Resource, hour: datetime
) -> None:
    reckon(checkout, hour, 1000, 992, "behind")
    alice_in.get("/o/acme/")
    with CaptureQueriesContext(connection) as queries:
        page = alice_in.get("/o/acme/").content.decode()
    assert "Coverage 99.2%" in page
    assert len(queries) <= 15
    AwsAccount.objects.update(disconnected_at=timezone.now())
    assert "Coverage" not in alice_in.get("/o/acme/").content.decode()
