"""Advice about events: those that wait, those that fail, and those that nobody keeps."""

from typing import Any

import pytest

from alerts.finding import Severity
from alerts.rule import Advice, Subject
from alerts.rules.async_events_dropped import AsyncEventsDropped
from alerts.rules.dead_letters_refused import DeadLettersRefused
from alerts.rules.failure_loop import FailureLoop
from alerts.rules.iterator_age import IteratorAge
from alerts.rules.no_failure_destination import NoFailureDestination
from alerts.rules.retry_storm import RetryStorm
from alerts.rules.stream_without_destination import StreamWithoutDestination
from observability.telemetry.records import Reading
from tests.alerts.rules.cases import DAYS, arn, case, daily, function, rollup, subject, twins

STREAM, QUEUE, FAILED = arn("kinesis_stream", "clicks"), arn("sqs_queue", "orders"), arn("sqs_queue", "failed-events")
DESTINATION = [{"qualifier": "$LATEST", "retries": 2, "max_age_s": 21_600, "on_success": "", "on_failure": FAILED}]


def points(**more: float | tuple[float, ...]) -> dict[tuple[str, str], list[Reading]]:
    return daily(
        Invocations_Sum=20_000 / DAYS, Duration_Maximum=2_000, ConcurrentExecutions_Maximum=4, **more
    )  # fmt: skip


def fed(source: str, **mapping: Any) -> dict[str, Any]:
    told = {
        "source": source, "uuid": "6d68ca91-49c9", "qualifier": "$LATEST", "enabled": True, "topics": [],
        "batch_size": 100, "window_s": 0, "parallel": 1, "max_concurrency": None, "retries": 3, "filtered": False,
        "on_failure": FAILED,
    }  # fmt: skip
    return {"event_sources": [told | mapping]}


def reader(age_ms: float | tuple[float, ...], **mapping: Any) -> Subject:
    return function(config=fed(STREAM, **mapping), points=points(IteratorAge_Maximum=age_ms))


async_points = points(AsyncEventsReceived_Sum=1_000)
twins(IteratorAge(), problem=reader(90_000), clean=reader(20_000))
twins(
    NoFailureDestination(),
    problem=function(config={"event_invoke": []}, points=async_points),
    clean=function(points=async_points),
)
twins(
    StreamWithoutDestination(),
    problem=function(config=fed(STREAM, retries=-1, on_failure="")),
    clean=function(config=fed(STREAM)),
)
twins(
    AsyncEventsDropped(),
    problem=function(points=points(AsyncEventsReceived_Sum=1_000, AsyncEventsDropped_Sum=3)),
    clean=function(points=async_points),
)
twins(
    DeadLettersRefused(),
    problem=function(config={"dead_letter": FAILED}, points=points(DeadLetterErrors_Sum=2)),
    clean=function(config={"dead_letter": FAILED}),
)
twins(
    FailureLoop(),
    problem=function(config=fed(QUEUE, on_failure=QUEUE)),
    clean=function(config=fed(QUEUE)),
)
twins(
    RetryStorm(),
    problem=function(rollup=rollup(errors=9_000), points=points(AsyncEventsReceived_Sum=800)),
    clean=function(points=points(AsyncEventsReceived_Sum=1_420)),
)


class TestIteratorAge:
    def test_is_critical_after_two_hours(self) -> None:
        (advice,) = case(reader((7_300_000.0,) * 2)).advice(IteratorAge())
        assert advice.severity == Severity.CRITICAL

    def test_looks_at_the_last_days_only(self) -> None:
        assert not case(reader((9_000_000.0,) + (1_000.0,) * 4)).advice(IteratorAge())

    def test_widens_the_stream_that_lags(self) -> None:
        (advice,) = case(reader(90_000)).advice(IteratorAge())
        assert advice.fixes[-1].text == (
            "aws lambda update-event-source-mapping --region eu-west-1 \\\n  --uuid 6d68ca91-49c9 \\\n"
            "  --parallelization-factor 2"
        )

    def test_does_not_widen_what_is_as_wide_as_it_goes(self) -> None:
        (advice,) = case(reader(90_000, parallel=10)).advice(IteratorAge())
        assert [fix.way for fix in advice.fixes] == ["steps"]


