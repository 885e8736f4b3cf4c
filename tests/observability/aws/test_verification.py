"""The confused deputy (S3): fourteen ways to have somebody else's role read, none of which works. And R26: loss."""

import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.forms import modelform_factory
from django.test import Client
from django.urls import reverse

from observability.aws import connecting, verification
from observability.aws.connecting import RefusedError
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.tenants.models import AuditEntry, Organization, User
from tests.observability.aws.cloud import OURS, THEIRS, Cloud, Reply, error

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Status = AwsAccount.Status
GONE = AwsError(Trouble.ROLE_GONE, "sts:AssumeRole")
SUSPENDED = AwsError(Trouble.ACCOUNT_SUSPENDED, "sts:AssumeRole", "OptInRequired: Not subscribed")


def start(organization: Organization, *, account_id: str = THEIRS, role_arn: str = "") -> AwsAccount:
    return connecting.start(
        organization=organization,
        actor=None,
        name="production",
        account_id=account_id,
        regions=["eu-west-1"],
        tiers=[],
        selection={},
        now=NOW,
        role_arn=role_arn,
    )


def equals(external_id: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"sts:ExternalId": external_id}}


def look(account: AwsAccount, now: datetime = NOW) -> AwsAccount:
    """Look at the connection as it is in the database."""
    seen = AwsAccount.objects.get(pk=account.pk)
    verification.verify(account=seen, now=now)
    return AwsAccount.objects.get(pk=account.pk)


def actions() -> list[str]:
    entries = AuditEntry.objects.exclude(action="aws_account.added").order_by("number")
    return list(entries.values_list("action", flat=True))


@pytest.fixture
def account(cloud: Cloud, acme: Organization) -> AwsAccount:
    """A pending connection whose role is as the template makes it."""
    account = start(acme)
    cloud.trust(account.role_arn, equals(account.external_id))
    return account


@pytest.fixture
def connected(account: AwsAccount) -> AwsAccount:
    account = look(account)
    assert account.status == Status.CONNECTED
    return account


