"""The inventory: the list, what is deleted, and one resource with what it is connected to."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.aws.models import AwsAccount
from observability.dashboards.kinds import KINDS, kind
from observability.inventory.models import Resource
from observability.tenants.models import Organization
from observability.ui.awsicons import LOOKS

BASE = "/o/acme/resources/"
Make = Callable[..., Resource]


@pytest.fixture
def make(acme: Organization) -> Make:
    def one(name: str, type_: str = "sqs_queue", **values: object) -> Resource:
        now = timezone.now()
        fields = {
            "region": "eu-west-1", "account": "123456789012", "first_seen_at": now, "last_seen_at": now,
            "arn": f"arn:aws:sqs:eu-west-1:123456789012:{name}",
        }  # fmt: skip
        return Resource.objects.create(organization=acme, type=type_, name=name, **fields | values)

    return one


def text(client: Client, query: str = "") -> str:
    answer = client.get(BASE + query)
    assert answer.status_code == 200
    return answer.content.decode()


class TestList:
    def test_says_how_to_begin(self, alice_in: Client) -> None:
        assert "No resources yet" in text(alice_in)
        assert "Nothing was deleted" in text(alice_in, "?state=deleted")

    def test_shows_every_type_and_leads_to_it(self, alice_in: Client, make: Make, checkout: Resource) -> None:
        queue = make("orders", config={"visibility_timeout_s": 30})
        page = text(alice_in)
        assert f"/o/acme/resources/{queue.pk}/" in page
        assert f"/o/acme/functions/{checkout.pk}/" in page
        assert "SQS queues (1)" in page
        assert "Visibility timeout 30 s" in page

    @pytest.mark.parametrize("query", ["?type=sqs_queue", "?region=us-east-1", "?account=210987654321", "?q=ord*s"])
    def test_can_be_narrowed(self, alice_in: Client, make: Make, checkout: Resource, query: str) -> None:
        make("orders", region="us-east-1", account="210987654321")
        page = text(alice_in, query)
        assert ">orders<" in page
        assert ">checkout<" not in page

    def test_says_when_nothing_matches(self, alice_in: Client, make: Make) -> None:
        make("orders")
        assert "No resource matches" in text(alice_in, "?q=absent")

    def test_keeps_what_is_gone_behind_a_tab(self, alice_in: Client, make: Make) -> None:
        make("orders", gone_at=timezone.now() - timedelta(hours=3))
        assert ">orders<" not in text(alice_in)
        assert ">orders<" in text(alice_in, "?state=deleted")

    def test_hides_what_has_a_page_of_its_own(self, alice_in: Client, make: Make) -> None:
        make("root", "aws_account")
        assert "No resources yet" in text(alice_in)

    def test_has_pages(self, alice_in: Client, make: Make) -> None:
        for number in range(51):
            make(f"queue-{number:02}")
        assert "Page 1 of 2" in text(alice_in)
        assert "queue-50" in text(alice_in, "?page=2&type=sqs_queue")

    def test_asks_little_and_no_more_for_more(self, alice_in: Client, make: Make) -> None:
        make("orders")
        few = asked(alice_in, BASE)
        for number in range(20):
            make(f"queue-{number}")
        assert asked(alice_in, BASE) == few <= 15


class TestOne:
    def test_tells_its_facts_with_units(self, alice_in: Client, make: Make) -> None:
        queue = make("orders", config={"visibility_timeout_s": 30, "fifo": False, "tags": {"team": "checkout"}})
        page = text(alice_in, f"{queue.pk}/")
        assert "Visibility timeout" in page
        assert "30 s" in page
        assert "team: checkout" in page

    def test_is_connected_both_ways(self, alice_in: Client, make: Make, checkout: Resource) -> None:
        dead = make("orders-dlq")
        queue = make("orders", config={"dlq_arn": dead.arn})
        checkout.config["event_sources"] = [{"source_arn": queue.arn}]
        checkout.save()
        assert f'/o/acme/functions/{checkout.pk}/"' in text(alice_in, f"{queue.pk}/")
        assert f'/o/acme/resources/{dead.pk}/"' in text(alice_in, f"{queue.pk}/")
        assert f'/o/acme/resources/{queue.pk}/"' in text(alice_in, f"{dead.pk}/")

    def test_a_longer_name_is_another_one(self, alice_in: Client, make: Make) -> None:
        make("orders-dlq", config={"redrive": "arn:aws:sqs:eu-west-1:123456789012:orders-2"})
        assert "orders-dlq" not in text(alice_in, f"{make('orders').pk}/")

    def test_without_anything_measured_keeps_the_choice_of_time(self, alice_in: Client, make: Make) -> None:
        listed = make("orders", listed_at=timezone.now())
        page = text(alice_in, f"{listed.pk}/?range=15m")
        assert "There are no metrics of this time" in page
        assert "Last 15 minutes" in page
        schedule = make("clock", "schedule_rule", listed_at=timezone.now(), config={"kind": "schedule"})
        assert "There are no metrics of this time" not in text(alice_in, f"{schedule.pk}/")

    def test_says_when_it_was_deleted(self, alice_in: Client, make: Make) -> None:
        assert "Deleted" in text(alice_in, f"{make('orders', gone_at=timezone.now()).pk}/")

    def test_a_function_leads_to_its_page(self, alice_in: Client, checkout: Resource) -> None:
        assert f"/o/acme/functions/{checkout.pk}/" in text(alice_in, f"{checkout.pk}/")

    def test_an_account_leads_to_its_health(self, alice_in: Client, make: Make, acme: Organization) -> None:
        root = make("root", "aws_account")
        assert "Health of the account" not in text(alice_in, f"{root.pk}/")
        account = AwsAccount.objects.create(
            organization=acme, name="prod", account_id=root.account, external_id="x", created_at=timezone.now()
        )
        assert f"/o/acme/aws/{account.pk}/" in text(alice_in, f"{root.pk}/")

    def test_asks_little(self, alice_in: Client, make: Make) -> None:
        assert asked(alice_in, f"{BASE}{make('orders').pk}/") <= 15
        machine = make("pay", "state_machine", listed_at=timezone.now())  # Has the most lines in its charts.
        assert asked(alice_in, f"{BASE}{machine.pk}/") <= 20


class TestKinds:
    def test_all_have_an_icon(self) -> None:
        assert {known.service for known in KINDS.values()} <= LOOKS.keys()

    def test_an_unknown_type_is_called_by_its_name(self) -> None:
        assert kind("rds_cluster").many == "Rds clusters"


def asked(client: Client, url: str) -> int:
    client.get(url)  # The first request of a session also records the session.
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
