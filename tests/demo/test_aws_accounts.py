"""The demo's accounts are connected through the same door as real ones."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from demo import company
from demo.aws.customers import Customers
from demo.aws.server import PRINCIPAL, SimulatedAws
from observability.aws import connecting, verification
from observability.aws.models import AwsAccount
from observability.embedded.installation import SIMULATED_AWS
from observability.tenants.models import Organization


@pytest.fixture
def organization(settings: Settings, simulated_aws: SimulatedAws, db: None) -> Organization:
    settings.DEMO_AWS_PORT = int(simulated_aws.url.rsplit(":", 1)[1])
    settings.AWS_PRINCIPAL = PRINCIPAL
    return company.set_up(now=timezone.now())


def test_connect_once_their_owners_made_the_roles(simulated_aws: SimulatedAws, organization: Organization) -> None:
    accounts = organization.aws_accounts.order_by("account_id")
    assert [account.status for account in accounts] == [AwsAccount.Status.PENDING] * 2
    Customers(simulated_aws).deploy_what_is_missing()
    now = timezone.now()
    for account in accounts:
        claimed = verification.claim(account_pk=account.pk, now=now)
        assert claimed
        assert verification.verify(account=claimed, now=now)
    assert [account.status for account in accounts.all()] == [AwsAccount.Status.CONNECTED] * 2


def test_are_not_connected_again_by_the_next_start(organization: Organization) -> None:
    now = timezone.now()
    for account in organization.aws_accounts.all():
        connecting.disconnect(account=account, actor=None, now=now)
    company.set_up(now=now)
    assert not organization.aws_accounts.filter(disconnected_at=None).exists()


def test_get_a_new_link_when_nobody_used_the_old_one(organization: Organization) -> None:
    company.set_up(now=timezone.now() + connecting.VALID_FOR)
    assert organization.aws_accounts.filter(disconnected_at=None).count() == 2
    assert organization.aws_accounts.count() == 4


def test_are_left_out_where_aws_is_real(db: None) -> None:
    assert not company.set_up(now=timezone.now()).aws_accounts.exists()


def test_our_own_account_is_the_one_that_roles_trust() -> None:
    assert SIMULATED_AWS["AWS_PRINCIPAL"] == PRINCIPAL