class TestConfusedDeputy:
    def test_01_an_external_id_from_outside_is_not_taken(
        self, cloud: Cloud, acme: Organization, alice: User, client: Client
    ) -> None:
        client.force_login(alice)
        sent = {
            "name": "x",
            "account_id": THEIRS,
            "regions": ["eu-west-1"],
            "external_id": "chosen",
            "external-id": "x",
        }
        answer = client.post(reverse("aws:connect", kwargs={"organization": acme.slug}), sent)
        assert answer.status_code == 302
        assert len(AwsAccount.objects.get().external_id) == 43
        for change in (connecting.start, connecting.change, connecting.use_role, connecting.restart):
            assert "external_id" not in inspect.signature(change).parameters

    def test_02_it_cannot_be_guessed(self, account: AwsAccount) -> None:
        assert len(account.external_id) == 43  # 256 bits in the alphabet of URLs.
        assert account.external_id.replace("-", "").replace("_", "").isalnum()

    def test_03_every_connection_has_one_of_its_own(
        self, cloud: Cloud, acme: Organization, rival: Organization
    ) -> None:
        first = start(acme)
        others = [start(rival), start(acme, account_id="444455556666")]
        again = connecting.restart(account=first, actor=None, now=NOW)
        ids = [account.external_id for account in (first, *others, again)]
        assert len(set(ids)) == 4
        assert AwsAccount._meta.get_field("external_id").unique

    def test_04_it_cannot_be_edited(self, account: AwsAccount) -> None:
        assert "external_id" not in modelform_factory(AwsAccount, fields="__all__").base_fields
        before = account.external_id
        connecting.change(
            account=account, actor=None, name="other", regions=["us-east-1"], tiers=[], selection={}, now=NOW
        )
        connecting.use_role(account=account, actor=None, role_arn=f"arn:aws:iam::{THEIRS}:role/other", now=NOW)
        assert AwsAccount.objects.get().external_id == before

    def test_05_another_organization_cannot_use_a_role_that_trusts_somebody_else(
        self, connected: AwsAccount, rival: Organization
    ) -> None:
        stolen = look(start(rival, role_arn=connected.role_arn))
        assert (stolen.status, stolen.connected_at) == (Status.PENDING, None)
        assert stolen.trouble == Trouble.ROLE_GONE

    def test_06_a_role_that_needs_no_external_id_is_flagged(self, cloud: Cloud, account: AwsAccount) -> None:
        cloud.trust(account.role_arn)
        account = look(account)
        assert (account.status, account.trouble) == (Status.UNSAFE, Trouble.WITHOUT_ID)
        assert account.connected_at is None
        assert actions() == ["aws_account.unsafe"]

    def test_07_a_role_that_takes_an_external_id_but_needs_none_is_flagged(
        self, cloud: Cloud, account: AwsAccount
    ) -> None:
        cloud.trust(account.role_arn, {"StringEqualsIfExists": {"sts:ExternalId": account.external_id}})
        assert look(account).trouble == Trouble.WITHOUT_ID

    @pytest.mark.parametrize("pattern", ["*", "{id}*"])
    def test_08_a_role_that_takes_a_wrong_external_id_is_flagged(
        self, cloud: Cloud, account: AwsAccount, pattern: str
    ) -> None:
        cloud.trust(account.role_arn, {"StringLike": {"sts:ExternalId": pattern.format(id=account.external_id)}})
        account = look(account)
        assert (account.status, account.trouble) == (Status.UNSAFE, Trouble.WRONG_ID)

    def test_09_our_own_account_is_refused(self, cloud: Cloud, acme: Organization) -> None:
        with pytest.raises(RefusedError, match="Nightjar itself runs in"):
            start(acme, account_id=OURS)
        with pytest.raises(RefusedError, match=OURS):
            start(acme, role_arn=f"arn:aws:iam::{OURS}:role/nightjar")

    @pytest.mark.parametrize(
        "role_arn",
        [
            f"arn:aws:iam::{THEIRS}:role/*",
            f"arn:aws:iam::{THEIRS}:role/night?ar",
            f"arn:aws:iam::{THEIRS}:role/path/nightjar",
            f"arn:aws:iam::{THEIRS}:role/../nightjar",
            "arn:aws:iam::*:role/nightjar",
            f"arn:aws:iam::{THEIRS}:role/nightjar\n",
            f"arn:aws:iam::{THEIRS}:role/{'x' * 65}",
            f"arn:aws:iam::{THEIRS}:role/ñ",
        ],
    )
    def test_10_wildcards_and_paths_are_refused(self, cloud: Cloud, acme: Organization, role_arn: str) -> None:
        with pytest.raises(RefusedError, match="looks like"):
            start(acme, role_arn=role_arn)

    @pytest.mark.parametrize(
        ("role_arn", "reason"),
        [
            (f"arn:aws-cn:iam::{THEIRS}:role/nightjar", "aws-cn"),
            (f"arn:aws:iam:eu-west-1:{THEIRS}:role/nightjar", "looks like"),
            (f"arn:aws:sts::{THEIRS}:assumed-role/nightjar/x", "looks like"),
            (f"arn:aws:iam::{THEIRS}:user/nightjar", "looks like"),
            (f"arn:aws:iam::{THEIRS}:root", "looks like"),
            ("arn:aws:iam::444455556666:role/nightjar", "belongs to account 444455556666"),
        ],
    )
    def test_11_a_role_elsewhere_is_refused(self, cloud: Cloud, acme: Organization, role_arn: str, reason: str) -> None:
        with pytest.raises(RefusedError, match=reason):
            start(acme, role_arn=role_arn)

    def test_12_a_role_that_answers_for_another_account_is_not_connected(
        self, cloud: Cloud, account: AwsAccount
    ) -> None:
        cloud.accounts[account.role_arn] = "444455556666"
        account = look(account)
        assert (account.status, account.trouble, account.connected_at) == (Status.PENDING, Trouble.OTHER_ACCOUNT, None)

    def test_13_an_account_that_changes_later_needs_attention(self, cloud: Cloud, connected: AwsAccount) -> None:
        cloud.accounts[connected.role_arn] = "444455556666"
        account = look(connected, NOW + MINUTE)
        assert (account.status, account.trouble) == (Status.NEEDS_ATTENTION, Trouble.OTHER_ACCOUNT)
        assert account.detail == f"The role belongs to 444455556666, and this connection is for {THEIRS}."

    def test_14_a_link_expires_after_an_hour(self, cloud: Cloud, account: AwsAccount) -> None:
        late = NOW + timedelta(hours=1)
        assert not verification.waiting(now=late).exists()
        assert verification.claim(account_pk=account.pk, now=late) is None
        assert not cloud.calls[1:]  # Only who we are.
        assert look(account, late).status == Status.PENDING
        assert verification.waiting(now=late - MINUTE).get() == account


