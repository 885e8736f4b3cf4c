"""The pages about connected accounts, as a browser asks for them."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.aws import needs, usage
from observability.aws.models import AwsAccount
from observability.aws.problems import Trouble, sentence
from observability.aws.standing import Standing, standing
from observability.tenants.models import AuditEntry, Organization, User

Status = AwsAccount.Status
NOW = timezone.now()
LOST: dict[str, object] = {"status": Status.NEEDS_ATTENTION, "blind_since": NOW}


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    made = timezone.now() - timedelta(days=2)
    return AwsAccount.objects.create(
        organization=acme, name="production", account_id="123456789012", regions=["eu-west-1", "us-east-1"],
        role_arn="arn:aws:iam::123456789012:role/nightjar", external_id="secret", status=Status.CONNECTED,
        tiers=["base"], created_at=made, connected_at=made, checked_at=made,
        permissions={need.action: "allowed" for need in needs.of(["base"])},
    )  # fmt: skip


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def text(client: Client, path: str = "") -> str:
    answer = client.get(f"/o/acme/aws/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def told(**values: object) -> Standing:
    fields: dict[str, object] = {"status": Status.CONNECTED, "connected_at": NOW, "tiers": ["base"]}
    return standing(AwsAccount(**fields | values), NOW)


class TestStanding:
    @pytest.mark.parametrize(
        ("values", "word", "trouble"),
        [
            ({}, "Connected", ""),
            (LOST | {"trouble": Trouble.ROLE_GONE}, "No access", Trouble.ROLE_GONE),
            (LOST | {"trouble": Trouble.ACCOUNT_SUSPENDED}, "No access", Trouble.ACCOUNT_SUSPENDED),
            ({"status": Status.NEEDS_ATTENTION, "trouble": Trouble.THROTTLED}, "Needs attention", Trouble.THROTTLED),
            ({"status": Status.UNSAFE, "trouble": Trouble.WITHOUT_ID}, "Unsafe", Trouble.WITHOUT_ID),
            ({"status": Status.PENDING, "connected_at": None}, "Waiting for the role", ""),
        ],
    )  # fmt: skip
    def test_says_what_is_wrong_and_what_to_do(self, values: dict[str, object], word: str, trouble: str) -> None:
        found = told(**values)
        assert (found.word, found.sentence) == (word, sentence(trouble))

    def test_an_expired_link_is_not_waiting(self) -> None:
        assert (
            told(status=Status.PENDING, connected_at=None, expires_at=NOW - timedelta(minutes=1)).word == "Link expired"
        )

    def test_a_denied_permission_is_told_of(self) -> None:
        action = needs.of(["base"])[0].action
        assert told(permissions={action: "denied"}).sentence.startswith("One permission is denied.")

    def test_the_end_is_the_end(self) -> None:
        assert told(status=Status.DISCONNECTED, trouble=Trouble.ROLE_GONE).word == "Disconnected"


class TestList:
    @pytest.mark.usefixtures("acme")
    def test_leads_to_the_wizard(self, admin: Client) -> None:
        page = text(admin)
        assert "No AWS account yet" in page
        assert "/o/acme/aws/connect/" in page

    def test_shows_calls_and_their_cost(self, admin: Client, account: AwsAccount) -> None:
        for _ in range(3):
            usage.count(account=account.account_id, family="GetMetricData", metrics=500)
        page = text(admin)
        assert ">Connected<" in page.replace("</svg>Connected", ">Connected")
        assert "$0.01" in page or "$0.02" in page

    def test_keeps_disconnected_ones_apart(self, admin: Client, account: AwsAccount) -> None:
        AwsAccount.objects.update(status=Status.DISCONNECTED, disconnected_at=timezone.now())
        page = text(admin)
        assert "No AWS account yet" in page
        assert "disconnected" in page

    def test_asks_no_more_for_more_accounts(self, admin: Client, account: AwsAccount) -> None:
        few = asked(admin, "/o/acme/aws/")
        for number in range(10):
            account.pk, account.account_id, account.external_id = None, f"{number:012}", f"secret-{number}"
            account.save(force_insert=True)
        assert asked(admin, "/o/acme/aws/") == few <= 15


class TestAccount:
    @pytest.mark.parametrize("path", ["", "standing/", "permissions/", "settings/"])
    def test_asks_little(self, admin: Client, account: AwsAccount, path: str) -> None:
        assert asked(admin, f"/o/acme/aws/{account.pk}/{path}") <= 15

    def test_says_since_when_it_is_blind(self, admin: Client, account: AwsAccount) -> None:
        since = datetime(2026, 11, 20, 9, 30, tzinfo=NOW.tzinfo)
        AwsAccount.objects.update(status=Status.NEEDS_ATTENTION, trouble=Trouble.ROLE_GONE, blind_since=since)
        page = text(admin, f"{account.pk}/")
        assert "No access since 20 Nov 09:30 UTC" in page
        assert "nothing of this account is marked as deleted" in page

    def test_tells_again_and_again_how_it_is(self, admin: Client, account: AwsAccount) -> None:
        assert f"/o/acme/aws/{account.pk}/standing/" in text(admin, f"{account.pk}/")
        AwsAccount.objects.update(status=Status.NEEDS_ATTENTION, trouble=Trouble.ROLE_GONE, blind_since=NOW)
        told = text(admin, f"{account.pk}/standing/")
        assert "No access since" in told
        assert 'id="standing-pill" hx-swap-oob="true"' in told
        assert f"/o/acme/aws/{account.pk}/role/" in told

    def test_names_what_calls_are_for(self, admin: Client, account: AwsAccount) -> None:
        usage.count(account=account.account_id, family="lambda_reads")
        usage.count_throttled(account=account.account_id, family="lambda_reads")
        page = text(admin, f"{account.pk}/")
        assert "Lambda reads" in page
        assert "lambda_reads" not in page

    def test_shows_first_data_only_in_the_first_hour(self, admin: Client, account: AwsAccount) -> None:
        assert "account-progress" not in text(admin, f"{account.pk}/")
        AwsAccount.objects.update(connected_at=timezone.now())
        assert "account-progress" in text(admin, f"{account.pk}/")

    def test_a_disconnected_one_collects_nothing(self, admin: Client, account: AwsAccount) -> None:
        AwsAccount.objects.update(status=Status.DISCONNECTED, disconnected_at=timezone.now())
        page = text(admin, f"{account.pk}/")
        assert "Nothing is collected" in page
        assert "Check now" not in page


class TestPermissions:
    def test_say_what_is_lost_and_how_to_update_the_stack(self, admin: Client, account: AwsAccount) -> None:
        lost, unknown = needs.of(["base"])[:2]
        account.permissions |= {lost.action: "denied", unknown.action: "unknown"}
        account.save()
        page = text(admin, f"{account.pk}/permissions/")
        assert "Update the role&#x27;s stack" in page or "Update the role's stack" in page
        assert f"/o/acme/aws/{account.pk}/template/" in page
        assert "Unknown" in page
        assert lost.action in text(admin, f"{account.pk}/")

    def test_are_all_well(self, admin: Client, account: AwsAccount) -> None:
        number = len(needs.of(["base"]))
        page = text(admin, f"{account.pk}/permissions/")
        assert f"{number} of {number} allowed" in page
        assert "update-h" not in page

    def test_are_tried_again_at_once_when_asked(self, admin: Client, account: AwsAccount) -> None:
        answer = admin.post(f"/o/acme/aws/{account.pk}/check/")
        assert answer.headers["Location"] == f"/o/acme/aws/{account.pk}/permissions/"
        account.refresh_from_db()
        assert account.check_at
        assert timezone.now() - account.check_at < timedelta(minutes=1)


class TestSettings:
    def test_can_be_changed(self, admin: Client, account: AwsAccount) -> None:
        form = {"name": "prod", "regions": ["eu-west-1"], "include_names": "prod-*\r\nlive-*", "exclude_tags": "test"}
        answer = admin.post(f"/o/acme/aws/{account.pk}/settings/", form)
        assert answer.status_code == 302
        account.refresh_from_db()
        assert (account.name, account.regions) == ("prod", ["eu-west-1"])
        assert account.selection["include"]["names"] == ["prod-*", "live-*"]
        assert account.selection["exclude"]["tags"] == ["test=*"]
        assert AuditEntry.objects.latest("number").action == "aws_account.changed"
        page = text(admin, f"{account.pk}/settings/")
        assert "prod-*\nlive-*" in page.replace("\r\n", "\n")

    def test_refuse_in_words(self, admin: Client, account: AwsAccount) -> None:
        url = f"/o/acme/aws/{account.pk}/settings/"
        assert admin.post(url, {"name": "prod"}).status_code == 422
        AwsAccount.objects.update(status=Status.DISCONNECTED, disconnected_at=timezone.now())
        answer = admin.post(url, {"name": "prod", "regions": ["eu-west-1"]})
        assert answer.status_code == 422
        assert "This account is not connected any more" in answer.content.decode()

    def test_never_take_another_account_or_external_id(self, admin: Client, account: AwsAccount) -> None:
        form = {"name": "prod", "regions": ["eu-west-1"], "account_id": "210987654321", "external_id": "mine"}
        admin.post(f"/o/acme/aws/{account.pk}/settings/", form)
        account.refresh_from_db()
        assert (account.account_id, account.external_id) == ("123456789012", "secret")

    def test_are_only_shown_to_members(self, client: Client, bob: User, account: AwsAccount) -> None:
        client.force_login(bob)
        assert "Admins can change these" in text(client, f"{account.pk}/settings/")
        assert client.post(f"/o/acme/aws/{account.pk}/settings/", {"name": "x"}).status_code == 403


def asked(client: Client, url: str) -> int:
    client.get(url)  # The first request of a session also records the session.
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
