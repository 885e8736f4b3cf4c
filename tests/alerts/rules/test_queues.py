"""Advice about SQS queues."""

import json
from datetime import timedelta
from typing import Any

from alerts.finding import Severity
from alerts.rule import Subject
from alerts.rules.dead_letters_expire_first import DeadLettersExpireFirst
from alerts.rules.dead_letters_waiting import DeadLettersWaiting
from alerts.rules.queue_abandoned import QueueAbandoned
from alerts.rules.queue_delay import QueueDelay
from alerts.rules.queue_growing import QueueGrowing
from alerts.rules.queue_in_flight import QueueInFlight
from alerts.rules.queue_not_worked_on import QueueNotWorkedOn
from alerts.rules.queue_unencrypted import QueueUnencrypted
from alerts.rules.queue_without_dead_letters import QueueWithoutDeadLetters
from alerts.rules.short_polling import ShortPolling
from alerts.rules.too_few_receives import TooFewReceives
from tests.alerts.rules.cases import NOW, arn, case, daily, function, queue, twins


def reader(source: str = "orders", name: str = "worker", **mapping: Any) -> Subject:
    """A function that reads from a queue."""
    told = {
        "source": arn("sqs_queue", source), "uuid": "6f1b", "qualifier": "$LATEST", "enabled": True, "topics": [],
        "batch_size": 10, "window_s": 0, "parallel": 1, "max_concurrency": None, "retries": None, "filtered": False,
        "on_failure": "",
    }  # fmt: skip
    return function(name, {"event_sources": [told | mapping]})


def busy(**values: float | tuple[float, ...]) -> Any:
    return {**queue().points, **daily(**values)}


DEAD = queue("orders-dlq", {"dead_letter": "", "max_receives": None, "retention_s": 1_209_600}, points={})

ABANDONED = twins(
    QueueAbandoned(),
    problem=case(queue(points=daily(ApproximateNumberOfMessagesVisible_Maximum=0)), reader()),
    clean=case(queue(), reader()),
)
GROWING = twins(
    QueueGrowing(),
    problem=case(
        queue(points=busy(ApproximateNumberOfMessagesVisible_Maximum=(300, 900, 2_077))), reader(max_concurrency=5)
    ),
    clean=queue(points=busy(ApproximateNumberOfMessagesVisible_Maximum=(900, 2_077, 1_400))),
)
DELAY = twins(
    QueueDelay(),
    problem=case(queue(points=busy(ApproximateAgeOfOldestMessage_Maximum=3_600)), reader()),
    clean=case(queue(config={"delay_s": 900}, points=busy(ApproximateAgeOfOldestMessage_Maximum=1_000)), reader()),
)
NOT_WORKED_ON = twins(
    QueueNotWorkedOn(),
    problem=case(
        queue(
            points=daily(ApproximateNumberOfMessagesVisible_Maximum=40, ApproximateAgeOfOldestMessage_Maximum=172_800)
        ),
        reader(enabled=False),
    ),
    clean=case(queue(points=busy(ApproximateNumberOfMessagesVisible_Maximum=40)), reader()),
)
WITHOUT_DEAD_LETTERS = twins(
    QueueWithoutDeadLetters(),
    problem=case(queue("orders.fifo", {"dead_letter": "", "max_receives": None, "fifo": True}), reader("orders.fifo")),
    clean=case(DEAD, queue(config={"dead_letter": DEAD.arn})),
)
WAITING = twins(
    DeadLettersWaiting(),
    problem=case(
        queue(
            "parked",
            {"dead_letter": "", "max_receives": None, "retention_s": 1_209_600},
            points=daily(ApproximateNumberOfMessagesVisible_Maximum=(0, 12)),
        ),
        queue(config={"dead_letter": arn("sqs_queue", "parked")}),
    ),
    clean=queue(
        "orders-dlq",
        {"dead_letter": "", "max_receives": None, "retention_s": 1_209_600},
        points=daily(ApproximateNumberOfMessagesVisible_Maximum=(12, 0, 0)),
    ),
)
EXPIRE_FIRST = twins(
    DeadLettersExpireFirst(),
    problem=case(
        queue("orders-dlq", {"dead_letter": "", "max_receives": None}),
        queue(config={"dead_letter": arn("sqs_queue", "orders-dlq")}),
    ),
    clean=case(DEAD, queue(config={"dead_letter": DEAD.arn})),
)
FEW_RECEIVES = twins(TooFewReceives(), problem=case(queue(config={"max_receives": 1}), reader()), clean=queue())
UNENCRYPTED = twins(QueueUnencrypted(), problem=queue(config={"encrypted": False}), clean=queue())
SHORT_POLLING = twins(
    ShortPolling(), problem=queue(config={"wait_s": 0}), clean=case(queue(config={"wait_s": 0}), reader())
)
IN_FLIGHT = twins(
    QueueInFlight(),
    problem=queue(points=busy(ApproximateNumberOfMessagesNotVisible_Maximum=110_000)),
    clean=queue(points=busy(ApproximateNumberOfMessagesNotVisible_Maximum=50_000)),
)


