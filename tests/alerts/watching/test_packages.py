"""Which packages are worth an incident, and what it says."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts import evaluation, incidents, pipeline, wording
from alerts.detector import FactWindow, Filling
from alerts.models import Incident, Notification, State, Tuning, WatchCursor
from alerts.tuning import tunings
from alerts.watching.packages import fillings
from alerts.watching.series import Source
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.tenants.models import Organization, User
from tests.packages import MIB, grown, package

GIB = 1 << 30


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def full(organization: Organization, now: datetime) -> list[Filling]:
    return fillings(organization.pk, tunings(organization.pk), now=now)


def watch(organization: Organization, now: datetime) -> None:
    """What the stage does with them."""
    found = FactWindow(organization_id=organization.pk, now=now, packages=full(organization, now))
    evaluation.claim(organization.pk)
    incidents.apply(organization_id=organization.pk, findings=evaluation.detect(found), now=now)


class TestFillings:
    def test_are_packages_over_the_lowest_threshold(self, checkout: Resource, now: datetime) -> None:
        package(checkout, code_bytes=150 * MIB, layers_bytes=49 * MIB)
        assert full(checkout.organization, now) == []
        package(checkout, age=timedelta(), code_bytes=150 * MIB, layers_bytes=50 * MIB, version="42", digest="d")
        (filling,) = full(checkout.organization, now)
        assert (filling.name, filling.limit_name, filling.version) == ("checkout", "unzipped", "42")
        assert (filling.used, filling.limit, filling.news) == (200 * MIB, 250 * MIB, True)
        assert filling.detail["digest"] == "d"

    def test_are_of_what_runs_now(self, checkout: Resource, rival: Organization, now: datetime) -> None:
        package(checkout, age=timedelta(days=1), code_bytes=240 * MIB)
        assert full(rival, now) == []
        assert len(full(checkout.organization, now)) == 1
        package(checkout, code_bytes=100 * MIB)
        assert full(checkout.organization, now) == []

    def test_are_none_of_functions_that_are_gone(self, checkout: Resource, now: datetime) -> None:
        package(checkout, code_bytes=240 * MIB)
        Resource.objects.update(gone_at=now)
        assert full(checkout.organization, now) == []

    def test_say_what_grew_since_when_and_what_to_expect(self, checkout: Resource, now: datetime) -> None:
        was, has = [{"name": "pandas", "bytes": 40 * MIB}], [{"name": "pandas", "bytes": 51 * MIB}]
        grown(checkout, [188, 205, 211], dependencies=was)
        package(checkout, age=timedelta(minutes=5), code_bytes=223 * MIB, version="4", dependencies=has)
        (filling,) = full(checkout.organization, now)
        assert filling.message.startswith("223 MB of code and 0 B of layers, unzipped. ")
        assert "The last deployment added 12 MB: pandas +11 MB." in filling.message
        assert "It has been over 80% since version 2 of " in filling.message
        assert "At this rate the limit is reached in about 3 deployments." in filling.message
        assert "Beyond it a deployment fails" in filling.message
        assert filling.detail["grew"] == [{"name": "pandas", "bytes": 11 * MIB}]

    def test_say_little_of_a_first_package(self, checkout: Resource, now: datetime) -> None:
        package(checkout, code_bytes=240 * MIB, complete=False)
        (filling,) = full(checkout.organization, now)
        assert filling.message.startswith("At least 240 MB of code")
        assert "added" not in filling.message
        assert "since" not in filling.message

    def test_are_images_too(self, checkout: Resource, now: datetime) -> None:
        package(checkout, source="image", image_bytes=9 * GIB, code_bytes=None, layers_bytes=None)
        (filling,) = full(checkout.organization, now)
        assert (filling.limit_name, filling.limit) == ("image", 10 * GIB)
        assert "as the registry tells it" in filling.message

    def test_are_environments_too(self, checkout: Resource, now: datetime) -> None:
        checkout.config["environment_bytes"] = 3900
        checkout.save()
        (filling,) = full(checkout.organization, now)
        assert (filling.limit_name, filling.used, filling.limit) == ("environment", 3900, 4096)
        assert "Parameter Store" in filling.message

    def test_are_code_storages_too(self, acme: Organization, now: datetime) -> None:
        told = {"code_storage_bytes": 70 * GIB, "code_storage_limit_bytes": 75 * GIB}
        Resource.objects.create(
            organization=acme, type="aws_account", arn="arn:aws:iam::123456789012:root", name="", region="",
            account="123456789012", first_seen_at=now, last_seen_at=now,
            config={"eu-west-1": told, "us-east-1": {"code_storage_bytes": GIB}, "tags": {}},
        )  # fmt: skip
        (filling,) = full(acme, now)
        assert filling.name == "eu-west-1 in 123456789012"
        AwsAccount.objects.create(
            organization=acme, name="prod", account_id="123456789012", role_arn="r", external_id="e", created_at=now
        )
        (filling,) = full(acme, now)
        assert (filling.name, filling.detail["region"]) == ("eu-west-1 in prod", "eu-west-1")

    def test_heed_what_was_tuned(self, checkout: Resource, now: datetime) -> None:
        package(checkout, code_bytes=150 * MIB)
        tuning = Tuning.objects.create(
            organization=checkout.organization, kind="oversized_deployment", values={"info": 50}, changed_at=now
        )
        (filling,) = full(checkout.organization, now)
        assert filling.thresholds == (0.5, 0.9, 1.0)
        tuning.enabled = False
        tuning.save()
        assert full(checkout.organization, now) == []

    def test_ask_little_where_nothing_is_full(self, checkout: Resource, now: datetime) -> None:
        grown(checkout, range(1, 20))
        tuned = tunings(checkout.organization_id)
        with CaptureQueriesContext(connection) as queries:
            fillings(checkout.organization_id, tuned, now=now)
        assert len(queries) == 3


class TestIncidents:
    def test_stay_one_while_the_package_stays(self, checkout: Resource, now: datetime) -> None:
        package(checkout, code_bytes=230 * MIB)
        for minutes in range(3):
            watch(checkout.organization, now + timedelta(minutes=minutes))
        incident = Incident.objects.get()
        assert (incident.events, incident.severity, incident.state) == (1, "warning", State.OPEN)
        assert incident.title == "checkout fills 92 % of the 250 MB limit"
        assert incident.last_seen_at == now + timedelta(minutes=2)
        assert "unzipped" in incident.detail["message"]

    def test_count_every_package(self, checkout: Resource, now: datetime) -> None:
        package(checkout, age=timedelta(hours=3), code_bytes=230 * MIB)
        watch(checkout.organization, now)
        package(checkout, code_bytes=232 * MIB)
        watch(checkout.organization, now + timedelta(minutes=1))
        assert Incident.objects.get().events == 2

    def test_go_away_when_the_package_shrinks(self, checkout: Resource, now: datetime) -> None:
        package(checkout, age=timedelta(hours=3), code_bytes=230 * MIB)
        watch(checkout.organization, now)
        package(checkout, code_bytes=100 * MIB)
        later = now + timedelta(minutes=61)
        watch(checkout.organization, later)
        incidents.settle(organization_id=checkout.organization_id, now=later)
        assert Incident.objects.get().state == State.RESOLVED

    def test_open_anew_when_it_gets_worse(self, checkout: Resource, now: datetime) -> None:
        package(checkout, age=timedelta(hours=3), code_bytes=205 * MIB)
        watch(checkout.organization, now)
        package(checkout, code_bytes=230 * MIB)
        watch(checkout.organization, now + timedelta(minutes=1))
        assert list(Incident.objects.order_by("number").values_list("severity", flat=True)) == ["info", "warning"]

    def test_stay_resolved_until_there_is_another_package(self, checkout: Resource, alice: User, now: datetime) -> None:
        organization = checkout.organization
        package(checkout, age=timedelta(hours=3), code_bytes=230 * MIB)
        watch(organization, now)
        incidents.resolve(organization=organization, number=1, actor=alice, now=now + timedelta(minutes=1))
        watch(organization, now + timedelta(minutes=2))
        assert Incident.objects.get().state == State.RESOLVED
        package(checkout, code_bytes=231 * MIB)
        watch(organization, now + timedelta(minutes=3))
        assert Incident.objects.get().state == State.OPEN

    def test_come_back_when_nobody_but_time_resolved_them(self, checkout: Resource, now: datetime) -> None:
        organization = checkout.organization
        package(checkout, code_bytes=230 * MIB)
        watch(organization, now)
        later = now + timedelta(hours=2)  # Nightjar was down meanwhile.
        incidents.settle(organization_id=organization.pk, now=later)
        watch(organization, later + timedelta(minutes=1))
        assert Incident.objects.get().state == State.OPEN

    def test_come_from_the_watch(self, checkout: Resource, alice: User, now: datetime) -> None:
        package(checkout, code_bytes=251 * MIB)
        WatchCursor.objects.create(organization=checkout.organization, watched=watched(now))
        pipeline.watch(organization_id=checkout.organization_id, now=now)
        assert Incident.objects.get().severity == "critical"
        assert Notification.objects.count() == 1


def watched(now: datetime) -> dict[str, str]:
    """As after many looks: there is nothing old to learn from."""
    return {source.value: now.isoformat() for source in Source}


class TestWhatPeopleSee:
    def page(self, client: Client, alice: User, now: datetime, organization: Organization) -> str:
        watch(organization, now)
        client.force_login(alice)
        answer = client.get("/o/acme/incidents/1/")
        assert answer.status_code == 200
        return answer.content.decode()

    def test_of_a_package(self, client: Client, checkout: Resource, alice: User, now: datetime) -> None:
        was, has = [{"name": "pandas", "bytes": 40 * MIB}], [{"name": "pandas", "bytes": 51 * MIB}]
        package(checkout, age=timedelta(days=1), code_bytes=220 * MIB, dependencies=was)
        package(checkout, code_bytes=232 * MIB, version="42", dependencies=has)
        html = self.page(client, alice, now, checkout.organization)
        assert "92.8%" in html
        assert "232 MB of 250 MB" in html
        assert f"/o/acme/functions/{checkout.pk}/?tab=package" in html
        assert "+11 MB" in html
        assert "Share of calls" not in html

    def test_of_a_region(self, client: Client, acme: Organization, alice: User, now: datetime) -> None:
        told = {"code_storage_bytes": 76 * GIB, "code_storage_limit_bytes": 75 * GIB}
        Resource.objects.create(
            organization=acme, type="aws_account", arn="arn:aws:iam::123456789012:root", name="", region="",
            account="123456789012", first_seen_at=now, last_seen_at=now, config={"eu-west-1": told},
        )  # fmt: skip
        html = self.page(client, alice, now, acme)
        assert "Code storage of eu-west-1 in 123456789012 is over the limit of 75 GB: 101 %" in html
        assert "/o/acme/packages/?view=storage" in html

    def test_in_a_message(self, checkout: Resource, alice: User, now: datetime) -> None:
        package(checkout, code_bytes=240 * MIB)
        WatchCursor.objects.create(organization=checkout.organization, watched=watched(now))
        pipeline.watch(organization_id=checkout.organization_id, now=now)
        message = wording.compose(Notification.objects.get(), now=now)
        assert message.title == "checkout fills 96 % of the 250 MB limit"
        assert message.summary.startswith("240 MB of code and 0 B of layers, unzipped.")
