"""Lost access to an account, told for as long as it lasts."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.detectors.access_lost import AccessLost
from alerts.evaluation import _functions
from ingest import blindness
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry.records import Fault, FaultKind, Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.alerts.facts import window

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 25, 14, 5, 30, tzinfo=UTC)


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    return AwsAccount.objects.create(
        organization=acme, name="Production", account_id="123456789012", external_id="secret", regions=["eu-west-1"],
        status=AwsAccount.Status.NEEDS_ATTENTION, trouble="role_gone", created_at=NOW, connected_at=NOW,
        blind_since=NOW,
    )  # fmt: skip


def told(organization: Organization) -> list[Fault]:
    return get_store().faults(organization.pk, Window(NOW - timedelta(days=1), NOW + timedelta(days=1)))[::-1]


class TestNotice:
    def test_tells_every_ten_minutes(self, account: AwsAccount, acme: Organization) -> None:
        for minutes in range(26):
            blindness.notice(account=account, now=NOW + minutes * MINUTE)
        faults = told(acme)
        assert [f"{fault.at:%H:%M:%S}" for fault in faults] == ["14:05:30", "14:10:00", "14:20:00", "14:30:00"]
        assert {(fault.kind, fault.type) for fault in faults} == {(FaultKind.ACCESS_LOST, "role_gone")}
        assert faults[0].message.startswith(
            "Nightjar has had no access to this account since 25 Nov 2026, 14:05 UTC. AWS does not let us assume"
        )

    def test_the_account_is_a_resource_of_its_name(self, account: AwsAccount, acme: Organization) -> None:
        blindness.notice(account=account, now=NOW)
        account.name = "Prod"
        blindness.notice(account=account, now=NOW)
        resource = Resource.objects.get()
        assert (resource.type, resource.arn, resource.name, resource.account) == (
            "aws_account", "arn:aws:iam::123456789012:root", "Prod", "123456789012",
        )  # fmt: skip

    def test_words_and_title_fit_together(self, account: AwsAccount, acme: Organization) -> None:
        blindness.notice(account=account, now=NOW)
        (fault,) = told(acme)
        (function,) = _functions(acme.pk, [fault.resource_id]).values()
        (finding,) = AccessLost().detect(window(fault, function=function))
        assert finding.title == "Blind on account Production since 14:05 UTC"

    def test_ends_when_access_is_back_or_not_wanted(self, account: AwsAccount, acme: Organization) -> None:
        account.disconnected_at = NOW
        blindness.notice(account=account, now=NOW)
        account.disconnected_at = account.blind_since = None
        blindness.notice(account=account, now=NOW)
        assert told(acme) == []
        assert not blindness.is_blind(account)
