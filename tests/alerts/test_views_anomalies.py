"""The pages of anomalies: the list, the fragment with its charts, feedback, and the page of such an incident."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from alerts import incidents
from alerts.detector import FactWindow, Spending, Unusual
from alerts.detectors.anomaly import Anomaly as AnomalyDetector
from alerts.detectors.runaway import Runaway
from alerts.models import Anomaly, Incident, WatchCursor
from alerts.watching import frames, shards, watch
from alerts.watching.series import BY_NAME, key_of
from observability.inventory.models import Deployment, Resource
from observability.telemetry.records import Invocation, Outcome
from observability.telemetry.store import get_store
from observability.tenants.models import AuditEntry, Membership, Organization, Role, User

pytestmark = pytest.mark.django_db
LIST = "/o/acme/anomalies/"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def bobs(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def odd(resource: Resource, now: datetime, **fields: object) -> Anomaly:
    values = {
        "metric": "duration_p95", "started_at": now - timedelta(minutes=40), "ended_at": now - timedelta(minutes=20),
        "value": 4100.0, "low": 620.0, "high": 940.0, "surprise": 44.0,
        "reason": "p95 duration is 4.10 s, usually 620-940 ms at this hour.", "told": True,
        "detail": {"group": "1:group", "side": 1},
    }  # fmt: skip
    return Anomaly.objects.create(organization=resource.organization, resource=resource, **(values | fields))


def incident(resource: Resource, now: datetime, **detail: object) -> Incident:
    unusual = Unusual(
        resource.pk, "duration_p95", "p95 duration is 4.10 s, usually 620-940 ms at this hour.", 44.0,
        now - timedelta(minutes=40), now, "1:group",
        {"title": "p95 duration of checkout is 4.10 s", "next": "Open the slowest ones.", "metrics": [], **detail},
    )  # fmt: skip
    window = FactWindow(resource.organization_id, now, anomalies=[unusual])
    incidents.apply(organization_id=resource.organization_id, findings=AnomalyDetector().detect(window), now=now)
    return Incident.objects.get()


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return str(answer.content.decode())


class TestList:
    def test_it_works(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        odd(checkout, now)
        incident(checkout, now)
        html = page(bobs, LIST)
        assert "usually 620" in html
        assert "4.10 s" in html
        assert "#1" in html
        assert f"/o/acme/functions/{checkout.pk}/" in html

    def test_marks_can_be_left_out(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        odd(checkout, now, told=False)
        assert "mark only" in page(bobs, LIST)
        assert "mark only" not in page(bobs, f"{LIST}?show=told")

    def test_before_anything_runs_it_says_what_to_do(self, bobs: Client, acme: Organization) -> None:
        assert "Nothing to watch yet" in page(bobs, LIST)

    def test_the_first_day_it_says_when_it_will_be_ready(
        self, bobs: Client, acme: Organization, checkout: Resource, now: datetime
    ) -> None:
        WatchCursor.objects.create(organization=acme, watched={"since": now.isoformat()}, watched_at=now)
        html = page(bobs, LIST)
        assert "Still learning what is usual" in html
        assert f"{now + watch.LEARNT_IN:%H:%M} UTC" in html

    def test_once_it_has_learnt_it_does_not_say_so_any_more(
        self, bobs: Client, acme: Organization, checkout: Resource, now: datetime
    ) -> None:
        since = (now - timedelta(days=3)).isoformat()
        WatchCursor.objects.create(organization=acme, watched={"since": since}, watched_at=now)
        html = page(bobs, LIST)
        assert "Still learning" not in html
        assert "Nothing was odd in this time" in html


class TestFragment:
    def test_it_shows_the_chart_with_what_is_usual(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        odd(checkout, now)
        store(checkout, now)
        html = page(bobs, f"{LIST}of/{checkout.pk}/?range=24h")
        assert '"expected":{"low":[' in html
        assert '"bands":[{"a":' in html
        assert "Real trouble" in html

    def test_nothing_odd_is_nothing_on_the_page_of_a_resource(self, bobs: Client, checkout: Resource) -> None:
        assert page(bobs, f"{LIST}of/{checkout.pk}/?without=empty").strip() == ""
        assert "Nothing was odd" in page(bobs, f"{LIST}of/{checkout.pk}/")


class TestFeedback:
    def test_what_was_expected_is_learnt_and_audited(
        self, bobs: Client, checkout: Resource, now: datetime, acme: Organization
    ) -> None:
        row = odd(checkout, now)
        key = key_of(checkout.pk, BY_NAME["duration_p95"])
        shard = shards.load(acme.pk, 0)
        shard.add(frames.frame(now, {key: (1.0, float("nan"))}).keys)
        shards.store(acme.pk, shard)
        answer = bobs.post(f"{LIST}{row.pk}/feedback/", {"feedback": "expected", "next": "/o/acme/overview/"})
        assert (answer.status_code, answer["Location"]) == (302, "/o/acme/overview/")
        row.refresh_from_db()
        assert (row.feedback, row.feedback_by and row.feedback_by.email) == ("expected", "bob@example.com")
        assert AuditEntry.objects.get().action == "anomaly.expected"

    def test_it_is_said_once(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        row = odd(checkout, now)
        for _ in range(2):
            bobs.post(f"{LIST}{row.pk}/feedback/", {"feedback": "trouble"})
        assert AuditEntry.objects.count() == 1

    def test_other_words_are_refused(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        row = odd(checkout, now)
        assert bobs.post(f"{LIST}{row.pk}/feedback/", {"feedback": "never"}).status_code == 400

    def test_viewers_may_not(self, bobs: Client, bob: User, checkout: Resource, now: datetime) -> None:
        Membership.objects.filter(user=bob).update(role=Role.VIEWER)
        row = odd(checkout, now)
        assert bobs.post(f"{LIST}{row.pk}/feedback/", {"feedback": "expected"}).status_code == 403
        assert "Real trouble" not in page(bobs, LIST)


class TestIncident:
    def test_an_anomaly_says_how_unusual_it_is_and_what_to_do(
        self, bobs: Client, checkout: Resource, now: datetime, acme: Organization
    ) -> None:
        Deployment.objects.create(
            organization=acme, resource=checkout, version="42", deployed_at=now - timedelta(minutes=52)
        )
        html = page(bobs, f"/o/acme/incidents/{incident(checkout, now).number}/")
        assert "How unusual it is" in html
        assert "Next: Open the slowest ones." in html
        assert "Likely caused by version 42, deployed 12 minutes before" in html
        assert f"/o/acme/anomalies/of/{checkout.pk}/" in html

    def test_of_an_account_it_lists_what_went_wrong_together(
        self, bobs: Client, checkout: Resource, now: datetime
    ) -> None:
        Resource.objects.filter(pk=checkout.pk).update(type="aws_account")
        told = {"resource_id": checkout.pk, "resource": "checkout", "words": "p95 duration", "reason": "It is slow."}
        html = page(bobs, f"/o/acme/incidents/{incident(checkout, now, metrics=[told]).number}/")
        assert "What went wrong together" in html
        assert "It is slow." in html

    def test_runaway_spending_comes_with_the_command(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        told = Spending(checkout.pk, 14.0, 0.1, "It spends $14.00 an hour.", "aws lambda put-x", now, now, ("a", "b"))
        window = FactWindow(checkout.organization_id, now, spending=[told])
        incidents.apply(organization_id=checkout.organization_id, findings=Runaway().detect(window), now=now)
        html = page(bobs, f"/o/acme/incidents/{Incident.objects.get().number}/")
        assert "aws lambda put-x" in html
        assert "It may be calling itself" in html


def store(resource: Resource, now: datetime) -> None:
    """Two days of a run every half an hour."""
    start = now - timedelta(days=2)
    get_store().append(
        [
            Invocation(
                organization_id=resource.organization_id, resource_id=resource.pk, day=at.date(),
                event_id=number.to_bytes(16, "big"), started_at=at, request_id=str(number), version="1",
                outcome=Outcome.SUCCESS, error_type="", cold_start=False, duration_ms=100.0 + number, billed_ms=101,
                init_ms=None, memory_mb=512, max_memory_mb=80, cost_usd=1e-6, trace_id="",
            )
            for number in range(2 * 48 * 30)
            for at in [start + timedelta(minutes=30) * (number // 30)]
        ],
        now=now,
    )  # fmt: skip
