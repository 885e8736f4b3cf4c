from collections.abc import Iterator

import pytest
from pytest_django import Settings

from observability.aws import quotas, sessions
from observability.aws.quotas import Rate
from observability.aws.sessions import Target
from tests.observability.aws.cloud import THEIRS, Cloud, running

ROLE = f"arn:aws:iam::{THEIRS}:role/nightjar-12345678"


@pytest.fixture
def cloud(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An AWS of this test's own, whose budgets are never in the way."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOURS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(quotas, "RATES", dict.fromkeys(quotas.RATES, Rate(10_000, 1_000)))
    with running() as cloud:
        settings.AWS_ENDPOINT_URL = cloud.url
        settings.AWS_PRINCIPAL = ""
        sessions.forget()
        yield cloud
    sessions.forget()


@pytest.fixture
def target(cloud: Cloud) -> Target:
    """A role that trusts us with one external id."""
    cloud.trust(ROLE, {"StringEquals": {"sts:ExternalId": "the-id"}})
    return Target(account=THEIRS, partition="aws", role_arn=ROLE, external_id="the-id", organization="acme")
