"""Who hangs together with whom, and what was measured lately."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts import lately, wiring
from alerts.rule import Subject
from observability.telemetry.records import Reading
from tests.alerts.rules.cases import NOW, arn, case, clock, daily, function, queue, topic

DEAD = arn("sqs_queue", "parked")


@pytest.mark.parametrize(
    "source",
    [
        queue(config={"dead_letter": DEAD}),
        function(config={"dead_letter": DEAD}),
        function(config={"event_invoke": [{"on_failure": DEAD}]}),
        function(config={"event_sources": [{"source": "arn", "on_failure": DEAD}]}),
        topic(config={"dead_letters": [DEAD]}),
        clock(config={"dead_letters": [DEAD]}),
    ],
    ids=["queue", "function", "asynchronous", "event source", "topic", "rule"],
)
def test_a_dead_letter_queue_is_what_anything_points_at(source: Subject) -> None:
    parked = queue("parked")
    estate = case(parked, source).estate
    assert wiring.holds_failures(estate.subjects[1], estate)
    assert [each.name for each in wiring.wiring(estate).failing[DEAD]] == [source.name]
    assert not wiring.holds_failures(parked, case(parked).estate)


@pytest.mark.parametrize(
    "name", ["orders-dlq", "OrdersDLQ", "orders_dead_letters", "dead-letter", "x-failed", "poison.q"]
)
def test_a_dead_letter_queue_is_what_is_called_so(name: str) -> None:
    assert wiring.holds_failures(queue(name), case(queue(name)).estate)


@pytest.mark.parametrize("name", ["orders", "deadline-reminders", "unfailed", "deadpool2"])
def test_others_are_not_called_so(name: str) -> None:
    assert not wiring.holds_failures(queue(name), case(queue(name)).estate)


def test_it_is_made_once_for_an_estate() -> None:
    estate = case(function(), function("refund", {"log_group": "/aws/lambda/checkout"})).estate
    made = wiring.wiring(estate)
    assert wiring.wiring(estate) is made
    (group,) = made.writers
    assert [each.name for each in made.writers[group]] == ["checkout", "refund"]
    assert wiring.wiring(replace(estate)) is not made


def test_silence_means_something_only_where_somebody_was_heard() -> None:
    silent = queue(points={})
    assert not wiring.reached(silent, case(silent).estate, days=7)
    assert wiring.reached(silent, case(silent, function()).estate, days=7)
    assert not wiring.reached(silent, case(silent, function(region="us-east-1")).estate, days=7)


def test_silence_means_nothing_once_nobody_is_heard_any_more() -> None:
    """An account that nobody may read any more, or only again since yesterday."""
    silent = queue(points={})
    counts = daily(Invocations_Sum=(1,) * 14)["Invocations", "Sum"]
    blind = function(points={("Invocations", "Sum"): counts[:6]})
    mended = function(points={("Invocations", "Sum"): [*counts[:2], counts[-1]]})
    weekdays = function(points={("Invocations", "Sum"): [*counts[:4], *counts[5:12]]})
    assert not wiring.reached(silent, case(silent, blind).estate, days=7)
    assert not wiring.reached(silent, case(silent, mended).estate, days=7)
    assert wiring.reached(silent, case(silent, weekdays).estate, days=13)


class TestLately:
    def test_takes_whole_days_and_today(self) -> None:
        midnight = NOW.replace(hour=0)
        days = [Reading(midnight - timedelta(days=back), float(back)) for back in (3, 2, 1, 0)]
        measured = queue(points={("NumberOfMessagesSent", "Sum"): [*days, Reading(NOW, None)]})
        estate = case(measured).estate
        assert lately.values(measured, "NumberOfMessagesSent", "Sum", estate, days=1) == [1.0, 0.0]
        assert lately.total(measured, "NumberOfMessagesSent", estate, days=2) == 3.0

    def test_unknown_is_not_zero(self) -> None:
        silent = queue(points=daily(Other_Sum=1))
        estate = case(silent).estate
        assert lately.total(silent, "NumberOfMessagesSent", estate, days=2) is None
        assert lately.peak(silent, "ApproximateAgeOfOldestMessage", estate, days=2) is None
        assert lately.mean(silent, "Latency", estate, days=2) is None
        assert lately.mean(queue(points=daily(Latency_Average=(1, 3))), "Latency", estate, days=2) == 2
