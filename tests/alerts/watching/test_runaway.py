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
    queue = "arn:aws:sqs:eu-west-1:123456789012:again"
    checkout.config |= {"event_invoke": [{"on_success": queue}], "event_sources": [{"source": queue}]}
    checkout.save()
    Resource.objects.create(
        organization=acme, type="sqs_queue", arn=queue, name="again", region="eu-west-1", account="123456789012",
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
    assert "delete-function-concurrency" in incident.detail["message"]
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


def test_without_anything_before_the_floor_alone_decides(
    acme: Organization, checkout: Resource, numbers: Numbers
) -> None:
    numbers.functions[checkout.pk] = lambda at: Runs(20_000, usd=2e-6) if at >= BEGAN else None
    (reason,) = told(acme, numbers, BEGAN + 3 * MINUTE)
    assert "next to nothing before" in reason


def test_a_floor_can_be_raised_and_it_can_be_switched_off(
    acme: Organization, checkout: Resource, numbers: Numbers
) -> None:
    numbers.functions[checkout.pk] = after(BEGAN, lambda at: Runs(30_000, usd=2e-6))
    row = acme.tunings.create(kind=Runaway.kind, values={"usd_per_hour": 1000})
    now = BEGAN + 3 * MINUTE
    assert runaway.look(acme.pk, numbers, Tunings({row.kind: row}), now=now) == []  # type: ignore[arg-type]
    row.values, row.enabled = {}, False
    assert runaway.look(acme.pk, numbers, Tunings({row.kind: row}), now=now) == []  # type: ignore[arg-type]


def test_what_was_reserved_before_is_what_undoes_the_stop(checkout: Resource) -> None:
    checkout.config["reserved_concurrency"] = 20
    assert "--reserved-concurrent-executions 20" in runaway.reason(5.0, 0.0, (), checkout)
