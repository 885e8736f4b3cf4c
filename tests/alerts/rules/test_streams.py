"""Advice about Kinesis streams."""

from typing import Any

import pytest

from alerts.rules.stream_behind import StreamBehind
from alerts.rules.stream_records_expire import StreamRecordsExpire
from alerts.rules.stream_shards_idle import StreamShardsIdle
from alerts.rules.stream_throttled import StreamThrottled
from alerts.rules.stream_unencrypted import StreamUnencrypted
from alerts.rules.stream_unused import StreamUnused
from tests.alerts.rules.cases import arn, case, daily, function, stream, twins

AGE = "GetRecords.IteratorAgeMilliseconds_Maximum"
HOUR_MS = 3_600_000


def busy(**values: float | tuple[float, ...]) -> Any:
    return {**stream().points, **daily(**values)}


def reader() -> Any:
    told = {"source": arn("kinesis_stream", "clicks"), "uuid": "6f1b", "enabled": True, "on_failure": "arn:aws:sqs:x"}
    return function("stats", {"event_sources": [told | {"retries": 3, "max_age_s": 3_600, "parallel": 1}]})


THROTTLED = twins(
    StreamThrottled(),
    problem=stream(points=busy(WriteProvisionedThroughputExceeded_Sum=40)),
    clean=stream(points=busy(WriteProvisionedThroughputExceeded_Sum=(900, 0, 0))),
)
EXPIRE = twins(
    StreamRecordsExpire(),
    problem=case(stream(points=busy(**{AGE: 13 * HOUR_MS})), reader()),
    clean=case(stream(config={"retention_s": 604_800}, points=busy(**{AGE: 13 * HOUR_MS})), reader()),
)
BEHIND = twins(
    StreamBehind(),
    problem=stream(points=busy(**{AGE: 90_000})),
    clean=case(stream(points=busy(**{AGE: 90_000})), reader()),
)
UNENCRYPTED = twins(StreamUnencrypted(), problem=stream(config={"encrypted": False}), clean=stream())
IDLE = twins(StreamShardsIdle(), problem=stream(config={"shards": 40}), clean=stream(config={"shards": 4}))
UNUSED = twins(
    StreamUnused(),
    problem=case(stream(points={}), function()),
    clean=stream(config={"shards": 1}, points=daily(IncomingRecords_Sum=1)),
)


def test_a_stream_on_demand_has_no_shards_to_add() -> None:
    on_demand = stream(config={"mode": "ON_DEMAND"}, points=busy(WriteProvisionedThroughputExceeded_Sum=40))
    (advice,) = case(on_demand).advice(StreamThrottled())
    assert {fix.way for fix in advice.fixes} == {"steps"}


def test_readers_at_their_limit_need_no_shards() -> None:
    (advice,) = case(stream(points=busy(ReadProvisionedThroughputExceeded_Sum=40))).advice(StreamThrottled())
    assert {fix.way for fix in advice.fixes} == {"steps"}


def test_what_idle_shards_cost() -> None:
    """80 GB a day are 0.93 MB a second: four times that is 4 shards, ten times is 10."""
    (advice,) = IDLE.problem.advice(StreamShardsIdle())
    assert advice.usd_month == pytest.approx((30 * 10.95, 36 * 10.95))
    assert "--target-shard-count 20" in advice.fixes[0].text, "AWS halves at most."


def test_unused_streams_cost_their_shards() -> None:
    (advice,) = UNUSED.problem.advice(StreamUnused())
    assert advice.usd_month == pytest.approx((21.9, 21.9))
    assert not case(stream(points={})).advice(StreamUnused()), "Nobody knows where nothing was measured."
