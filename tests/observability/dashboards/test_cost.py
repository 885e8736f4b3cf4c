"""The cost page, the tab of one function, and the export."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from observability.aws import usage
from observability.aws.models import AwsAccount
from observability.aws.quotas import connection as connection_to_redis
from observability.inventory.models import Deployment, Resource
from observability.telemetry.environment import Metric
from observability.telemetry.partitions import maintain
from observability.telemetry.pricing import invocation_usd, price
from observability.telemetry.records import Invocation, Outcome, Point
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BASE = "/o/acme/cost/"


@pytest.fixture(autouse=True)
def _at_noon(db: None) -> Any:
    with time_machine.travel(NOW, tick=False):
        maintain(now=NOW)
        yield


@pytest.fixture
def alice_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def function(organization: Organization, name: str, **config: Any) -> Resource:
    return Resource.objects.create(
        organization=organization, arn=f"arn:aws:lambda:eu-west-1:123456789012:function:{name}", name=name,
        region="eu-west-1", account="123456789012", first_seen_at=NOW - 60 * DAY, last_seen_at=NOW,
        config={"memory_mb": 1024, "architecture": "x86_64", "runtime": "python3.13", **config},
    )  # fmt: skip


def run(resource: Resource, at: datetime, *, count: int = 1, billed_ms: int = 1_000_000, init_ms: float = 0) -> None:
    """So many invocations at once, priced as they come in."""
    usd = invocation_usd(price("eu-west-1"), billed_ms=billed_ms, memory_mb=1024)
    get_store().append(
        [
            Invocation(
                resource.organization_id, resource.pk, at.date(), random.randbytes(16), at, f"r{n}", "1",
                Outcome.SUCCESS, "", bool(init_ms), billed_ms - init_ms, billed_ms, init_ms or None, 1024, 100, usd, "",
            )
            for n in range(count)
        ],
        now=NOW,
    )  # fmt: skip


@pytest.fixture
def three_weeks(acme: Organization) -> Resource:
    """Ten long invocations on each of the last 21 days, a tenth of their time initialization."""
    resource = function(acme, "checkout", tags={"team": "payments"})
    for day in range(21):
        run(resource, NOW - day * DAY, count=10, init_ms=100_000)
    return resource


def text(client: Client, path: str = "") -> str:
    answer = client.get(path if path.startswith("/") else BASE + path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_without_any_cost_it_says_what_will_appear(alice_in: Client, acme: Organization) -> None:
    page = text(alice_in)
    assert "Nothing has cost anything yet" in page
    assert "list prices of" in page
    assert "Nothing is known of this month" in text(alice_in, "?month=2026-10")


def test_it_tells_the_month_and_where_it_is_going(alice_in: Client, three_weeks: Resource) -> None:
    """A day is 10 x 1,000 s x 1 GB = 10,000 GB-s x 0.0000166667 = 0.166667, in 21 days $3.50, in the last 7 $1.17."""
    page = text(alice_in)
    assert "Month to date" in page
    assert "$3.50" in page
    assert "$1.17" in page
    assert "eight times of ten" in page
    assert "November 2026" in page
    assert "?month=2026-10" in page
    assert "checkout" in page
    assert "Cold starts" in page


def test_after_one_day_there_is_no_forecast(alice_in: Client, acme: Organization) -> None:
    run(function(acme, "checkout"), NOW - HOUR)
    assert "There is too little to go by: a forecast needs 3 more whole days." in text(alice_in)


def test_it_is_broken_down_by_anything(alice_in: Client, three_weeks: Resource) -> None:
    told = {
        "function": "checkout", "tag": "payments", "account": "123456789012", "region": "eu-west-1",
        "component": "Running code", "nonsense": "checkout",
    }  # fmt: skip
    for by, name in told.items():
        assert name in text(alice_in, f"?by={by}&month=2026-11"), by


def test_a_month_that_cannot_be_read_is_this_one(alice_in: Client, three_weeks: Resource) -> None:
    for month in (
        "",
        "nonsense",
        "2026-13",
        "2027-01",
        "0000-00",
        "99999-1",
        "2026-11-03",
        "9999-12",
        "0001-01",
        "1999-01",
    ):
        assert "November 2026" in text(alice_in, f"?month={month}"), month


def test_a_past_month_has_no_forecast(alice_in: Client, acme: Organization) -> None:
    run(function(acme, "checkout"), NOW - 28 * DAY)
    page = text(alice_in, "?month=2026-10")
    assert "Whole month" in page
    assert "October 2026" in page
    assert "eight times of ten" not in page


def test_what_moved_says_why(alice_in: Client, three_weeks: Resource) -> None:
    for day in range(1, 8):
        run(three_weeks, NOW - day * DAY + HOUR, count=14)
    page = text(alice_in)
    assert "What moved since last week" in page
    assert "2.4 times as many invocations" in page


def test_a_day_that_stood_out_is_told_once(alice_in: Client, three_weeks: Resource) -> None:
    for day in (3, 2):
        run(three_weeks, NOW - day * DAY + HOUR, count=90)
    page = text(alice_in)
    assert "21 Nov to 22 Nov" in page
    assert "10.0 times as many invocations" in page


def test_a_deployment_that_made_requests_dearer_is_told(alice_in: Client, acme: Organization) -> None:
    resource = function(acme, "checkout")
    for hour in range(1, 40):
        run(resource, NOW - hour * HOUR, count=10, billed_ms=30_000 if hour < 20 else 10_000)
    Deployment.objects.create(
        organization=acme, resource=resource, version="8", deployed_at=NOW - 19 * HOUR - 1800 * DAY / 86_400,
        changes={"code_sha256": ["a", "b"]},
    )  # fmt: skip
    page = text(alice_in)
    assert "checkout, v8" in page
    assert "New code" in page


def test_provisioned_concurrency_stands_in_the_bill(alice_in: Client, acme: Organization) -> None:
    """2 x 1 GB from the 10th at noon, 14 days: 2,419,200 GB-s x 0.0000046460 = 11.2396."""
    on = [{"qualifier": "live", "requested": 2}]
    resource = function(acme, "checkout", provisioned=on)
    Deployment.objects.create(
        organization=acme, resource=resource, version="v", deployed_at=NOW - 14 * DAY, changes={"provisioned": [[], on]}
    )
    page = text(alice_in, "?by=component")
    assert "Provisioned concurrency" in page
    assert "$11.24" in page
    tab = text(alice_in, f"/o/acme/functions/{resource.pk}/?tab=cost")
    assert "a month stand ready, used or not" in tab
    assert "$11.24" in tab


def test_what_we_cause_is_told(alice_in: Client, three_weeks: Resource, acme: Organization) -> None:
    """1,000,000 metrics cost $10; the extension held ten invocations for 60 s each: 600 GB-s cost a cent."""
    account = AwsAccount.objects.create(
        organization=acme, name="production", account_id="123456789012", role_arn="", external_id="x", created_at=NOW
    )
    usage.count(account="123456789012", family="GetMetricData", metrics=1_000_000)
    today = int(connection_to_redis().time()[0]) // 86_400
    key, wanted = f"aws:usage:123456789012:{today}", (NOW.date() - usage.EPOCH).days
    connection_to_redis().rename(key, f"aws:usage:123456789012:{wanted}")
    get_store().append_points([Point(acme.pk, three_weeks.pk, Metric.HELD, "Sum", 60, NOW - HOUR, 600_000.0)], now=NOW)
    assert "Monitoring by Nightjar" not in text(alice_in, "?by=component")  # The role is not there yet.
    AwsAccount.objects.filter(pk=account.pk).update(connected_at=NOW)
    page = text(alice_in, "?by=component")
    assert "Monitoring by Nightjar" in page
    assert "$10.00" in page
    assert "$0.01" in page


def test_the_tab_of_a_function_tells_its_own_cost(alice_in: Client, three_weeks: Resource, acme: Organization) -> None:
    run(function(acme, "other"), NOW - HOUR, count=50)
    page = text(alice_in, f"/o/acme/functions/{three_weeks.pk}/?tab=cost")
    assert "$3.50" in page
    assert "What it is made of" in page
    assert "It started cold 210 times" in page
    idle = function(acme, "idle")
    assert "Nothing cost anything in this month" in text(alice_in, f"/o/acme/functions/{idle.pk}/?tab=cost")


def test_the_export_has_every_function_and_line(alice_in: Client, three_weeks: Resource, acme: Organization) -> None:
    function(acme, "=HYPERLINK", tags={"+1": "x"})
    answer = alice_in.get(BASE + "csv/?month=2026-11")
    assert answer["Content-Type"].startswith("text/csv")
    assert 'filename="cost-acme-2026-11.csv"' in answer["Content-Disposition"]
    first, second = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert (first["function"], first["tags"], first["invocations"]) == ("checkout", "team=payments", "210")
    assert float(first["total_usd"]) == pytest.approx(21 * (10 * 1_000 * 0.0000166667 + 10 * 2e-7), abs=1e-5)
    assert float(first["init_usd"]) == pytest.approx(21 * 1_000 * 0.0000166667, abs=1e-5)
    assert (second["function"], second["tags"]) == ("'=HYPERLINK", "'+1=x")


def test_the_price_of_an_unknown_region_is_said_to_be_another(alice_in: Client, acme: Organization) -> None:
    resource = function(acme, "checkout")
    Resource.objects.filter(pk=resource.pk).update(region="xx-moon-1")
    run(resource, NOW - HOUR)
    assert "Not known for xx-moon-1" in text(alice_in)


def test_ten_thousand_functions_cost_no_more_queries(alice_in: Client, acme: Organization) -> None:
    """The number of queries does not depend on that of functions; how many there are shows a few hundred as well."""
    run(function(acme, "checkout"), NOW - HOUR, count=3)
    alice_in.get(BASE)  # The first request of a session also records the session.
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as queries:
            text(alice_in)
        counts.append(len(queries))
        if number == 0:
            for each in range(60):
                run(function(acme, f"f{each}"), NOW - HOUR)
    assert counts[0] == counts[1]
    assert counts[0] <= 15