class TestVerify:
    def test_connects_a_role_that_trusts_only_this_connection(self, cloud: Cloud, connected: AwsAccount) -> None:
        assert (connected.connected_at, connected.checked_at, connected.expires_at) == (NOW, NOW, None)
        assert (connected.trouble, connected.blind_since) == ("", None)
        tried = [call.parameters.get("ExternalId") for call in cloud.calls if call.action == "sts:AssumeRole"]
        assert tried[:2] == [connected.external_id, None]
        assert connected.external_id not in tried[1:]
        assert len(set(tried)) == 4
        assert actions() == ["aws_account.connected"]

    def test_waits_for_a_role_that_is_not_there_yet(self, cloud: Cloud, acme: Organization) -> None:
        account = look(start(acme))
        assert (account.status, account.trouble, account.blind_since) == (Status.PENDING, Trouble.ROLE_GONE, None)
        assert account.check_at == NOW + timedelta(seconds=2)
        assert not actions()

    def test_connects_once_the_trust_policy_is_mended(self, cloud: Cloud, account: AwsAccount) -> None:
        cloud.trust(account.role_arn)
        unsafe = look(account)
        assert verification.waiting(now=NOW + MINUTE).get() == unsafe
        cloud.trust(account.role_arn, equals(account.external_id))
        assert look(account, NOW + MINUTE).status == Status.CONNECTED

    def test_does_not_connect_what_is_not_proven(self, cloud: Cloud, account: AwsAccount) -> None:
        def answer(asked: object) -> Reply:
            assert isinstance(asked, dict)
            del cloud.answers["sts:AssumeRole"]
            reply = cloud.reply("AKIAOURS", "us-east-1", "sts:AssumeRole", asked)
            cloud.answers["sts:AssumeRole"] = [(400, error("ValidationError", "Not like that."))]
            return reply

        cloud.answers["sts:AssumeRole"] = answer  # The right id is taken; about the wrong ones AWS does not say.
        account = look(account)
        assert (account.status, account.trouble) == (Status.PENDING, Trouble.REFUSED)

    def test_says_nothing_about_what_was_changed_meanwhile(self, account: AwsAccount) -> None:
        stale = AwsAccount.objects.get()
        connecting.disconnect(account=account, actor=None, now=NOW)
        assert not verification.verify(account=stale, now=NOW)
        assert AwsAccount.objects.get().status == Status.DISCONNECTED
        assert actions() == ["aws_account.disconnected"]

    def test_of_a_connection_that_became_unsafe_stops_its_use(self, cloud: Cloud, connected: AwsAccount) -> None:
        cloud.trust(connected.role_arn)
        account = look(connected, NOW + MINUTE)
        assert (account.status, account.blind_since) == (Status.UNSAFE, NOW + MINUTE)
        assert verification.established(now=NOW + 16 * MINUTE).get() == account


