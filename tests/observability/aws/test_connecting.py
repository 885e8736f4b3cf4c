"""Links to accounts: what is accepted, what is refused, and that every change is on record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from observability.aws import connecting, sessions
from observability.aws.connecting import RefusedError
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.tenants.models import AuditEntry, Organization, User

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACCOUNT = "111122223333"
Status = AwsAccount.Status


@pytest.fixture(autouse=True)
def _ours(settings: Settings) -> None:
    settings.AWS_PRINCIPAL = "arn:aws:iam::999988887777:role/nightjar"


def started(organization: Organization, **given: Any) -> AwsAccount:
    choices: dict[str, Any] = {
        "actor": None,
        "name": "production",
        "account_id": ACCOUNT,
        "regions": ["eu-west-1", "us-east-1"],
        "tiers": ["sizes"],
        "selection": {"include": {"names": ["prod-*"], "tags": []}},
        "now": NOW,
    }
    return connecting.start(organization=organization, **choices | given)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("number").values_list("action", flat=True))


def changed(account: AwsAccount, **given: Any) -> None:
    choices = {
        "name": account.name,
        "regions": account.regions,
        "tiers": account.tiers,
        "selection": account.selection,
        "actor": None,
        "now": NOW,
    }
    connecting.change(account=account, **choices | given)


class TestStart:
    def test_makes_a_connection_that_waits_for_a_role_of_its_own(self, acme: Organization, alice: User) -> None:
        account = started(acme, actor=alice)
        assert (account.status, account.partition, account.tiers) == (Status.PENDING, "aws", ["base", "sizes"])
        assert account.expires_at == NOW + timedelta(hours=1)
        assert account.check_at == NOW
        assert account.role_arn == f"arn:aws:iam::{ACCOUNT}:role/{connecting.role_name(account.external_id)}"
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor, entry.target) == ("aws_account.added", alice, f"production ({ACCOUNT})")
        assert account.external_id not in str(entry.detail)

    def test_takes_a_role_that_is_there_already(self, acme: Organization) -> None:
        arn = f"arn:aws:iam::{ACCOUNT}:role/Their.Own_name+x"
        assert started(acme, role_arn=arn).role_arn == arn

    @pytest.mark.parametrize("account_id", ["", "12345678901", "1234567890123", "11112222333٣", "111122223333\n"])
    def test_refuses_malformed_ids(self, acme: Organization, account_id: str) -> None:
        with pytest.raises(RefusedError, match="12 digits"):
            started(acme, account_id=account_id)

    @pytest.mark.parametrize(
        "given",
        [
            {"regions": []},
            {"regions": ["eu-west-1", "eu-west-1"]},
            {"regions": ["atlantis-1"]},
            {"regions": ["eu-west-1", "cn-north-1"]},
            {"regions": ["cn-north-1"]},
            {"tiers": ["root"]},
            {"name": "  "},
            {"name": "x" * 81},
        ],
    )
    def test_refuses_what_cannot_be(self, acme: Organization, given: dict[str, Any]) -> None:
        with pytest.raises(RefusedError):
            started(acme, **given)
        assert not AwsAccount.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_is_for_the_part_of_aws_that_we_are_in(self, acme: Organization, settings: Settings) -> None:
        settings.AWS_HOME_REGION = "us-gov-west-1"
        account = started(acme, regions=["us-gov-east-1"])
        assert account.role_arn.startswith(f"arn:aws-us-gov:iam::{ACCOUNT}:role/nightjar-")

    def test_refuses_an_account_that_is_connected_or_waits(self, acme: Organization, rival: Organization) -> None:
        started(acme)
        with pytest.raises(RefusedError, match="already"):
            started(acme)
        started(rival)  # Another organization may watch the same account through a role of its own.

    def test_takes_the_place_of_a_link_that_has_expired(self, acme: Organization) -> None:
        old = started(acme)
        new = started(acme, now=NOW + timedelta(hours=1))
        old.refresh_from_db()
        assert old.status == Status.DISCONNECTED
        assert new.external_id != old.external_id
        assert actions() == ["aws_account.added", "aws_account.disconnected", "aws_account.added"]

    def test_says_when_we_are_not_set_up(
        self, acme: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unknown() -> None:
            raise AwsError(Trouble.OWN_CREDENTIALS, "sts:GetCallerIdentity")

        settings.AWS_PRINCIPAL = ""
        monkeypatch.setattr(connecting, "own_identity", unknown)
        with pytest.raises(RefusedError, match="Nightjar itself has no valid AWS credentials"):
            started(acme)


class TestChange:
    def test_is_recorded_and_has_the_connection_looked_at(self, acme: Organization, alice: User) -> None:
        account = started(acme)
        later = NOW + timedelta(minutes=5)
        changed(account, name=" staging ", tiers=["base", "subscription"], actor=alice, now=later)
        account.refresh_from_db()
        assert (account.name, account.tiers, account.check_at) == ("staging", ["base", "subscription"], later)
        entry = AuditEntry.objects.get(action="aws_account.changed")
        assert entry.detail == {"name": "staging", "tiers": ["base", "subscription"]}

    def test_of_nothing_is_no_change(self, acme: Organization) -> None:
        changed(started(acme))
        assert actions() == ["aws_account.added"]

    def test_cannot_move_it_to_another_part_of_aws(self, acme: Organization, settings: Settings) -> None:
        account = started(acme)
        settings.AWS_HOME_REGION = "cn-north-1"
        with pytest.raises(RefusedError):
            changed(account, regions=["cn-north-1"])

    def test_of_what_is_disconnected_is_refused(self, acme: Organization) -> None:
        account = started(acme)
        connecting.disconnect(account=account, actor=None, now=NOW)
        with pytest.raises(RefusedError, match="not connected any more"):
            changed(account, name="other")


class TestUseRole:
    ARN = f"arn:aws:iam::{ACCOUNT}:role/their-own"

    def test_waits_for_that_one_from_now_on(self, acme: Organization, alice: User) -> None:
        account = started(acme)
        connecting.use_role(account=account, role_arn=self.ARN, actor=alice, now=NOW)
        connecting.use_role(account=account, role_arn=self.ARN, actor=alice, now=NOW)
        account.refresh_from_db()
        assert account.role_arn == self.ARN
        assert actions() == ["aws_account.added", "aws_account.role_changed"]

    def test_never_changes_what_works_or_has_expired(self, acme: Organization) -> None:
        account = started(acme)
        with pytest.raises(RefusedError, match="expired"):
            connecting.use_role(account=account, role_arn=self.ARN, actor=None, now=NOW + timedelta(hours=1))
        AwsAccount.objects.update(status=Status.CONNECTED, connected_at=NOW)
        with pytest.raises(RefusedError, match="works"):
            connecting.use_role(account=account, role_arn=self.ARN, actor=None, now=NOW)


class TestRestart:
    def test_is_a_new_connection_with_the_same_choices(self, acme: Organization, alice: User) -> None:
        old = started(acme)
        new = connecting.restart(account=old, actor=alice, now=NOW)
        assert new.pk != old.pk
        assert new.external_id != old.external_id
        assert new.role_arn != old.role_arn
        assert (new.name, new.regions, new.tiers, new.selection) == (old.name, old.regions, old.tiers, old.selection)
        assert AwsAccount.objects.get(disconnected_at=None) == new

    def test_is_possible_after_the_end(self, acme: Organization) -> None:
        old = started(acme)
        connecting.disconnect(account=old, actor=None, now=NOW)
        assert connecting.restart(account=old, actor=None, now=NOW).status == Status.PENDING

    def test_of_what_works_is_refused(self, acme: Organization) -> None:
        account = started(acme)
        AwsAccount.objects.update(status=Status.CONNECTED)
        with pytest.raises(RefusedError, match="no new link"):
            connecting.restart(account=account, actor=None, now=NOW)


class TestDisconnect:
    def test_ends_it_once(self, acme: Organization, alice: User) -> None:
        account = started(acme)
        assert connecting.disconnect(account=account, actor=alice, now=NOW)
        assert not connecting.disconnect(account=account, actor=alice, now=NOW)
        account.refresh_from_db()
        assert (account.status, account.disconnected_at, account.check_at) == (Status.DISCONNECTED, NOW, None)
        assert actions() == ["aws_account.added", "aws_account.disconnected"]

    def test_lets_go_of_the_role(self, acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
        account = started(acme)
        forgotten: list[object] = []
        monkeypatch.setattr(sessions, "forget", forgotten.append)
        connecting.disconnect(account=account, actor=None, now=NOW)
        assert forgotten == [connecting.target(account)]


def test_a_target_says_whose_session_it_is(acme: Organization) -> None:
    account = started(acme)
    target = connecting.target(account)
    assert (target.account, target.organization, target.external_id) == (ACCOUNT, "acme", account.external_id)


def test_the_audit_log_never_holds_an_external_id(acme: Organization) -> None:
    account = started(acme)
    changed(account, name="staging")
    connecting.use_role(account=account, role_arn=TestUseRole.ARN, actor=None, now=NOW)
    new = connecting.restart(account=account, actor=None, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM tenants_auditentry e")
        log = str(cursor.fetchall())
    assert account.external_id not in log
    assert new.external_id not in log
