"""The pages that say how reading an account goes."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingest.collectors import COLLECTORS
from ingest.models import Collection, LogGroup
from observability.aws.models import AwsAccount
from observability.aws.problems import Trouble
from observability.inventory.models import Resource
from observability.tenants.models import Organization, User


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    now = timezone.now()
    return AwsAccount.objects.create(
        organization=acme, name="production", account_id="123456789012", regions=["eu-west-1", "us-east-1"],
        role_arn="arn:aws:iam::123456789012:role/nightjar", external_id="secret", tiers=["base"],
        status=AwsAccount.Status.CONNECTED, created_at=now, connected_at=now,
    )  # fmt: skip


@pytest.fixture
def read(account: AwsAccount, checkout: Resource) -> AwsAccount:
    """Two regions that are read, one of them switched off in the account; and one log group."""
    now = timezone.now()
    for region, trouble in (("eu-west-1", ""), ("us-east-1", Trouble.REGION_DISABLED)):
        Collection.objects.bulk_create(
            Collection(
                account=account, region=region, kind=collector.kind, due_at=now, trouble=trouble,
                failures=bool(trouble), succeeded_at=None if trouble else now,
            )
            for collector in COLLECTORS
        )  # fmt: skip
    log_group(account, checkout, now - timedelta(seconds=40))
    return account


def log_group(account: AwsAccount, resource: Resource, read_until: datetime, name: str = "checkout") -> None:
    LogGroup.objects.create(
        account=account, resource=resource, region="eu-west-1", name=f"/aws/lambda/{name}", due_at=read_until,
        read_until=read_until, swept_until=read_until,
    )  # fmt: skip


@pytest.fixture
def alice_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def text(client: Client, path: str) -> str:
    answer = client.get(f"/o/acme/aws/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_gets_its_cells(alice_in: Client, read: AwsAccount) -> None:
    page = text(alice_in, "standings/")
    assert f'id="lag-{read.pk}" hx-swap-oob="true"' in page
    assert "40s behind" in page
    assert f'id="functions-{read.pk}"' in page


def test_health_says_plainly_what_is_wrong(alice_in: Client, read: AwsAccount) -> None:
    page = text(alice_in, f"{read.pk}/health/")
    assert "This region is not enabled in the account." in page
    assert page.index("us-east-1") < page.index("eu-west-1")
    assert "Fails" in page
    assert "Fine" in page


def test_the_page_lists_collectors_and_log_groups(alice_in: Client, read: AwsAccount) -> None:
    page = text(alice_in, f"{read.pk}/collection/")
    assert all(collector.title in page for collector in COLLECTORS)
    assert "/aws/lambda/checkout" in page
    assert "40s" in page


def test_a_new_account_says_what_will_appear(alice_in: Client, account: AwsAccount) -> None:
    page = text(alice_in, f"{account.pk}/collection/")
    assert "No log groups yet" in page
    assert "within seconds after the account is connected" in page


class TestBackfill:
    def test_is_asked_for_and_shows_how_far_it_is(self, alice_in: Client, read: AwsAccount) -> None:
        assert "Read them" in text(alice_in, f"{read.pk}/collection/")
        answer = alice_in.post(f"/o/acme/aws/{read.pk}/backfill/new/", {"hours": "6"}, follow=True)
        assert "0 of 1 log group" in answer.content.decode()
        found = read.backfills.get()
        assert found.end - found.start == timedelta(hours=6)
        assert "every 2s" in text(alice_in, f"{read.pk}/backfill/")
        again = alice_in.post(f"/o/acme/aws/{read.pk}/backfill/new/", {"hours": "6"}, follow=True)
        assert "One is under way" in again.content.decode()
        found.groups.update(done=True)
        read.backfills.update(finished_at=timezone.now(), events=12)
        page = text(alice_in, f"{read.pk}/backfill/")
        assert "12 new facts stored." in page
        assert "every 2s" not in page

    @pytest.mark.parametrize("hours", ["", "5", "9999", "x"])
    def test_of_any_other_length_is_refused(self, alice_in: Client, read: AwsAccount, hours: str) -> None:
        answer = alice_in.post(f"/o/acme/aws/{read.pk}/backfill/new/", {"hours": hours}, follow=True)
        assert "Choose how far back to read." in answer.content.decode()
        assert not read.backfills.exists()

    def test_of_an_account_that_cannot_be_read_is_refused(self, alice_in: Client, read: AwsAccount) -> None:
        AwsAccount.objects.update(status=AwsAccount.Status.NEEDS_ATTENTION)
        answer = alice_in.post(f"/o/acme/aws/{read.pk}/backfill/new/", {"hours": "6"}, follow=True)
        assert "cannot be read now" in answer.content.decode()


@pytest.mark.parametrize("path", ["standings/", "{pk}/health/", "{pk}/regions/", "{pk}/collection/"])
def test_each_asks_little_and_no_more_for_more(
    alice_in: Client, read: AwsAccount, checkout: Resource, path: str
) -> None:
    few = asked(alice_in, path.format(pk=read.pk))
    for number in range(60):
        log_group(read, checkout, timezone.now(), f"more-{number}")
    assert asked(alice_in, path.format(pk=read.pk)) == few <= 15


def asked(client: Client, path: str) -> int:
    text(client, path)  # The first request of a session also records the session.
    with CaptureQueriesContext(connection) as queries:
        text(client, path)
    return len(queries)
