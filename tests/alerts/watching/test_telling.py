"""Which odd values become incidents, which stay marks, and what belongs together."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.detector import Unusual
from alerts.models import Anomaly
from alerts.watching import frames, telling
from alerts.watching.judging import Sight
from alerts.watching.series import BY_NAME
from alerts.watching.surroundings import Surroundings
from alerts.watching.telling import Rules, Teller
from observability.inventory.models import Deployment, Resource
from observability.tenants.models import User

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)
HOUR = timedelta(hours=1)
RULES = Rules(threshold=30.0, a_day=3, together=5)
FAR = 2 * RULES.threshold


def sight(resource: Resource, place: int = 0, *, metric: str = "duration_p50", surprise: float = 35.0,
          fresh: bool = True, since: datetime = NOW - HOUR) -> Sight:  # fmt: skip
    return Sight(
        resource.pk, BY_NAME[metric], since + place * STEP, 900.0, 100.0, 80.0, 120.0, surprise, 1, fresh=fresh
    )


def tell(
    resource: Resource,
    sights: Sequence[Sight],
    *,
    rules: Rules = RULES,
    now: datetime = NOW,
    around: Surroundings | None = None,
) -> list[Unusual]:
    """One look at these sights."""
    organization_id = resource.organization_id
    teller = Teller(organization_id, frames.estate(organization_id), rules, around or Surroundings(), now)
    by_step: dict[datetime, list[Sight]] = {}
    for each in sights:
        by_step.setdefault(each.at, []).append(each)
    teller.recall(min(by_step))
    for at in sorted(by_step):
        teller.take(at, by_step[at])
    return teller.finish()


def others(resource: Resource, count: int, **changed: Any) -> list[Resource]:
    made = []
    for number in range(count):
        fields = {"name": f"f{number}", "arn": f"{resource.arn}-{number}", "account": resource.account} | changed
        made.append(
            Resource.objects.create(
                organization=resource.organization,
                type=resource.type,
                region=resource.region,
                first_seen_at=NOW,
                last_seen_at=NOW,
                **fields,
            )
        )
    return made


class TestBlips:
    def test_a_single_step_stays_a_mark(self, checkout: Resource) -> None:
        assert tell(checkout, [sight(checkout)]) == []
        row = Anomaly.objects.get()
        assert (row.told, row.value, row.ended_at) == (False, 900.0, NOW - HOUR + STEP)

    def test_two_steps_are_told_in_one_look_or_in_two(self, checkout: Resource) -> None:
        tell(checkout, [sight(checkout)])
        (told,) = tell(checkout, [sight(checkout, 1, fresh=False)])
        assert (told.metric, told.started_at) == ("duration_p50", NOW - HOUR)
        assert Anomaly.objects.get().told

    def test_the_same_step_of_another_source_is_no_second_one(self, checkout: Resource) -> None:
        """CloudWatch measures later, so that one step is judged in two looks."""
        tell(checkout, [sight(checkout)])
        assert tell(checkout, [sight(checkout, metric="concurrency")]) == []
        assert len(tell(checkout, [sight(checkout, 1, metric="concurrency", fresh=False)])) == 1

    def test_what_is_far_out_is_told_at_once(self, checkout: Resource) -> None:
        assert len(tell(checkout, [sight(checkout, surprise=FAR)])) == 1

    def test_cold_starts_that_are_far_out_wait_for_a_second_step(self, checkout: Resource) -> None:
        assert tell(checkout, [sight(checkout, metric="cold_starts", surprise=FAR)]) == []
        assert len(tell(checkout, [sight(checkout, 1, metric="cold_starts", surprise=FAR)])) == 1

    def test_cold_starts_after_a_deployment_are_never_told(self, checkout: Resource) -> None:
        deployment = Deployment(pk=1, version="42", deployed_at=NOW - HOUR - STEP, changes={})
        around = Surroundings({checkout.pk: [deployment]})
        sights = [sight(checkout, place, metric="cold_starts", surprise=FAR) for place in range(4)]
        assert tell(checkout, sights, around=around) == []

    def test_what_is_not_fresh_and_goes_on_from_nothing_is_dropped(self, checkout: Resource) -> None:
        assert tell(checkout, [sight(checkout, fresh=False)]) == []
        assert not Anomaly.objects.exists()


class TestHistory:
    def test_old_news_is_only_marked(self, checkout: Resource) -> None:
        old = [sight(checkout, place, surprise=FAR, since=NOW - timedelta(hours=8)) for place in range(3)]
        assert tell(checkout, old) == []
        assert Anomaly.objects.get().told is False

    def test_what_is_told_twice_changes_nothing(self, checkout: Resource) -> None:
        sights = [sight(checkout), sight(checkout, 1)]
        (first,) = tell(checkout, sights)
        (again,) = tell(checkout, sights)
        assert first.fingerprint == again.fingerprint
        assert Anomaly.objects.count() == 1

    def test_after_some_quiet_it_is_another_one(self, checkout: Resource) -> None:
        (first,) = tell(checkout, [sight(checkout, since=NOW - 4 * HOUR, surprise=FAR)])
        (then,) = tell(checkout, [sight(checkout, surprise=FAR)])
        assert first.fingerprint != then.fingerprint
        assert Anomaly.objects.count() == 2


class TestBudget:
    def test_beyond_so_many_a_day_the_rest_are_marks(self, checkout: Resource) -> None:
        told = []
        for place, each in enumerate(others(checkout, 5)):
            told += tell(each, [sight(each, 2 * place), sight(each, 2 * place + 1)], now=NOW + HOUR)
        assert len(told) == RULES.a_day
        assert Anomaly.objects.filter(told=False).count() == 2

    def test_a_day_later_there_is_room_again(self, checkout: Resource) -> None:
        for place, each in enumerate(others(checkout, 4)):
            tell(each, [sight(each, 2 * place), sight(each, 2 * place + 1)], now=NOW + HOUR)
        later = NOW + timedelta(hours=26)
        assert tell(checkout, [sight(checkout, place, since=later - HOUR) for place in range(2)], now=later)

    def test_switched_off_nothing_is_told(self, checkout: Resource) -> None:
        off = Rules(30.0, 3, 5, on=False)
        assert tell(checkout, [sight(checkout, place, surprise=FAR) for place in range(3)], rules=off) == []


class TestTogether:
    def test_metrics_of_one_resource_are_one_incident(self, checkout: Resource) -> None:
        sights = [
            sight(checkout, place, metric=name) for place in (0, 1) for name in ("duration_p50", "errors", "cost")
        ]
        (told,) = tell(checkout, sights)
        assert [each["metric"] for each in told.detail["metrics"]][-1] == "cost"  # Others explain it.
        assert Anomaly.objects.filter(told=True).count() == 3

    def test_many_resources_of_an_account_are_one_incident_of_the_account(self, checkout: Resource) -> None:
        (told,) = tell(checkout, [sight(each, place) for each in others(checkout, 5) for place in (0, 1)])
        home = Resource.objects.get(type="aws_account")
        assert (told.resource_id, home.arn) == (home.pk, f"arn:aws:iam::{checkout.account}:root")
        assert "5 resources became unusual at once" in told.detail["title"]

    def test_who_joins_later_belongs_to_it(self, checkout: Resource) -> None:
        (first,) = tell(checkout, [sight(each, surprise=FAR) for each in others(checkout, 5)])
        (then,) = tell(checkout, [sight(checkout, 1, surprise=FAR)])
        assert first.fingerprint == then.fingerprint
        assert "6 resources" in then.detail["title"]

    def test_of_other_accounts_nothing_is_taken_together(self, checkout: Resource) -> None:
        there = others(checkout, 2) + [
            each for number in range(3) for each in others(checkout, 1, account=f"{number}", arn=f"arn:x:{number}")
        ]
        assert len(tell(checkout, [sight(each, surprise=FAR) for each in there])) == 5

    def test_of_an_outage_of_everything_an_incident_keeps_some(
        self, checkout: Resource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(telling, "NAMED", 4)
        (told,) = tell(checkout, [sight(each, surprise=FAR + each.pk) for each in others(checkout, 9)])
        assert len(told.detail["metrics"]) == 4
        assert told.detail["resources"] == 9
        assert told.detail["metrics"][0]["resource"] == "f8"  # The most unusual.


class TestFeedback:
    def test_what_was_expected_goes_on_silently(self, checkout: Resource, alice: User) -> None:
        tell(checkout, [sight(checkout)])
        Anomaly.objects.update(feedback=Anomaly.Feedback.EXPECTED)
        assert tell(checkout, [sight(checkout, 1, surprise=FAR)]) == []
        assert Anomaly.objects.get().ended_at == NOW - HOUR + 2 * STEP


def test_a_resource_that_is_gone_since_has_no_name_but_breaks_nothing(checkout: Resource) -> None:
    (gone,) = others(checkout, 1)
    tell(checkout, [sight(gone, surprise=FAR), sight(checkout, surprise=FAR)])
    Resource.objects.filter(pk=gone.pk).update(gone_at=NOW)
    assert len(tell(checkout, [sight(checkout, 1, surprise=FAR)])) == 1
