from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import MagicMock, patch

import pytest
from django.conf import settings
from django.utils import timezone

from observability.aws import connecting, permissions, tasks
from observability.aws.models import AwsAccount
from observability.tenants.models import AuditEntry, Organization
from tests.observability.aws.cloud import THEIRS, Cloud, error

Status = AwsAccount.Status


@pytest.fixture(autouse=True)
def bells() -> Iterator[MagicMock]:
    """Rings that tasks pass on, instead of a broker."""
    bells = MagicMock()
    with patch.object(tasks.verify, "delay", bells.verify), patch.object(tasks.probe, "delay", bells.probe):
        yield bells


@pytest.fixture
def account(cloud: Cloud, acme: Organization) -> AwsAccount:
    """A pending connection whose role has just been made."""
    account = connecting.start(
        organization=acme,
        actor=None,
        name="production",
        account_id=THEIRS,
        regions=["eu-west-1"],
        tiers=[],
        selection={},
        now=timezone.now(),
    )
    cloud.trust(account.role_arn, {"StringEquals": {"sts:ExternalId": account.external_id}})
    return account


class TestVerifyPending:
    def test_rings_for_a_connection_that_waits_for_its_role(self, account: AwsAccount, bells: MagicMock) -> None:
        tasks.verify_pending()
        bells.verify.assert_called_once_with(account_pk=account.pk)

    def test_rings_for_none_that_has_expired_or_works(self, account: AwsAccount, bells: MagicMock) -> None:
        AwsAccount.objects.update(expires_at=timezone.now())
        tasks.verify_pending()
        AwsAccount.objects.update(status=Status.CONNECTED, connected_at=timezone.now(), expires_at=None)
        tasks.verify_pending()
        bells.verify.assert_not_called()


class TestRecheckDue:
    def test_rings_for_a_connection_whose_day_has_come(self, account: AwsAccount, bells: MagicMock) -> None:
        tasks.verify(account_pk=account.pk)
        tasks.recheck_due()
        bells.verify.assert_not_called()
        AwsAccount.objects.update(check_at=timezone.now() - timedelta(seconds=1))
        tasks.recheck_due()
        bells.verify.assert_called_once_with(account_pk=account.pk)

    def test_rings_for_none_that_waits_for_its_role(self, account: AwsAccount, bells: MagicMock) -> None:
        tasks.recheck_due()
        bells.verify.assert_not_called()


class TestVerify:
    def test_connects_and_has_the_permissions_tried(self, account: AwsAccount, bells: MagicMock) -> None:
        tasks.verify(account_pk=account.pk, reason="because")
        assert AwsAccount.objects.get().status == Status.CONNECTED
        bells.probe.assert_called_once_with(account_pk=account.pk)

    def test_rung_twice_looks_once(self, cloud: Cloud, account: AwsAccount, bells: MagicMock) -> None:
        tasks.verify(account_pk=account.pk)
        calls = len(cloud.calls)
        tasks.verify(account_pk=account.pk)
        assert len(cloud.calls) == calls
        assert AuditEntry.objects.filter(action="aws_account.connected").count() == 1
        bells.probe.assert_called_once_with(account_pk=account.pk)

    def test_of_a_role_that_is_not_there_tries_no_permissions(
        self, cloud: Cloud, account: AwsAccount, bells: MagicMock
    ) -> None:
        cloud.roles.clear()
        tasks.verify(account_pk=account.pk)
        bells.probe.assert_not_called()


class TestProbe:
    def test_tries_only_connections_that_work(self, account: AwsAccount) -> None:
        with patch.object(permissions, "probe") as probe:
            tasks.probe(account_pk=account.pk)
            probe.assert_not_called()
            AwsAccount.objects.update(status=Status.CONNECTED)
            tasks.probe(account_pk=account.pk)
            probe.assert_called_once()

    def test_that_finds_the_role_gone_has_the_connection_looked_at(self, cloud: Cloud, account: AwsAccount) -> None:
        tasks.verify(account_pk=account.pk)
        cloud.roles.clear()
        tasks.probe(account_pk=account.pk)
        check_at = AwsAccount.objects.get().check_at
        assert check_at is not None
        assert check_at <= timezone.now()

    def test_tries_again_soon_what_may_be_too_new_to_be_allowed(self, cloud: Cloud, account: AwsAccount) -> None:
        cloud.answers["dynamodb:ListTables"] = [(400, error("AccessDeniedException", "no"))]
        tasks.verify(account_pk=account.pk)
        with patch.object(tasks.probe, "apply_async") as later:
            tasks.probe(account_pk=account.pk)
            later.assert_called_once_with(kwargs={"account_pk": account.pk}, countdown=tasks.AGAIN_S)
            later.reset_mock()
            AwsAccount.objects.update(connected_at=timezone.now() - permissions.SETTLING)
            tasks.probe(account_pk=account.pk)
            later.assert_not_called()


class TestSchedule:
    def test_looks_for_new_roles_every_two_seconds(self) -> None:
        tick = settings.CELERY_BEAT_SCHEDULE["aws.verify_pending"]
        assert tick["schedule"] == 2
        assert settings.CELERY_TASK_ROUTES["observability.aws.tasks.*"] == {"queue": "pull"}

    @pytest.mark.parametrize("task", [tasks.verify_pending, tasks.recheck_due, tasks.verify, tasks.probe])
    def test_of_rings_does_not_pile_up(self, task: object) -> None:
        assert getattr(task, "expires") <= 300  # noqa: B009  # Celery's types do not know it.
        assert getattr(task, "time_limit") < settings.VISIBILITY_TIMEOUT  # noqa: B009
        assert getattr(task, "acks_late")  # noqa: B009