class TestAbandoned:
    def test_needs_days_to_tell(self) -> None:
        quiet = queue(points={}, first_seen_at=NOW - timedelta(days=3))
        assert not case(quiet, reader()).advice(QueueAbandoned())
        assert case(quiet, reader()).advice(QueueAbandoned(), days=3)

    def test_is_not_told_where_cloudwatch_told_nothing(self) -> None:
        assert not case(queue(points={})).advice(QueueAbandoned())

    def test_dead_letter_queues_are_meant_to_be_empty(self) -> None:
        failing = function(config={"dead_letter": arn("sqs_queue", "parked")})
        assert not case(queue("parked", points={}), failing).advice(QueueAbandoned())
        assert not case(queue("orders-dead", points={}), reader()).advice(QueueAbandoned())


class TestGrowing:
    def test_tells_how_to_let_more_read(self) -> None:
        (advice,) = GROWING.problem.advice(QueueGrowing())
        assert "up from 300" in advice.text
        assert "MaximumConcurrency=10" in advice.fixes[1].text

    def test_a_small_backlog_is_none(self) -> None:
        small = queue(points=busy(ApproximateNumberOfMessagesVisible_Maximum=(3, 9, 27)))
        assert not case(small).advice(QueueGrowing())
        assert case(small).advice(QueueGrowing(), messages=20)

    def test_two_days_do_not_tell(self) -> None:
        assert not case(queue(points=busy(ApproximateNumberOfMessagesVisible_Maximum=(3, 9_000)))).advice(
            QueueGrowing()
        )


class TestNotWorkedOn:
    def test_a_mapping_that_is_off_is_switched_on(self) -> None:
        (advice,) = NOT_WORKED_ON.problem.advice(QueueNotWorkedOn())
        assert ("Read by", "worker (switched off)") in advice.evidence
        assert advice.fixes[0].text.endswith("--uuid 6f1b \\\n  --enabled")

    def test_a_backlog_that_is_gone_was_worked_on(self) -> None:
        gone = queue(points=daily(ApproximateNumberOfMessagesVisible_Maximum=(40, 0)))
        assert not case(gone).advice(QueueNotWorkedOn())


def test_a_dead_letter_queue_is_of_the_same_kind() -> None:
    (advice,) = WITHOUT_DEAD_LETTERS.problem.advice(QueueWithoutDeadLetters())
    command = advice.fixes[0].text
    assert "--queue-name orders-dlq.fifo" in command
    assert '"FifoQueue": "true"' in command
    redrive = command.rpartition("--attributes '")[2].rstrip("'")
    assert json.loads(json.loads(redrive)["RedrivePolicy"])["deadLetterTargetArn"].endswith(":orders-dlq.fifo")


def test_failed_messages_tell_where_they_come_from() -> None:
    (advice,) = WAITING.problem.advice(DeadLettersWaiting())
    assert ("Come from", "orders") in advice.evidence
    assert not WAITING.problem.advice(DeadLettersWaiting(), messages=13)


def test_a_fifo_queue_begins_counting_anew() -> None:
    dead = queue("orders-dlq.fifo", {"dead_letter": "", "fifo": True})
    assert not case(dead, queue("orders.fifo", {"dead_letter": dead.arn})).advice(DeadLettersExpireFirst())


def test_how_many_tries_are_enough_can_be_tuned() -> None:
    assert case(queue(config={"max_receives": 4})).advice(TooFewReceives(), tries=5)
    assert not case(queue(config={"max_receives": 4})).advice(TooFewReceives())


def test_polling_costs_at_most_what_a_busy_loop_does() -> None:
    (advice,) = SHORT_POLLING.problem.advice(ShortPolling())
    assert advice.usd_month is not None
    assert advice.usd_month[0] == 0
    assert round(advice.usd_month[1], 2) == 10.37
    assert ShortPolling.severity is Severity.INFO
