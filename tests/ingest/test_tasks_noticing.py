"""The doorbells of coverage and silence: for whom they ring, and what happens then."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ingest import tasks
from observability.aws.models import AwsAccount
from observability.telemetry.records import FaultKind, Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization

HOUR = timedelta(hours=1)


@pytest.fixture
def accounts(acme: Organization) -> dict[str, int]:
    now = timezone.now()
    fields: dict[str, dict[str, Any]] = {
        "connected": {"connected_at": now},
        "blind": {"connected_at": now, "blind_since": now - HOUR / 4, "status": AwsAccount.Status.NEEDS_ATTENTION},
        "pending": {},
        "disconnected": {"connected_at": now, "disconnected_at": now},
    }
    return {
        name: AwsAccount.objects.create(
            organization=acme, name=name, account_id=f"{number:012}", external_id=name, created_at=now, **values
        ).pk
        for number, (name, values) in enumerate(fields.items())
    }


def test_they_ring_for_connected_accounts_blind_ones_too(
    accounts: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    for task in (tasks.reckon_account, tasks.notice_account):
        monkeypatch.setattr(task, "delay", lambda *, account_pk: rung.append(account_pk))
    tasks.reckon_coverage()
    tasks.notice_silence()
    assert rung == [accounts["connected"], accounts["blind"]] * 2


def test_a_blind_account_is_noticed(accounts: dict[str, int], acme: Organization) -> None:
    for account_pk in accounts.values():
        tasks.notice_account(account_pk=account_pk)
        tasks.reckon_account(account_pk=account_pk)
    now = timezone.now()
    (fault,) = get_store().faults(acme.pk, Window(now - HOUR, now + HOUR))
    assert fault.kind == FaultKind.ACCESS_LOST


def test_an_account_that_is_gone_meanwhile_is_no_trouble(db: None) -> None:
    tasks.notice_account(account_pk=1)
    tasks.reckon_account(account_pk=1)
