"""Which functions of an account a choice would watch."""

from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.tenants.models import Organization


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    return AwsAccount.objects.create(
        organization=acme, name="prod", account_id="123456789012", role_arn="arn:aws:iam::123456789012:role/nightjar",
        external_id="secret", selection={"include": {"names": ["nothing"]}}, created_at=timezone.now(),
    )  # fmt: skip


def text(client: Client, account: AwsAccount, **choice: str) -> str:
    answer = client.get(f"/o/acme/aws/{account.pk}/preview/?{urlencode(choice)}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_says_when_no_function_is_known(alice_in: Client, account: AwsAccount) -> None:
    assert "No function of this account is known yet" in text(alice_in, account)


def test_shows_the_saved_choice_until_another_is_typed(
    alice_in: Client, account: AwsAccount, checkout: Resource
) -> None:
    assert '<b class="font-semibold">None</b> of 1 functions' in text(alice_in, account)
    assert "watched: </span>checkout" in text(alice_in, account, include_names="")


@pytest.mark.parametrize(
    ("choice", "side"),
    [
        ({"include_names": "check*\r\nother"}, "watched"),
        ({"include_names": "other"}, "left out"),
        ({"exclude_names": "*out"}, "left out"),
        ({"include_tags": "team=pay*"}, "watched"),
        ({"exclude_tags": "team"}, "left out"),
    ],
)
def test_goes_by_names_and_tags(
    alice_in: Client, account: AwsAccount, checkout: Resource, choice: dict[str, str], side: str
) -> None:
    checkout.config["tags"] = {"team": "payments"}
    checkout.save()
    assert f"{side}: </span>checkout" in text(alice_in, account, **choice)


def test_shows_some_of_many(alice_in: Client, account: AwsAccount, checkout: Resource) -> None:
    Resource.objects.bulk_create(
        Resource(
            organization=checkout.organization, arn=f"{checkout.arn}-{number}", name=f"more-{number}",
            region="eu-west-1", account=account.account_id, first_seen_at=checkout.first_seen_at,
            last_seen_at=checkout.last_seen_at,
        )
        for number in range(20)
    )  # fmt: skip
    assert "and 9 more" in text(alice_in, account, exclude_names="")