class TestNoFailureDestination:
    def test_is_not_sure_of_anything_where_aws_did_not_say(self) -> None:
        silent = function(points=async_points)
        silent.config.pop("event_invoke")  # type: ignore[attr-defined]
        assert not case(silent).advice(NoFailureDestination())

    def test_knows_that_topics_call_asynchronously(self) -> None:
        called = function(config={"event_invoke": []})
        topic = subject("sns_topic", "orders", {"subscribers": [called.arn]})
        (advice,) = case(called, topic).advice(NoFailureDestination())
        assert "messages of orders" in advice.text

    def test_takes_a_dead_letter_queue_as_well(self) -> None:
        kept = function(config={"event_invoke": [], "dead_letter": FAILED}, points=async_points)
        assert not case(kept).advice(NoFailureDestination())

    def test_does_not_mind_what_is_only_called_synchronously(self) -> None:
        assert not case(function(config={"event_invoke": []})).advice(NoFailureDestination())

    def test_knows_how_often_it_is_tried(self) -> None:
        once = [DESTINATION[0] | {"retries": 0, "on_failure": ""}]
        (advice,) = case(function(config={"event_invoke": once}, points=async_points)).advice(NoFailureDestination())
        assert "fail once are thrown away" in advice.text
        assert "lambda update-function-event-invoke-config" in advice.fixes[1].text, "It keeps what is set."


class TestStreamWithoutDestination:
    def test_is_not_about_queues(self) -> None:
        assert not case(function(config=fed(QUEUE, retries=None, on_failure=""))).advice(StreamWithoutDestination())

    def test_minds_endless_retries_even_with_a_destination(self) -> None:
        (advice,) = case(function(config=fed(STREAM, retries=-1))).advice(StreamWithoutDestination())
        assert "far too late" in advice.text
        assert FAILED in advice.fixes[0].text

    def test_reads_the_name_of_a_table(self) -> None:
        table = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"
        (advice,) = case(function(config=fed(table, on_failure=""))).advice(StreamWithoutDestination())
        assert advice.topic == "orders"

    def test_stands_what_has_no_arn(self) -> None:
        kafka = fed("self-managed Kafka", retries=None, on_failure="")
        assert not case(function(config=kafka)).advice(StreamWithoutDestination())


class TestAsyncEventsDropped:
    def test_is_critical_only_where_they_are_lost(self) -> None:
        assert _dropped()[0].severity is None
        assert _dropped(event_invoke=[])[0].severity == Severity.CRITICAL
        assert _dropped(event_invoke=[], dead_letter=FAILED)[0].severity is None

    def test_forgets_what_is_over(self) -> None:
        over = points(AsyncEventsReceived_Sum=1_000, AsyncEventsDropped_Sum=(50.0,) * 5 + (0.0,) * 5)
        assert not case(function(points=over)).advice(AsyncEventsDropped())
        assert case(function(points=over)).advice(AsyncEventsDropped(), days=10)


class TestDeadLettersRefused:
    def test_lets_the_role_send(self) -> None:
        refused = function(config={"dead_letter": FAILED}, points=points(DeadLetterErrors_Sum=2))
        (advice,) = case(refused).advice(DeadLettersRefused())
        assert "iam put-role-policy" in advice.fixes[0].text
        assert "--role-name checkout" in advice.fixes[0].text
        assert FAILED in advice.fixes[0].text


class TestFailureLoop:
    def test_follows_topics_and_itself(self) -> None:
        looped = function(config={"dead_letter": arn("sns_topic", "alarms")})
        topic = subject("sns_topic", "alarms", {"subscribers": [looped.arn]})
        assert case(looped, topic).advice(FailureLoop())
        itself = function(config={"event_invoke": [DESTINATION[0] | {"on_failure": looped.arn}]})
        assert case(itself).advice(FailureLoop())

    def test_needs_the_way_back_to_be_open(self) -> None:
        assert not case(function(config=fed(QUEUE, on_failure=QUEUE, enabled=False))).advice(FailureLoop())


class TestRetryStorm:
    def test_does_not_take_synchronous_calls_for_retries(self) -> None:
        mixed = function(points=points(AsyncEventsReceived_Sum=100))
        assert not case(mixed).advice(RetryStorm())

    def test_reckons_what_retries_cost(self) -> None:
        stormy = function(rollup=rollup(errors=9_000), points=points(AsyncEventsReceived_Sum=800))
        (advice,) = case(stormy).advice(RetryStorm())
        retries = 6_000
        assert advice.usd_month is not None
        assert advice.usd_month[1] == pytest.approx(retries * rollup().cost_usd / 20_000 * 30.4 / 14)


def _dropped(**config: Any) -> list[Advice]:
    lost = points(AsyncEventsReceived_Sum=1_000, AsyncEventsDropped_Sum=30)
    return case(function(config=config, points=lost)).advice(AsyncEventsDropped())