class TestLoss:
    """R26: the role is deleted, or its external id changed."""

    @pytest.fixture(params=["deleted", "another id"])
    def lost(self, request: pytest.FixtureRequest, cloud: Cloud, connected: AwsAccount) -> AwsAccount:
        if request.param == "deleted":
            del cloud.roles[connected.role_arn]
        else:
            cloud.trust(connected.role_arn, equals("another"))
        verification.doubt(account_pk=connected.pk, error=GONE, now=NOW + MINUTE)
        assert verification.established(now=NOW + MINUTE).get() == connected
        return look(connected, NOW + MINUTE)

    def test_needs_attention_and_is_told_once(self, lost: AwsAccount) -> None:
        assert (lost.status, lost.trouble) == (Status.NEEDS_ATTENTION, Trouble.ROLE_GONE)
        assert lost.blind_since == NOW + MINUTE
        for minutes in (16, 31, 46):
            lost = look(lost, NOW + minutes * MINUTE)
        assert lost.blind_since == NOW + MINUTE
        assert actions() == ["aws_account.connected", "aws_account.needs_attention"]

    def test_is_looked_at_again_every_fifteen_minutes(self, lost: AwsAccount) -> None:
        assert not verification.established(now=NOW + MINUTE + 14 * MINUTE).exists()
        assert verification.established(now=NOW + MINUTE + 15 * MINUTE).get() == lost
        verification.doubt(account_pk=lost.pk, error=GONE, now=NOW + 2 * MINUTE)  # Only what works can be doubted.
        assert not verification.established(now=NOW + 3 * MINUTE).exists()

    def test_ends_when_the_role_is_back(self, cloud: Cloud, lost: AwsAccount) -> None:
        cloud.trust(lost.role_arn, equals(lost.external_id))
        account = look(lost, NOW + 16 * MINUTE)
        assert (account.status, account.blind_since, account.trouble) == (Status.CONNECTED, None, "")
        assert account.connected_at == NOW
        assert actions()[-1] == "aws_account.connected"

    def test_of_one_account_leaves_the_others_alone(self, cloud: Cloud, lost: AwsAccount, acme: Organization) -> None:
        other = start(acme, account_id="444455556666")
        cloud.trust(other.role_arn, equals(other.external_id))
        assert look(other).status == Status.CONNECTED

    @pytest.mark.parametrize(
        ("status", "code", "message"),
        [(500, "InternalFailure", ""), (400, "Throttling", "Rate exceeded"), (403, "InvalidClientTokenId", "We?")],
    )
    def test_is_not_what_aws_or_we_ourselves_have_trouble_with(
        self, cloud: Cloud, connected: AwsAccount, monkeypatch: pytest.MonkeyPatch, status: int, code: str, message: str
    ) -> None:
        monkeypatch.setattr("observability.aws.sessions.LAST_START_S", 0.01)
        cloud.answers["sts:AssumeRole"] = [(status, error(code, message))]
        account = look(connected, NOW + MINUTE)
        assert (account.status, account.trouble, account.blind_since) == (Status.CONNECTED, "", None)
        assert account.check_at == NOW + 16 * MINUTE


