"""What Nightjar notices itself, from a stored fault to the page and the message."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts import pipeline
from alerts.models import Incident, Notification, State
from alerts.wording import compose
from observability.inventory.models import Deployment, Resource
from observability.telemetry.records import Fault, FaultKind
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User
from tests.alerts.estate import digest, judge, policy_for, webhook_channel

HOUR = timedelta(hours=1)
LOST = "Nightjar has had no access to this account since {:%-d %b %Y, %H:%M} UTC. The role is gone."
SHORT = "Stored 41 of 50 invocations, 82 %: the logs have not been read that far yet."


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def account(acme: Organization, now: datetime) -> Resource:
    return Resource.objects.create(
        organization=acme, type="aws_account", arn="arn:aws:iam::123456789012:root", name="Production",
        region="global", account="123456789012", first_seen_at=now, last_seen_at=now,
    )  # fmt: skip


def notice(resource: Resource, kind: FaultKind, message: str, at: datetime, now: datetime) -> Incident:
    fault = Fault(
        organization_id=resource.organization_id, resource_id=resource.pk, day=at.date(), event_id=digest(kind, at),
        at=at, request_id="", version="", kind=kind, type="behind", message=message,
    )  # fmt: skip
    get_store().append([fault], now=now)
    judge(resource.organization, now)
    return Incident.objects.get(resource=resource, kind=kind)


class TestMessages:
    def test_say_why_instead_of_guessing(self, account: Resource, acme: Organization, now: datetime) -> None:
        policy_for(webhook_channel(acme, now), now)
        notice(account, FaultKind.ACCESS_LOST, LOST.format(now), now, now)
        message = compose(Notification.objects.get(), now=now)
        assert message.title == f"Blind on account Production since {now:%H:%M} UTC"
        assert message.likely_cause == LOST.format(now)
        assert message.summary.endswith("The role is gone.")
        assert (message.region, message.request_id, message.code) == ("global", "", "")

    def test_a_deployment_is_no_suspect(self, checkout: Resource, acme: Organization, now: datetime) -> None:
        policy_for(webhook_channel(acme, now), now)
        Deployment.objects.create(organization=acme, resource=checkout, version="42", deployed_at=now - HOUR / 2)
        notice(checkout, FaultKind.COVERAGE, SHORT, now, now)
        assert compose(Notification.objects.get(), now=now).likely_cause == SHORT


class TestPage:
    def test_shows_no_runs_where_there_are_none(
        self, client: Client, alice: User, account: Resource, now: datetime
    ) -> None:
        incident = notice(account, FaultKind.ACCESS_LOST, LOST.format(now), now, now)
        notice(account, FaultKind.ACCESS_LOST, LOST.format(now), now + timedelta(minutes=10), now)
        client.force_login(alice)
        place = {"organization": account.organization.slug, "number": incident.number}
        page = client.get(reverse("alerts:incident", kwargs=place)).content.decode()
        assert "What Nightjar noticed" in page
        assert "The role is gone." in page
        for word in ("Stack trace", "Affected invocations", "Logs of this invocation", "Share of calls", "behind<"):
            assert word not in page
        listed = client.get(reverse("alerts:incidents", kwargs={"organization": account.organization.slug}))
        assert "Blind on account Production" in listed.content.decode()

    def test_policies_offer_the_kinds(self, client: Client, alice: User, acme: Organization) -> None:
        client.force_login(alice)
        page = client.get(reverse("alerts:policy_new", kwargs={"organization": acme.slug})).content.decode()
        for title in ("Access lost", "Missing invocations", "Did not run"):
            assert title in page


class TestQuiet:
    def test_what_is_noticed_once_an_hour_stays_open_between(
        self, checkout: Resource, acme: Organization, now: datetime
    ) -> None:
        incident = notice(checkout, FaultKind.COVERAGE, SHORT, now, now)
        pipeline.settle(organization_id=acme.pk, now=now + 2 * HOUR)
        incident.refresh_from_db()
        assert incident.state == State.OPEN
        pipeline.settle(organization_id=acme.pk, now=now + 3 * HOUR)
        incident.refresh_from_db()
        assert incident.state == State.RESOLVED

    def test_lost_access_is_over_after_the_usual_quiet(
        self, account: Resource, acme: Organization, now: datetime
    ) -> None:
        incident = notice(account, FaultKind.ACCESS_LOST, LOST.format(now), now, now)
        pipeline.settle(organization_id=acme.pk, now=now + timedelta(minutes=31))
        incident.refresh_from_db()
        assert incident.state == State.RESOLVED
