"""What the demo's organization waits for, and what is worked out once its history is told."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from alerts.watching import watch
from demo import company
from demo.catalogue import ACCOUNT, CATALOGUE, FLEET
from observability.inventory.models import Resource
from observability.tenants.models import Organization

DAYS = timedelta(days=5)


@pytest.fixture
def organization(db: None) -> Organization:
    return company.found(now=timezone.now())


@pytest.fixture
def functions(organization: Organization) -> list[Resource]:
    now = timezone.now()
    return [
        Resource.objects.create(
            organization=organization, arn=each.arn, type="lambda_function", name=each.name, region=each.region,
            account=each.account, first_seen_at=now, last_seen_at=now,
        )
        for each in (CATALOGUE[0], FLEET[0])
    ]  # fmt: skip


def test_watching_waits_for_history_but_not_for_ever(organization: Organization, functions: list[Resource]) -> None:
    now = timezone.now()
    assert watch.waiting(now=now + watch.EVERY) == []
    assert watch.waiting(now=now + company.PATIENCE + watch.EVERY) == [organization.pk]


def test_all_that_is_told_counts(organization: Organization, functions: list[Resource]) -> None:
    now = timezone.now()
    with patch("alerts.tasks.advise.delay") as advised:
        company.let_watch(organization, since=now - DAYS, now=now)
    advised.assert_called_once_with(organization_id=organization.pk)
    assert watch.waiting(now=now + watch.EVERY) == [organization.pk]
    known = {each.account: each.first_seen_at for each in organization.resources.all()}
    assert known[ACCOUNT] == now - DAYS
    assert known[FLEET[0].account] > now - DAYS