class TestSuspension:
    """AWS refuses the roles of suspended accounts as if they were gone; only a session that is left is told why."""

    @pytest.fixture
    def suspended(self, connected: AwsAccount) -> AwsAccount:
        verification.doubt(account_pk=connected.pk, error=SUSPENDED, now=NOW + MINUTE)
        return connected

    def test_is_told_as_such_until_it_is_over(self, cloud: Cloud, suspended: AwsAccount) -> None:
        role = cloud.roles.pop(suspended.role_arn)
        for minutes in (1, 16):
            account = look(suspended, NOW + minutes * MINUTE)
            assert (account.status, account.trouble) == (Status.NEEDS_ATTENTION, Trouble.ACCOUNT_SUSPENDED)
            assert (account.detail, account.blind_since) == (SUSPENDED.detail, NOW + MINUTE)
        cloud.roles[suspended.role_arn] = role
        account = look(suspended, NOW + 31 * MINUTE)
        assert (account.status, account.trouble, account.detail) == (Status.CONNECTED, "", "")

    def test_is_heard_though_a_look_is_due_anyway(self, cloud: Cloud, connected: AwsAccount) -> None:
        for doubt in (GONE, SUSPENDED):
            verification.doubt(account_pk=connected.pk, error=doubt, now=NOW + MINUTE)
        del cloud.roles[connected.role_arn]
        assert look(connected, NOW + MINUTE).trouble == Trouble.ACCOUNT_SUSPENDED

    def test_is_heard_though_a_look_is_under_way(self, cloud: Cloud, connected: AwsAccount) -> None:
        verification.doubt(account_pk=connected.pk, error=GONE, now=NOW + MINUTE)
        claimed = verification.claim(account_pk=connected.pk, now=NOW + MINUTE)
        assert claimed
        verification.doubt(account_pk=connected.pk, error=SUSPENDED, now=NOW + MINUTE)
        del cloud.roles[connected.role_arn]
        assert not verification.verify(account=claimed, now=NOW + MINUTE)
        assert look(connected, NOW + 5 * MINUTE).trouble == Trouble.ACCOUNT_SUSPENDED

    def test_is_not_over_because_the_role_can_be_assumed(self, cloud: Cloud, suspended: AwsAccount) -> None:
        call = "lambda:GET /2016-08-19/account-settings"
        cloud.answers[call] = [(403, error("AccessDeniedException", "Your account is suspended."))]
        account = look(suspended, NOW + MINUTE)
        assert (account.status, account.trouble) == (Status.NEEDS_ATTENTION, Trouble.ACCOUNT_SUSPENDED)
        cloud.answers[call] = [(403, error("AccessDeniedException", "You are not authorized."))]
        assert look(suspended, NOW + 16 * MINUTE).status == Status.CONNECTED


def test_a_denied_call_has_the_permissions_tried_but_not_all_the_time(connected: AwsAccount) -> None:
    verification.doubt_permissions(account_pk=connected.pk, now=NOW + 14 * MINUTE)
    assert not verification.established(now=NOW + 15 * MINUTE).exists()
    verification.doubt_permissions(account_pk=connected.pk, now=NOW + 16 * MINUTE)
    assert verification.established(now=NOW + 16 * MINUTE).get() == connected


class TestClaim:
    def test_gives_a_connection_to_one_of_two(self, account: AwsAccount) -> None:
        assert verification.claim(account_pk=account.pk, now=NOW) == account
        assert verification.claim(account_pk=account.pk, now=NOW + timedelta(seconds=3)) is None

    def test_gives_it_again_when_whoever_had_it_died(self, account: AwsAccount) -> None:
        verification.claim(account_pk=account.pk, now=NOW)
        assert verification.claim(account_pk=account.pk, now=NOW + verification.LEASE) == account

    def test_gives_a_connected_one_once_a_day(self, connected: AwsAccount) -> None:
        assert verification.claim(account_pk=connected.pk, now=NOW + timedelta(hours=22)) is None
        assert verification.claim(account_pk=connected.pk, now=NOW + timedelta(hours=24)) == connected

    def test_gives_none_of_an_organization_that_is_gone(self, account: AwsAccount) -> None:
        Organization.objects.update(archived_at=NOW)
        assert verification.claim(account_pk=account.pk, now=NOW) is None

    def test_of_two_looks_at_once_writes_one_entry(self, account: AwsAccount, alice: User) -> None:
        first, second = AwsAccount.objects.get(), AwsAccount.objects.get()
        assert verification.verify(account=first, now=NOW)
        assert not verification.verify(account=second, now=NOW)
        assert actions() == ["aws_account.connected"]


def test_a_look_finds_what_is_wrong_without_writing_anything(cloud: Cloud, account: AwsAccount) -> None:
    target = connecting.target(account)
    assert verification.examine(target) is None
    found = verification.examine(replace(target, external_id="wrong"))
    assert found is not None
    assert found.trouble == Trouble.ROLE_GONE
    assert AwsAccount.objects.get().checked_at is None
