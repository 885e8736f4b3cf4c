from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import MagicMock, patch

import pytest
from django.conf import settings
from django.utils import timezone

from alerts import pipeline, tasks
from alerts.models import Incident, Notification, WatchCursor
from alerts.watching import watch as watching
from observability.celery import app
from observability.inventory.models import Resource
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User
from tests.alerts.facts import fault


@pytest.fixture(autouse=True)
def bells() -> Iterator[MagicMock]:
    """Rings that tasks pass on, instead of a broker."""
    bells = MagicMock()
    with (
        patch.object(tasks.evaluate, "delay", bells.evaluate),
        patch.object(tasks.settle, "delay", bells.settle),
        patch.object(tasks.deliver_due, "delay", bells.deliver),
        patch.object(tasks.advise, "delay", bells.advise),
        patch.object(tasks.watch, "delay", bells.watch),
    ):
        yield bells


@pytest.fixture
def failure(acme: Organization, alice: User, checkout: Resource) -> None:
    """A failure in the real store that nobody has judged."""
    now = timezone.now()
    get_store().append([fault(organization_id=acme.pk, resource_id=checkout.pk, at=now)], now=now)


class TestEvaluateDue:
    def test_rings_once_for_an_organization_that_is_behind(
        self, acme: Organization, rival: Organization, failure: None, bells: MagicMock
    ) -> None:
        tasks.evaluate_due()
        bells.evaluate.assert_called_once_with(organization_id=acme.pk)

    def test_rings_for_nobody_when_all_is_judged(self, acme: Organization, failure: None, bells: MagicMock) -> None:
        tasks.evaluate(organization_id=acme.pk)
        tasks.evaluate_due()
        bells.evaluate.assert_not_called()


class TestEvaluate:
    def test_opens_an_incident_and_rings_for_delivery(
        self, acme: Organization, failure: None, bells: MagicMock
    ) -> None:
        tasks.evaluate(organization_id=acme.pk)
        assert Incident.objects.get().title == "ValueError: boom in checkout"
        bells.deliver.assert_called_once_with()

    def test_goes_on_while_there_is_more(self, acme: Organization, bells: MagicMock) -> None:
        with patch.object(pipeline, "evaluate", side_effect=[True, True, False]) as evaluate:
            tasks.evaluate(organization_id=acme.pk)
        assert evaluate.call_count == 3

    def test_takes_what_later_versions_may_pass(self, acme: Organization) -> None:
        tasks.evaluate(organization_id=acme.pk, reason="because")


class TestDeliverDue:
    @pytest.mark.django_db(transaction=True)
    def test_sends_a_letter(self, acme: Organization, failure: None, mailoutbox: list[object]) -> None:
        tasks.evaluate(organization_id=acme.pk)
        tasks.deliver_due()
        assert len(mailoutbox) == 1
        assert Notification.objects.get().status == Notification.Status.SENT


class TestResolveQuiet:
    def test_rings_once_for_an_organization_with_something_going_on(
        self, acme: Organization, rival: Organization, failure: None, bells: MagicMock
    ) -> None:
        tasks.evaluate(organization_id=acme.pk)
        tasks.resolve_quiet()
        bells.settle.assert_called_once_with(organization_id=acme.pk)


class TestSettle:
    def test_resolves_what_is_quiet(self, acme: Organization, failure: None) -> None:
        tasks.evaluate(organization_id=acme.pk)
        long_ago = timezone.now() - timedelta(hours=1)
        Incident.objects.update(opened_at=long_ago, last_seen_at=long_ago)
        tasks.settle(organization_id=acme.pk)
        assert Incident.objects.get().state == "resolved"


class TestSchedule:
    def test_rings_for_tasks_that_exist(self) -> None:
        rung = {str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()}
        app.loader.import_default_modules()
        assert {name for name in rung if name.startswith("alerts.")} <= set(app.tasks)

    @pytest.mark.parametrize(
        "task", [tasks.evaluate_due, tasks.evaluate, tasks.deliver_due, tasks.resolve_quiet, tasks.settle]
    )
    def test_of_rings_does_not_pile_up(self, task: object) -> None:
        assert getattr(task, "expires") <= 30  # noqa: B009  # Celery's types do not know it.
        assert getattr(task, "time_limit") < settings.VISIBILITY_TIMEOUT  # noqa: B009
        assert getattr(task, "acks_late")  # noqa: B009


