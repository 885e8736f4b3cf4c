"""From days of numbers to one message: what is odd is told once, with its reason, and what is healthy is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.db import connection, transaction

from alerts import pipeline, routing
from alerts.models import Anomaly, Incident, Notification, SeriesShard, WatchCursor
from alerts.watching import feedback, telling, watch
from observability.inventory.models import Deployment, Resource
from observability.tenants.models import Organization, User
from tests.alerts.watching.numbers import Course, Numbers, Runs, healthy

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)
"""A Monday afternoon."""

STEP = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> Numbers:
    numbers = Numbers()
    monkeypatch.setattr(pipeline, "get_store", lambda: numbers)
    monkeypatch.setattr(watch, "FIRST", timedelta(days=7))
    return numbers


@pytest.fixture
def pushing(checkout: Resource) -> Resource:
    checkout.pushed_at = BEGAN
    checkout.save()
    return checkout


def learn(organization: Organization, until: datetime = BEGAN) -> None:
    """Look at everything that is stored, as the first looks do."""
    while pipeline.watch(organization_id=organization.pk, now=until):
        pass


def live(organization: Organization, start: datetime, end: datetime, every: timedelta = STEP) -> None:
    """Look again and again, as the tasks do."""
    while start <= end:
        pipeline.watch(organization_id=organization.pk, now=start)
        start += every


def after(began: datetime, before: Course, then: Course) -> Course:
    return lambda at: (then if at >= began else before)(at)


def function(like: Resource, name: str) -> Resource:
    """Another one of the same account."""
    like.pk, like.name, like.arn = None, name, f"{like.arn}-{name}"
    like.save()
    return like


class TestTelling:
    def test_a_tenfold_duration_is_told_once_with_its_reason(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watch, "FIRST", timedelta(days=14))
        numbers.functions[pushing.pk] = after(BEGAN, healthy(ms=120), healthy(ms=1200))
        learn(acme)
        assert Anomaly.objects.count() == 0
        live(acme, BEGAN, BEGAN + timedelta(minutes=45))
        incident = Incident.objects.get()
        assert incident.kind == "anomaly"
        assert incident.title.startswith(("p95 duration of checkout is", "Median duration of checkout is"))
        assert "usually" in incident.title
        assert "usually" in incident.detail["message"]
        assert Notification.objects.count() == 1
        metrics = set(Anomaly.objects.values_list("metric", flat=True))
        assert {"duration_p50", "duration_p95"} <= metrics
        assert Anomaly.objects.filter(told=True).count() == len(metrics)

    def test_a_level_that_stays_is_told_once(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        numbers.functions[pushing.pk] = after(BEGAN, healthy(ms=120), healthy(ms=600))
        learn(acme)
        live(acme, BEGAN, BEGAN + timedelta(hours=60), every=HOUR)
        assert Incident.objects.count() == 1
        assert Incident.objects.get().reopened == 0
        assert Notification.objects.count() == 1

    def test_a_deployment_before_it_is_named(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        Deployment.objects.create(
            organization=acme, resource=pushing, version="42", deployed_at=BEGAN - timedelta(minutes=12),
            changes={"memory_mb": [1024, 512]},
        )  # fmt: skip
        numbers.functions[pushing.pk] = after(BEGAN, healthy(ms=120), healthy(ms=1200))
        learn(acme)
        live(acme, BEGAN, BEGAN + timedelta(minutes=20))
        assert "since v42, 12 minutes before" in Incident.objects.get().detail["message"]
        deployment = Anomaly.objects.earliest("started_at").detail["deployment"]
        assert (deployment["version"], deployment["what"]) == ("42", "Configuration changed")

    def test_a_drop_to_a_tenth_of_the_traffic_is_odd_as_well(
        self, acme: Organization, pushing: Resource, numbers: Numbers
    ) -> None:
        numbers.functions[pushing.pk] = after(BEGAN, healthy(60), healthy(3))
        learn(acme)
        live(acme, BEGAN, BEGAN + HOUR)
        row = Anomaly.objects.get(metric="invocations")
        assert row.detail["side"] == -1

    def test_many_functions_at_once_are_one_problem_of_the_account(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        names = [f"f{number}" for number in range(6)]
        for each in [pushing.pk, *(function(pushing, name).pk for name in names)]:
            numbers.functions[each] = after(BEGAN, healthy(ms=120), healthy(ms=1800))
        learn(acme)
        live(acme, BEGAN, BEGAN + timedelta(minutes=30))
        incident = Incident.objects.get()
        assert incident.resource.type == "aws_account"
        assert "7 resources became unusual at once" in incident.title
        assert incident.detail["resources"] == 7
        assert Notification.objects.count() == 1


class TestQuiet:
    def test_a_healthy_week_of_a_bursty_sparse_and_busy_function(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        numbers.functions[pushing.pk] = healthy()
        numbers.functions[function(pushing, "sparse").pk] = lambda at: Runs(0.05, 900.0)
        numbers.functions[function(pushing, "hourly").pk] = lambda at: Runs(0 if at.minute else 80, 4000.0, errors=0.01)
        learn(acme, BEGAN + timedelta(days=7))
        live(acme, BEGAN + timedelta(days=7), BEGAN + timedelta(days=8), every=HOUR)
        assert Incident.objects.count() == 0

    def test_a_gap_in_the_data_is_no_drop(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        steady = healthy(60)
        numbers.functions[pushing.pk] = lambda at: None if BEGAN <= at < BEGAN + 3 * HOUR else steady(at)
        learn(acme)
        live(acme, BEGAN, BEGAN + 5 * HOUR)
        assert Anomaly.objects.count() == 0

    def test_the_first_day_is_for_learning(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        wild = after(BEGAN - HOUR, healthy(ms=100), healthy(ms=9000))
        numbers.functions[pushing.pk] = lambda at: wild(at) if at >= BEGAN - 20 * HOUR else None
        learn(acme)
        live(acme, BEGAN, BEGAN + 2 * HOUR)
        assert Anomaly.objects.count() == 0

    def test_a_budget_keeps_the_rest_as_marks(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme.tunings.create(kind="anomaly", values={"a_day": 0})
        monkeypatch.setattr(telling, "FAR", 100)
        numbers.functions[pushing.pk] = after(BEGAN, healthy(ms=120), healthy(ms=200))
        learn(acme)
        live(acme, BEGAN, BEGAN + HOUR)
        assert set(Anomaly.objects.values_list("told", flat=True)) == {False}
        assert Incident.objects.count() == 0

    def test_what_is_far_beyond_is_told_whatever_the_budget(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        acme.tunings.create(kind="anomaly", values={"a_day": 0})
        numbers.functions[pushing.pk] = after(BEGAN, healthy(ms=120), healthy(ms=6000))
        learn(acme)
        live(acme, BEGAN, BEGAN + HOUR)
        assert set(Anomaly.objects.values_list("told", flat=True)) == {True}
        assert Incident.objects.count() == 1

    def test_switched_off_it_only_marks(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        acme.tunings.create(kind="anomaly", enabled=False)
        numbers.functions[pushing.pk] = after(BEGAN, healthy(ms=120), healthy(ms=1200))
        learn(acme)
        live(acme, BEGAN, BEGAN + HOUR)
        assert Anomaly.objects.filter(told=False).exists()
        assert Incident.objects.count() == 0


class TestPeople:
    def test_what_was_expected_is_not_told_again(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        """A nightly job that is ten times as slow: told once, then it is known."""
        nights = (BEGAN, BEGAN + timedelta(hours=26))
        healthy_, slow = healthy(ms=120), healthy(ms=700)
        numbers.functions[pushing.pk] = lambda at: (
            slow(at) if any(night <= at < night + HOUR for night in nights) else healthy_(at)
        )
        learn(acme)
        live(acme, BEGAN, BEGAN + 2 * HOUR)
        assert Incident.objects.count() == 1
        for row in Anomaly.objects.all():
            feedback.give(anomaly=row, feedback=Anomaly.Feedback.EXPECTED, actor=alice, now=BEGAN + 3 * HOUR)
        live(acme, BEGAN + 3 * HOUR, BEGAN + 25 * HOUR, every=HOUR)
        live(acme, nights[1], nights[1] + 2 * HOUR)
        assert Incident.objects.count() == 1
        assert acme.audit_entries.filter(action="anomaly.expected").count() >= 1

    def test_after_an_update_it_is_learnt_anew_and_what_was_said_counts(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        nights = (BEGAN, BEGAN + timedelta(hours=26))
        usual, slow = healthy(ms=120), healthy(ms=700)
        numbers.functions[pushing.pk] = lambda at: (
            slow(at) if any(night <= at < night + HOUR for night in nights) else usual(at)
        )
        learn(acme)
        live(acme, BEGAN, BEGAN + 2 * HOUR)
        rows = list(Anomaly.objects.all())
        for row in rows:
            feedback.give(anomaly=row, feedback=Anomaly.Feedback.EXPECTED, actor=alice, now=BEGAN + 3 * HOUR)
        SeriesShard.objects.update(format=0, states=b"of another version")
        learn(acme, BEGAN + 3 * HOUR)
        assert list(Anomaly.objects.all()) == rows  # Nothing twice.
        assert SeriesShard.objects.get().format
        live(acme, BEGAN + 4 * HOUR, BEGAN + 25 * HOUR, every=HOUR)
        live(acme, nights[1], nights[1] + 2 * HOUR)
        assert Incident.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_they_wait_for_a_look_that_is_under_way(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        """A look holds the series and then writes anomalies, so that the other way round would be a deadlock."""
        row = Anomaly.objects.create(
            organization=acme, resource=pushing, metric="cost", started_at=BEGAN, ended_at=BEGAN + STEP,
            value=1, low=0, high=0, surprise=40, reason="x",
        )  # fmt: skip
        said = Thread(target=_say, args=(row, alice))
        with transaction.atomic():
            watch.claim(acme.pk)
            said.start()
            said.join(timeout=1)
            assert said.is_alive()
            Anomaly.objects.filter(pk=row.pk).update(value=2)  # Nobody holds it.
        said.join(timeout=20)
        assert Anomaly.objects.get().feedback == Anomaly.Feedback.EXPECTED


class TestThrottles:
    def test_who_holds_the_pool_is_told_with_the_throttles(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        hungry = function(pushing, "import")
        throttled = Resource.objects.get(name="checkout")

        def points(before: float, then: float) -> Callable[[datetime], float]:
            return lambda at: then if at >= BEGAN else before

        numbers.points = {
            ("Invocations", "Sum"): {throttled.pk: points(500, 500)},
            ("Throttles", "Sum"): {throttled.pk: lambda at: 400.0 if at >= BEGAN else None},
            ("ConcurrentExecutions", "Maximum"): {throttled.pk: points(12, 12), hungry.pk: points(60, 970)},
        }
        learn(acme)
        live(acme, BEGAN, BEGAN + timedelta(minutes=40))
        row = Anomaly.objects.get(metric="throttles")
        assert row.reason.startswith("Throttled invocations are 400 in 5 minutes, usually none at this hour")
        assert "import held 970" in row.reason
        assert row.told


class TestRepeats:
    def test_killed_in_between_nothing_is_doubled(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        numbers.functions[pushing.pk] = after(BEGAN, healthy(ms=120), healthy(ms=1200))
        learn(acme)
        before = bytes(SeriesShard.objects.get().states)
        with monkeypatch.context() as patched:
            patched.setattr(routing, "route", _killed)
            with pytest.raises(KeyboardInterrupt):
                live(acme, BEGAN + timedelta(minutes=10), BEGAN + timedelta(minutes=10))
        assert bytes(SeriesShard.objects.get().states) == before
        assert (Anomaly.objects.count(), Incident.objects.count()) == (0, 0)
        live(acme, BEGAN + timedelta(minutes=10), BEGAN + timedelta(minutes=10))
        live(acme, BEGAN + timedelta(minutes=10), BEGAN + timedelta(minutes=10))
        assert Incident.objects.get().events == 1
        assert Notification.objects.count() == 1

    def test_spending_that_runs_away_is_told_before_all_that_was_missed_is_judged(
        self, acme: Organization, alice: User, pushing: Resource, numbers: Numbers
    ) -> None:
        numbers.functions[pushing.pk] = after(BEGAN, healthy(), lambda at: Runs(60_000, usd=2e-6))
        assert pipeline.watch(organization_id=acme.pk, now=BEGAN + 3 * MINUTE)  # There is more.
        assert Incident.objects.get().kind == "runaway"

    def test_after_a_long_downtime_only_the_last_hours_are_looked_at(
        self, acme: Organization, pushing: Resource, numbers: Numbers, caplog: pytest.LogCaptureFixture
    ) -> None:
        numbers.functions[pushing.pk] = healthy()
        learn(acme)
        caplog.clear()
        pipeline.watch(organization_id=acme.pk, now=BEGAN + timedelta(days=2))
        assert "watching.skipped" in caplog.text
        watched = WatchCursor.objects.get().watched["rollup"]
        assert datetime.fromisoformat(watched) > BEGAN + timedelta(days=2) - 7 * HOUR


def _say(row: Anomaly, actor: User) -> None:
    try:
        feedback.give(anomaly=row, feedback=Anomaly.Feedback.EXPECTED, actor=actor, now=BEGAN)
    finally:
        connection.close()


def _killed(**_told: object) -> None:
    raise KeyboardInterrupt
