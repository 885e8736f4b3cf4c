from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from alerts import outcomes
from alerts.models import Insight
from alerts.outcomes import Told, told
from alerts.rule import Measure
from observability.inventory.models import Package, Resource
from observability.telemetry.records import Invocation, Record
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.alerts.estate import digest, good_run
from tests.alerts.facts import NOW
from tests.alerts.pretend import RULE, TooMuchMemory, look

DAY = timedelta(days=1)


def runs(resource: Resource, since: datetime, count: int, *, days: float = 1, **fields: Any) -> list[Record]:
    """So many runs, spread over so many days."""
    found: list[Record] = []
    for place in range(count):
        run = good_run(resource, since + place * (days * DAY / count))
        assert isinstance(run, Invocation)
        found.append(replace(run, event_id=digest(resource.pk, since, place), day=run.started_at.date(), **fields))
    return found


@pytest.fixture
def fix(
    acme: Organization, checkout: Resource, monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[Record], list[Record], float], Insight]:
    """What comes of advice that was followed at ``NOW``, so many days later."""

    def fix(before: list[Record], after: list[Record], days: float) -> Insight:
        checkout.first_seen_at = NOW - 10 * DAY
        checkout.config["memory_mb"] = 2_048
        checkout.save()
        get_store().append(before, now=NOW)
        look(acme, NOW, monkeypatch)
        checkout.config["memory_mb"] = 256
        checkout.save()
        look(acme, NOW + timedelta(minutes=10), monkeypatch)
        get_store().append(after, now=NOW + days * DAY)
        look(acme, NOW + days * DAY, monkeypatch)
        return Insight.objects.get()

    return fix


Fix = Callable[[list[Record], list[Record], float], Insight]


class TestSettle:
    def test_money_is_measured_at_the_traffic_of_before(self, checkout: Resource, fix: Fix) -> None:
        """A hundred runs a day for a cent each; afterwards half as many, for half a cent each."""
        found = fix(
            runs(checkout, NOW - 10 * DAY, 1_000, days=10, cost_usd=0.01),
            runs(checkout, NOW + DAY / 24, 200, days=3.9, cost_usd=0.005),
            4,
        )
        assert found.outcome["usd_month"] == pytest.approx(0.005 * 100 * 30.4, rel=0.05)
        assert found.before["usd_per_day"] == pytest.approx(1.0, rel=0.05)
        words = told(found, RULE)
        assert words.text.startswith("Saved $1")
        assert words.text.endswith("a month. Advised were $10.00 to $20.00.")
        assert words.tone == "better"

    def test_it_waits_until_there_is_enough(self, checkout: Resource, fix: Fix) -> None:
        found = fix(
            runs(checkout, NOW - 10 * DAY, 100, days=10), runs(checkout, NOW + DAY / 24, 200, days=1.9), 2
        )  # fmt: skip
        assert (found.state, found.outcome) == ("fixed", {})
        assert told(found, RULE).text == "Measured once it has run for three days or 1,000 times."

    def test_a_thousand_runs_are_enough(self, checkout: Resource, fix: Fix) -> None:
        found = fix(runs(checkout, NOW - 10 * DAY, 100, days=10), runs(checkout, NOW + DAY / 24, 1_000, days=0.5), 1)
        assert told(found, RULE).text == "Nothing changed: it costs what it did. Advised were $10.00 to $20.00."

    def test_what_never_runs_again_is_not_measured(self, checkout: Resource, fix: Fix) -> None:
        assert fix(runs(checkout, NOW - 10 * DAY, 100, days=10), [], 5).outcome == {}

    def test_what_was_kept_ready_costs_without_a_run(
        self, acme: Organization, checkout: Resource, fix: Fix, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ten environments of 2 GB, around the clock: 10 * 2 * 86,400 s at the price of a GB-second on arm64."""
        checkout.config |= {"provisioned": [{"qualifier": "prod", "requested": 10}]}
        fix([], [], 1 / 24)
        checkout.config["provisioned"] = []
        checkout.save()
        look(acme, NOW + 4 * DAY, monkeypatch)
        found = Insight.objects.get()
        assert found.before["usd_per_day"] == pytest.approx(10 * 2 * 86_400 * 0.0000037168)
        assert found.outcome["usd_month"] == pytest.approx(found.before["usd_per_day"] * 30.4)

    def test_a_package_is_measured_at_once(
        self, acme: Organization, checkout: Resource, fix: Fix, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(TooMuchMemory, "measure", Measure.PACKAGE)
        sizes = {"organization": acme, "resource": checkout, "source": "archive", "measured_at": NOW}
        Package.objects.create(**sizes, digest="a", code_bytes=200 << 20, layers_bytes=40 << 20, deployed_at=NOW - DAY)
        first = fix([], [], 1 / 12)
        Package.objects.create(**sizes, digest="b", code_bytes=120 << 20, layers_bytes=0, deployed_at=NOW)
        assert first.before == {"package_bytes": 240 << 20}
        assert told(first, RULE).text == "Nothing changed: the package is 240 MB."


def insight(before: dict[str, float], outcome: dict[str, Any], **fields: Any) -> Insight:
    return Insight(before=before, outcome=outcome, **fields)


@pytest.mark.parametrize(
    ("measure", "before", "after", "words", "tone"),
    [
        (Measure.DURATION, 4_100.0, 900.0, "p95 went from 4.10 s to 900 ms.", "better"),
        (Measure.DURATION, 900.0, 4_100.0, "p95 went from 900 ms to 4.10 s.", "worse"),
        (Measure.ERRORS, 0.12, 0.004, "The error rate went from 12.0% to 0.40%.", "better"),
        (Measure.ERRORS, 0.12, 0.12, "Nothing changed: the error rate is 12.0%.", ""),
        (Measure.COLD_STARTS, 120_000.0, 40_000.0,
         "Time spent in cold starts a day went from 2.0 min to 40.00 s.", "better"),
        (Measure.PACKAGE, 240 << 20, 120 << 20, "The package went from 240 MB to 120 MB.", "better"),
    ],
)  # fmt: skip
def test_every_measure_has_its_sentence(
    measure: Measure, before: float, after: float, words: str, tone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TooMuchMemory, "measure", measure)
    assert told(insight({measure.value: before}, {measure.value: after}), RULE) == Told(words, tone)


def test_money_can_be_lost_as_well() -> None:
    row = insight({"usd_per_day": 1.0}, {"usd_per_day": 2.0, "usd_month": -30.4})
    assert told(row, RULE) == Told("It costs $30.40 a month more.", "worse")


def test_what_is_gone_or_has_no_measure_is_just_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(insight({}, {"gone": True}), RULE).text == "It was deleted."
    assert told(insight({}, {}), RULE).text == "It is no longer found."


def test_a_span_of_one_amount_is_told_once() -> None:
    assert (outcomes.span(10, 20), outcomes.span(10, 10)) == ("$10.00 to $20.00", "$10.00")
    assert outcomes.span(0, 20) == "up to $20.00"