class TestAdvise:
    def test_everybody_who_is_due_is_looked_at(
        self, acme: Organization, rival: Organization, alice: User, checkout: Resource, bells: MagicMock
    ) -> None:
        tasks.advise_due()
        bells.advise.assert_called_once_with(organization_id=acme.pk)
        tasks.advise(organization_id=acme.pk)
        bells.deliver.assert_called_once_with()
        tasks.advise_due()
        assert bells.advise.call_count == 1


class TestWatchDue:
    def test_rings_once_for_an_organization_that_runs_something(
        self, acme: Organization, rival: Organization, checkout: Resource, bells: MagicMock
    ) -> None:
        Resource.objects.create(
            organization=acme, type=checkout.type, arn=f"{checkout.arn}-2", name="b", region="eu-west-1", account="1",
            first_seen_at=timezone.now(), last_seen_at=timezone.now(),
        )  # fmt: skip
        tasks.watch_due()
        bells.watch.assert_called_once_with(organization_id=acme.pk)

    def test_rings_for_nobody_who_was_looked_at_this_minute(
        self, acme: Organization, checkout: Resource, bells: MagicMock
    ) -> None:
        WatchCursor.objects.create(organization=acme, watched_at=timezone.now())
        tasks.watch_due()
        bells.watch.assert_not_called()

    def test_rings_for_nobody_who_left(self, acme: Organization, checkout: Resource, bells: MagicMock) -> None:
        Resource.objects.update(gone_at=timezone.now())
        tasks.watch_due()
        bells.watch.assert_not_called()

    def test_who_waits_longest_comes_first(
        self, acme: Organization, rival: Organization, checkout: Resource, bells: MagicMock
    ) -> None:
        checkout.pk, checkout.organization = None, rival
        checkout.save()
        for organization, minutes in ((acme, 2), (rival, 5)):
            watched_at = timezone.now() - timedelta(minutes=minutes)
            WatchCursor.objects.create(organization=organization, watched_at=watched_at)
        tasks.watch_due()
        rung = [call.kwargs["organization_id"] for call in bells.watch.call_args_list]
        assert rung == [rival.pk, acme.pk]


class TestWatch:
    def test_looks_and_rings_for_delivery(self, acme: Organization, failure: None, bells: MagicMock) -> None:
        with patch.object(watching, "FIRST", timedelta(hours=1)):
            tasks.watch(organization_id=acme.pk)
        cursor = WatchCursor.objects.get()
        assert {"rollup", "point"} <= set(cursor.watched)
        assert cursor.watched_at
        bells.deliver.assert_called_once_with()

    def test_goes_on_while_there_is_more(self, acme: Organization) -> None:
        with patch.object(pipeline, "watch", side_effect=[True, True, False]) as watch:
            tasks.watch(organization_id=acme.pk)
        assert watch.call_count == 3

    def test_leaves_the_rest_to_the_next_one_in_time(self, acme: Organization) -> None:
        with (
            patch.object(pipeline, "watch", return_value=True) as watch,
            patch.object(tasks, "PATIENCE", timedelta(seconds=-1)),
        ):
            tasks.watch(organization_id=acme.pk)
        assert watch.call_count == 1

    def test_takes_what_later_versions_may_pass(self, acme: Organization) -> None:
        tasks.watch(organization_id=acme.pk, reason="because")

    @pytest.mark.parametrize("task", [tasks.watch_due, tasks.watch, tasks.advise_due, tasks.advise])
    def test_of_rings_does_not_pile_up(self, task: object) -> None:
        assert getattr(task, "expires") < 120  # noqa: B009  # The next ring comes in a minute or two.
        assert getattr(task, "time_limit") < settings.VISIBILITY_TIMEOUT  # noqa: B009
        assert getattr(task, "acks_late")  # noqa: B009
