"""Spending that runs away is told within minutes; a burst, a rhythm and a dear function are not."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts import pipeline
from alerts.detectors.runaway import Runaway
from alerts.models import Incident, Notification
from alerts.tuning import Tunings
from alerts.watching import runaway, watch
from observability.inventory.models import Resource
from observability.tenants.models import Organization, User
from tests.alerts.watching.numbers import Course, Numbers, Runs, daily

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def calm(at: datetime) -> Runs:
    return Runs(20 * daily(at), usd=2e-6)


def after(began: datetime, then: Course) -> Course:
    return lambda at: (then if at >= began else calm)(at)


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> Numbers:
    numbers = Numbers()
    monkeypatch.setattr(pipeline, "get_store", lambda: numbers)
    monkeypatch.setattr(watch, "FIRST", timedelta(0))
    return numbers


def told(organization: Organization, numbers: Numbers, now: datetime) -> list[str]:
    found = runaway.look(organization.pk, numbers, Tunings(), now=now)  # type: ignore[arg-type]
    return [each.reason for each in found]


def test_a_loop_is_told_within_three_minutes_with_the_command(
    acme: Organization, alice: User, checkout: Resource, numbers: Numbers
) -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:again"
    checkout.config |= {"event_invoke": [{"on_success": topic}]}
    checkout.save()
    Resource.objects.create(
        organization=acme, type="sns_topic", arn=topic, config={"subscribers": [checkout.arn]},
        name="again", region="eu-west-1", account="123456789012",
        first_seen_at=BEGAN, last_seen_at=BEGAN,
    )  # fmt: skip
    numbers.functions[checkout.pk] = after(BEGAN, lambda at: Runs(30_000, usd=2e-6))
    for minutes in range(-5, 4):
        pipeline.watch(organization_id=acme.pk, now=BEGAN + minutes * MINUTE)
    incident = Incident.objects.get(kind="runaway")
    assert incident.opened_at <= BEGAN + 3 * MINUTE
    assert incident.title.startswith("checkout may be calling itself and spends $")
    assert incident.detail["loop"] == ["checkout", "again"]
    assert incident.detail["fixes"][0]["text"] == (
        "aws lambda put-function-concurrency --function-name checkout --region eu-west-1 "
        "--reserved-concurrent-executions 0"
    )
    assert [fix["name"] for fix in incident.detail["fixes"]] == ["Stop it", "Let it run again"]
    assert "delete-function-concurrency" in incident.detail["fixes"][1]["text"]
    assert Notification.objects.filter(transition__incident=incident).count() == 1


def test_it_goes_on_being_told_as_the_same_while_it_lasts(
    acme: Organization, alice: User, checkout: Resource, numbers: Numbers
) -> None:
    numbers.functions[checkout.pk] = after(BEGAN, lambda at: Runs(30_000, usd=2e-6))
    for minutes in range(0, 120, 5):
        pipeline.watch(organization_id=acme.pk, now=BEGAN + minutes * MINUTE)
    incident = Incident.objects.get(kind="runaway")
    assert incident.last_seen_at == BEGAN + 115 * MINUTE
    assert incident.reopened == 0


@pytest.mark.parametrize(
    "course",
    [
        calm,
        after(BEGAN, lambda at: Runs(2_000, usd=2e-6)),  # Much more than usual, but next to nothing in USD.
        lambda at: Runs(20_000 * daily(at), usd=4e-6),  # Dear, with a rhythm, as it always was.
        lambda at: Runs(60_000 if at.minute < 5 else 100, usd=2e-6),  # A burst at every full hour.
    ],
)
def test_what_is_usual_or_cheap_is_not_told(
    acme: Organization, checkout: Resource, numbers: Numbers, course: Course
) -> None:
    numbers.functions[checkout.pk] = course
    for minutes in (2, 4, 7, 30, 62, 300):
        assert told(acme, numbers, BEGAN + minutes * MINUTE) == []


NIGHT = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("last", [NIGHT - DAY, NIGHT - DAY - timedelta(hours=2), NIGHT - 3 * DAY, NIGHT - 7 * DAY])
def test_a_job_that_ran_some_night_of_the_week_is_not_told(
    acme: Organization, checkout: Resource, numbers: Numbers, last: datetime
) -> None:
    """It costs 1.20 USD an hour for half an hour: on time, two hours late, after a weekend, once a week."""
    nights = (last, NIGHT)
    numbers.functions[checkout.pk] = lambda at: (
        Runs(10_000, usd=2e-6) if any(night <= at < night + 30 * MINUTE for night in nights) else calm(at)
    )
    for minutes in range(1, 30, 4):
        assert told(acme, numbers, NIGHT + minutes * MINUTE) == []


@pytest.mark.parametrize(("runs", "expected"), [(10_000, 0), (50_000, 1)])
def test_of_what_never_ran_only_what_is_dear_is_told(
    acme: Organization, checkout: Resource, numbers: Numbers, runs: int, expected: int
) -> None:
    numbers.functions[checkout.pk] = lambda at: Runs(runs, usd=2e-6) if at >= BEGAN else None
    reasons = told(acme, numbers, BEGAN + 3 * MINUTE)
    assert len(reasons) == expected
    assert all("next to nothing before" in reason for reason in reasons)


def test_what_never_ran_and_calls_itself_is_told_from_the_floor_on(
    acme: Organization, checkout: Resource, numbers: Numbers
) -> None:
    checkout.config["event_invoke"] = [{"on_success": checkout.arn}]
    checkout.save()
    numbers.functions[checkout.pk] = lambda at: Runs(10_000, usd=2e-6) if at >= BEGAN else None
    assert len(told(acme, numbers, BEGAN + 3 * MINUTE)) == 1


def test_a_floor_can_be_raised_and_it_can_be_switched_off(
    acme: Organization, checkout: Resource, numbers: Numbers
) -> None:
    numbers.functions[checkout.pk] = after(BEGAN, lambda at: Runs(30_000, usd=2e-6))
    row = acme.tunings.create(kind=Runaway.kind, values={"usd_per_hour": 1000})
    now = BEGAN + 3 * MINUTE
    assert runaway.look(acme.pk, numbers, Tunings({row.kind: row}), now=now) == []  # type: ignore[arg-type]
    row.values, row.enabled = {}, False
    assert runaway.look(acme.pk, numbers, Tunings({row.kind: row}), now=now) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reserved", "verb"),
    [(None, "delete-function-concurrency"), (20, "put-function-concurrency"), (0, "delete-function-concurrency")],
)
def test_what_was_reserved_before_is_what_undoes_the_stop(checkout: Resource, reserved: int | None, verb: str) -> None:
    checkout.config["reserved_concurrency"] = reserved
    command = runaway.undo(checkout, None)
    assert command.startswith(f"aws lambda {verb} --function-name checkout --region eu-west-1")
    assert command.endswith(" 20") == (reserved == 20)


def test_once_it_is_stopped_what_was_reserved_is_still_known(checkout: Resource) -> None:
    checkout.config["reserved_concurrency"] = 20
    told = Incident(detail={"fixes": [{"text": "stop"}, {"text": runaway.undo(checkout, None)}]})
    checkout.config["reserved_concurrency"] = 0
    assert runaway.undo(checkout, told).endswith("--reserved-concurrent-executions 20")


def test_many_suspects_are_read_together(acme: Organization, checkout: Resource, numbers: Numbers) -> None:
    asked: list[int] = []
    for number in range(5):
        checkout.pk, checkout.arn = None, f"{checkout.arn}{number}"
        checkout.save()
        numbers.functions[checkout.pk] = lambda at: Runs(20_000, usd=4e-6)
    read = numbers.series_by_resource
    numbers.series_by_resource = lambda *told: asked.append(1) or read(*told)  # type: ignore[method-assign,func-returns-value]
    assert told(acme, numbers, BEGAN) == []
    assert len(asked) == 2
