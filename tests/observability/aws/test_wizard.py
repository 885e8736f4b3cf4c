"""The steps of connecting an account, as a browser sends them."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from observability.aws import needs
from observability.aws.models import AwsAccount
from observability.aws.problems import Trouble
from observability.aws.regions import PRESELECTED
from observability.tenants.models import AuditEntry, Organization, User

pytestmark = pytest.mark.django_db
ACCOUNT = "210987654321"
CHOSEN = {"name": "production", "account_id": ACCOUNT, "regions": ["eu-west-1", "us-east-1"]}


@pytest.fixture
def admin(alice: User) -> Client:
    return as_(alice)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def start(client: Client, **changed: Any) -> AwsAccount:
    """A connection that waits for its role."""
    answer = client.post("/o/acme/aws/connect/", {**CHOSEN, **changed})
    assert answer.status_code == 302, re.findall(r"<p>([^<]+)</p>", answer.content.decode())
    return AwsAccount.objects.latest("created_at")


def page(client: Client, connection: AwsAccount, step: str) -> str:
    answer = client.get(f"/o/acme/aws/{connection.pk}/{step}")
    assert answer.status_code == 200
    return answer.content.decode()


def found(connection: AwsAccount, **values: object) -> None:
    AwsAccount.objects.filter(pk=connection.pk).update(checked_at=timezone.now(), **values)


def connected(connection: AwsAccount, permissions: Mapping[str, str] | None = None) -> None:
    allowed = {need.action: "allowed" for need in needs.of(connection.tiers)}
    found(
        connection,
        status="connected",
        connected_at=timezone.now(),
        expires_at=None,
        permissions=allowed | dict(permissions or {}),
    )


def test_the_first_step_leads_to_the_second(admin: Client) -> None:
    form = admin.get("/o/acme/aws/connect/").content.decode()
    assert form.count("checked") == len(PRESELECTED) + 1  # The base tier cannot be taken away.
    typed = {"account_id": "2109-8765 4321", "tiers": ["sizes"], "include_names": "prod-*\n\n", "exclude_tags": "test"}
    answer = admin.post("/o/acme/aws/connect/", CHOSEN | typed)
    connection = AwsAccount.objects.get()
    assert answer.headers["Location"] == f"/o/acme/aws/{connection.pk}/role/"
    assert (connection.name, connection.account_id, connection.status) == ("production", ACCOUNT, "pending")
    assert connection.regions == ["us-east-1", "eu-west-1"] or connection.regions == ["eu-west-1", "us-east-1"]
    assert connection.tiers == ["base", "sizes"]
    assert connection.selection == {
        "include": {"names": ["prod-*"], "tags": []},
        "exclude": {"names": [], "tags": ["test=*"]},
    }
    assert AuditEntry.objects.latest("number").action == "aws_account.added"


def test_an_external_id_that_somebody_posts_is_ignored(admin: Client) -> None:
    theirs = "chosen-by-somebody-else-who-knows-it"
    posted = {"external_id": theirs, "ExternalId": theirs, "role_arn": f"arn:aws:iam::{ACCOUNT}:role/theirs"}
    connection = start(admin, **posted)
    assert connection.external_id != theirs
    assert len(connection.external_id) == 43  # 256 bits.
    assert connection.role_arn.startswith(f"arn:aws:iam::{ACCOUNT}:role/nightjar-")
    before = connection.external_id
    admin.post(
        f"/o/acme/aws/{connection.pk}/verify/",
        {"external_id": theirs, "role_arn": f"arn:aws:iam::{ACCOUNT}:role/of-another-name"},
    )
    connection.refresh_from_db()
    assert connection.role_arn.endswith(":role/of-another-name")
    assert connection.external_id == before


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"account_id": "12345"}, "has 12 digits"),
        ({"account_id": "999988887777"}, "Nightjar itself runs in"),
        ({"regions": []}, "This field is required"),
        ({"regions": ["eu-nowhere-1"]}, "Select a valid choice"),
        ({"regions": ["cn-north-1"]}, "Select a valid choice"),
        ({"tiers": ["everything"]}, "Select a valid choice"),
        ({"include_names": "\n".join(map(str, range(60)))}, "At most 50"),
        ({"exclude_names": "a" * 300}, "200 characters"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_connected_is_told(admin: Client, wrong: dict[str, Any], told: str) -> None:
    answer = admin.post("/o/acme/aws/connect/", CHOSEN | wrong)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not AwsAccount.objects.exists()


def test_an_account_is_connected_once(admin: Client) -> None:
    start(admin)
    answer = admin.post("/o/acme/aws/connect/", CHOSEN)
    assert answer.status_code == 422
    assert "is connected already" in answer.content.decode()


def test_members_look_and_admins_act(admin: Client, bob: User, charlie: User) -> None:
    connection = start(admin)
    member = as_(bob)
    for path in ("connect/", f"{connection.pk}/role/", f"{connection.pk}/verify/", f"{connection.pk}/checklist/"):
        assert member.get(f"/o/acme/aws/{path}").status_code == 200
        assert as_(charlie).get(f"/o/acme/aws/{path}").status_code == 404
    assert "Admins can connect accounts" in member.get("/o/acme/aws/connect/").content.decode()
    assert member.post("/o/acme/aws/connect/", CHOSEN).status_code == 403
    assert member.post(f"/o/acme/aws/{connection.pk}/disconnect/").status_code == 403
    assert "ARN of the role" not in page(member, connection, "verify/")


def test_the_role_can_be_made_in_many_ways(admin: Client, settings: Settings) -> None:
    connection = start(admin)
    assert "One click" not in page(admin, connection, "role/")
    assert "aws cloudformation deploy" in page(admin, connection, "role/?way=cli")
    assert "aws_iam_role" in page(admin, connection, "role/?way=terraform")
    assert "trust.json" in page(admin, connection, "role/?way=json")
    assert "nightjar-role.yaml" in page(admin, connection, "role/?way=nonsense")
    settings.ROLE_TEMPLATE_URL = "https://templates.s3.amazonaws.com/role.yaml"
    shown = page(admin, connection, "role/")
    assert "stacks/create/review?templateURL=https%3A%2F%2Ftemplates" in shown
    assert f"param_ExternalId={connection.external_id}" in shown


def test_every_permission_is_explained(admin: Client) -> None:
    shown = page(admin, start(admin), "role/")
    for need in needs.needs():
        assert need.action in shown
    assert shown.count("not part of this role") == 2


def test_a_stack_set_lists_every_connection_that_waits(admin: Client) -> None:
    first = start(admin)
    second = start(admin, account_id="310987654321", name="staging")
    shown = page(admin, first, "role/?way=stacksets")
    assert first.external_id in shown
    assert second.external_id in shown


def test_the_template_is_downloaded_filled_in(admin: Client) -> None:
    connection = start(admin)
    answer = admin.get(f"/o/acme/aws/{connection.pk}/template/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="nightjar-role.yaml"'
    assert f'Default: "{connection.external_id}"' in answer.content.decode()
    assert 'Default: "999988887777"' in answer.content.decode()


def test_without_an_account_of_our_own_no_role_is_offered(
    admin: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = start(admin)
    settings.AWS_PRINCIPAL = ""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert "does not know its own AWS account" in page(admin, connection, "role/")
    assert admin.get(f"/o/acme/aws/{connection.pk}/template/").status_code == 404


def test_the_check_waits_for_the_role_and_asks_again(admin: Client) -> None:
    connection = start(admin)
    shown = page(admin, connection, "verify/")
    assert 'hx-trigger="every 2s"' in shown
    assert "Check now" in shown
    found(connection, trouble=Trouble.ROLE_GONE)
    shown = page(admin, connection, "checklist/")
    assert "waiting for the role" in shown
    assert shown.count(": later") == 4
    assert "AWS does not let us" not in shown  # Of course not: it is being made.


@pytest.mark.parametrize(
    ("trouble", "told", "proven"),
    [
        (Trouble.OTHER_ACCOUNT, "belongs to another account", 1),
        (Trouble.WITHOUT_ID, "assumed without the external ID", 2),
        (Trouble.WRONG_ID, "assumed with a wrong external ID", 3),
    ],
)
def test_the_check_says_what_is_not_proven(admin: Client, trouble: Trouble, told: str, proven: int) -> None:
    connection = start(admin)
    found(connection, status="unsafe", trouble=trouble)
    shown = page(admin, connection, "checklist/")
    assert told in shown
    assert "Unsafe" in shown
    assert (shown.count(": yes"), shown.count(": no<")) == (proven, 1)
    assert 'hx-trigger="every 2s"' in shown  # Whoever mends the role sees it turn.


def test_a_connection_is_proven_and_its_permissions_counted(admin: Client) -> None:
    connection = start(admin)
    found(connection, status="connected", connected_at=timezone.now(), expires_at=None)
    assert "Permissions are tried one by one" in page(admin, connection, "checklist/")
    assert 'hx-trigger="every 2s"' in page(admin, connection, "checklist/")
    connected(connection)
    wanted = len(needs.of(["base"]))
    shown = page(admin, connection, "checklist/")
    assert shown.count(": yes") == 4
    assert f"Permissions: {wanted} of {wanted}" in shown
    assert "every 2s" not in shown
    assert f"/o/acme/aws/{connection.pk}/first-data/" in shown


def test_denied_actions_are_named_with_what_is_lost(admin: Client) -> None:
    connection = start(admin)
    denied = needs.of(["base"])[0]
    connected(connection, {denied.action: "denied"})
    shown = page(admin, connection, "checklist/")
    assert f"Permissions: {len(needs.of(['base'])) - 1} of {len(needs.of(['base']))}" in shown
    assert denied.action in shown
    assert "permissions missing" in shown


def test_a_pasted_role_must_be_of_this_account(admin: Client) -> None:
    connection = start(admin)
    for arn in ("arn:aws:iam::310987654321:role/x", "arn:aws-cn:iam::210987654321:role/x", "role/x"):
        answer = admin.post(f"/o/acme/aws/{connection.pk}/verify/", {"role_arn": arn})
        assert answer.status_code == 422
    connection.refresh_from_db()
    assert connection.role_arn.startswith(f"arn:aws:iam::{ACCOUNT}:role/nightjar-")


def test_an_expired_link_is_started_again_with_a_new_external_id(admin: Client) -> None:
    old = start(admin, tiers=["sizes"], exclude_names="*-canary")
    found(old, expires_at=timezone.now() - timedelta(seconds=1))
    for step in ("role/", "verify/", "checklist/"):
        shown = page(admin, old, step)
        assert "This link has expired" in shown
        assert old.external_id not in shown
        assert "every 2s" not in shown
    answer = admin.post(f"/o/acme/aws/{old.pk}/again/")
    new = AwsAccount.objects.latest("created_at")
    assert answer.headers["Location"] == f"/o/acme/aws/{new.pk}/role/"
    assert new.external_id != old.external_id
    assert (new.account_id, new.tiers, new.selection) == (old.account_id, old.tiers, old.selection)
    assert "This connection was ended" in page(admin, old, "verify/")


def test_one_that_works_is_not_started_again(admin: Client) -> None:
    connection = start(admin)
    connected(connection)
    answer = admin.post(f"/o/acme/aws/{connection.pk}/again/", follow=True)
    assert "is connected; it needs no new link" in answer.content.decode()
    assert AwsAccount.objects.count() == 1


def test_disconnecting_ends_it(admin: Client) -> None:
    connection = start(admin)
    admin.post(f"/o/acme/aws/{connection.pk}/disconnect/")
    connection.refresh_from_db()
    assert connection.status == "disconnected"
    assert "every 2s" not in page(admin, connection, "checklist/")
    assert start(admin).external_id != connection.external_id


def test_the_last_steps_lead_on(admin: Client, acme: Organization) -> None:
    connection = start(admin)
    connected(connection)
    assert f"/o/acme/aws/{connection.pk}/progress/" in page(admin, connection, "first-data/")
    shown = page(admin, connection, "alerts/")
    assert "/o/acme/channels/" in shown
    assert "/o/acme/policies/" in shown
