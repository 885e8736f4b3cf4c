"""The first minutes of an AWS account."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.tenants.models import Organization

from .conftest import History


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    since = timezone.now() - timedelta(minutes=8)
    return AwsAccount.objects.create(
        organization=acme, name="prod", account_id="123456789012", role_arn="arn:aws:iam::123456789012:role/nightjar",
        external_id="secret", status=AwsAccount.Status.CONNECTED, created_at=since, connected_at=since,
    )  # fmt: skip


def text(client: Client, account: AwsAccount) -> str:
    return client.get(f"/o/acme/aws/{account.pk}/progress/").content.decode()


def resource(organization: Organization, name: str, type_: str, account: str, now: datetime) -> None:
    Resource.objects.create(
        organization=organization, type=type_, name=name, arn=f"arn:{name}", region="eu-west-1", account=account,
        first_seen_at=now, last_seen_at=now,
    )  # fmt: skip


def test_looks_for_functions_first(alice_in: Client, account: AwsAccount) -> None:
    page = text(alice_in, account)
    assert "looking for functions" in page
    assert 'hx-trigger="every 2s"' in page


def test_waits_for_an_invocation_then(alice_in: Client, account: AwsAccount, checkout: Resource) -> None:
    resource(account.organization, "orders", "sqs_queue", account.account_id, timezone.now())
    page = text(alice_in, account)
    assert "waiting for the first invocation" in page
    assert "1 SQS queue" in page
    assert "hx-trigger" in page


def test_ends_with_the_first_invocation(
    alice_in: Client, account: AwsAccount, checkout: Resource, history: History
) -> None:
    page = text(alice_in, account)
    assert "arrived" in page
    assert "hx-trigger" not in page
    assert ">2</a>" in page


def test_counts_what_ran_before_it_was_connected(
    alice_in: Client, account: AwsAccount, checkout: Resource, history: History
) -> None:
    account.connected_at = timezone.now()
    account.save()
    assert "arrived" in text(alice_in, account)


def test_counts_no_other_account(alice_in: Client, account: AwsAccount, checkout: Resource, history: History) -> None:
    account.account_id = "210987654321"
    account.save()
    assert "looking for functions" in text(alice_in, account)


def test_asks_less_often_after_a_while(alice_in: Client, account: AwsAccount) -> None:
    account.connected_at = timezone.now() - timedelta(hours=1)
    account.save()
    assert 'hx-trigger="every 15s"' in text(alice_in, account)


def test_asks_little(alice_in: Client, account: AwsAccount, history: History) -> None:
    text(alice_in, account)  # The first request of a session also records the session.
    with CaptureQueriesContext(connection) as queries:
        text(alice_in, account)
    assert len(queries) <= 15


@pytest.mark.usefixtures("acme")
def test_of_nobody_does_not_exist(alice_in: Client) -> None:
    assert alice_in.get("/o/acme/aws/1/progress/").status_code == 404
