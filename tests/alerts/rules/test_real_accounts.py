"""What real accounts look like: rules that would cry wolf there, and commands that would break something."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts import reconfigure
from alerts.finding import Severity
from alerts.rule import Advice, Subject
from alerts.rules.api_server_errors import ApiServerErrors
from alerts.rules.api_uncompressed import ApiUncompressed
from alerts.rules.api_unused import ApiUnused
from alerts.rules.arm64_payback import Arm64Payback
from alerts.rules.async_events_dropped import AsyncEventsDropped
from alerts.rules.cpu_bound import CpuBound
from alerts.rules.dead_letters_waiting import DeadLettersWaiting
from alerts.rules.executions_failing import ExecutionsFailing
from alerts.rules.function_not_ready import FunctionNotReady
from alerts.rules.function_url_any_origin import FunctionUrlAnyOrigin
from alerts.rules.function_url_public import FunctionUrlPublic
from alerts.rules.iterator_age import IteratorAge
from alerts.rules.logs_cost_more_than_compute import LogsCostMoreThanCompute
from alerts.rules.memory_idle import MemoryIdle
from alerts.rules.out_of_memory_seen import OutOfMemorySeen
from alerts.rules.queue_not_worked_on import QueueNotWorkedOn
from alerts.rules.retry_storm import RetryStorm
from alerts.rules.role_shared import RoleShared
from alerts.rules.stale_layer import StaleLayer
from alerts.rules.stream_records_expire import StreamRecordsExpire
from alerts.rules.stream_shards_idle import StreamShardsIdle
from alerts.rules.table_capacity_idle import TableCapacityIdle
from alerts.rules.table_throttled import TableThrottled
from alerts.rules.table_unused import TableUnused
from alerts.rules.timeouts_seen import TimeoutsSeen
from alerts.rules.topic_unencrypted import TopicUnencrypted
from alerts.rules.trigger_off import TriggerOff
from alerts.rules.unused_function import UnusedFunction
from observability.telemetry.records import Reading, Rollup
from tests.alerts.rules.cases import (
    DAYS,
    NOW,
    arn,
    case,
    daily,
    function,
    http_api,
    log_group,
    machine,
    queue,
    rest_api,
    rollup,
    stream,
    table,
    topic,
)

STREAM = arn("kinesis_stream", "clicks")
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"


def points(**more: float | tuple[float, ...]) -> dict[tuple[str, str], list[Reading]]:
    return daily(Invocations_Sum=20_000 / DAYS, Duration_Maximum=2_000, ConcurrentExecutions_Maximum=4, **more)


def fed(source: str, *, age_ms: float | tuple[float, ...] = 0, **mapping: Any) -> Subject:
    told = {"source": source, "uuid": "6d68ca91-49c9", "qualifier": "$LATEST", "enabled": True, "batch_size": 100}
    return function(config={"event_sources": [told | mapping]}, points=points(IteratorAge_Maximum=age_ms))


class TestStreamsOfTables:
    """Their ARNs end in a moment, which has colons."""

    def test_the_age_of_their_records_is_told(self) -> None:
        (advice,) = case(fed(TABLE, age_ms=90_000)).advice(IteratorAge())
        assert ("orders", "1 at a time for each shard") in advice.evidence

    def test_they_are_called_by_their_table(self) -> None:
        (advice,) = case(fed(TABLE, enabled=False)).advice(TriggerOff())
        assert advice.text.startswith("orders no longer feeds checkout")


def test_a_lower_log_level_leaves_the_reports_of_runs_and_the_log_group() -> None:
    chatty, own = log_group("/shop", {"daily_bytes": 5_000_000_000}), function(config={"log_group": "/shop"})
    (advice,) = case(chatty, own).advice(LogsCostMoreThanCompute())
    assert "LogFormat=JSON,ApplicationLogLevel=WARN,SystemLogLevel=INFO,LogGroup=/shop" in advice.fixes[0].text
    assert not any("SystemLogLevel: WARN" in fix.text or "system_log_level" in fix.text for fix in advice.fixes)


class TestHowItIsCalledAsynchronously:
    def test_nothing_is_overwritten_that_nobody_could_read(self) -> None:
        denied = function()
        denied.config.pop("event_invoke")  # type: ignore[attr-defined]
        for each in (denied, function()):
            assert "lambda update-function-event-invoke-config" in reconfigure.on_asynchronous(each).text

    def test_what_is_set_of_an_alias_is_not_that_of_the_function(self) -> None:
        for told in ([], [{"qualifier": "live", "on_failure": "arn"}]):
            fix = reconfigure.on_asynchronous(function(config={"event_invoke": told}))
            assert "lambda put-function-event-invoke-config" in fix.text


class TestOneAfterTheOther:
    """Commands in one block are pasted at once; what must wait for what came before stands alone."""

    def test_a_table_is_not_deleted_unless_its_backup_was_made(self) -> None:
        (advice,) = case(table(points={}), function()).advice(TableUnused())
        assert not any("create-backup" in fix.text and "delete-table" in fix.text for fix in advice.fixes)

    def test_failed_messages_are_not_sent_back_while_one_looks_at_them(self) -> None:
        dead = queue("orders-dlq", points=daily(ApproximateNumberOfMessagesVisible_Maximum=12))
        (advice,) = case(dead, queue(config={"dead_letter": dead.arn})).advice(DeadLettersWaiting())
        assert [fix.text.split()[2] for fix in advice.fixes[1:]] == ["receive-message", "start-message-move-task"]

    def test_only_queues_take_their_messages_back(self) -> None:
        dead = queue("orders-dlq", points=daily(ApproximateNumberOfMessagesVisible_Maximum=12))
        (advice,) = case(dead, function(config={"dead_letter": dead.arn})).advice(DeadLettersWaiting())
        assert not any("start-message-move-task" in fix.text for fix in advice.fixes)


def test_what_the_next_command_could_break_is_told_first() -> None:
    (encrypt,) = case(topic(config={"encrypted": False})).advice(TopicUnencrypted())
    assert encrypt.fixes[0].way == "steps"
    url = {"url": "https://x.lambda-url.eu-west-1.on.aws/", "qualifier": "$LATEST", "auth": "AWS_IAM"}
    (cors,) = case(function(config={"url": [url], "cors": {"$LATEST": {"origins": ["*"]}}})).advice(
        FunctionUrlAnyOrigin()
    )
    assert "get-function-url-config" in cors.fixes[0].text
    assert "AWS forgets" in cors.fixes[1].text


class TestWhatWasFollowedIsOver:
    """Runs are counted for two weeks; whoever raised a limit is not told to raise it again for so long."""

    CHANGED = NOW - timedelta(days=3)

    def test_once_no_run_takes_as_long_as_it_may_any_more(self) -> None:
        longest = (3_000.0,) * 11 + (3_000.0, 3_900.0, 4_100.0)
        raised = function(
            config={"timeout_s": 6}, rollup=rollup(timeouts=40), deployed_at=self.CHANGED,
            points=points() | daily(Duration_Maximum=longest),
        )  # fmt: skip
        assert not case(raised).advice(TimeoutsSeen())
        still = replace(raised, points=points() | daily(Duration_Maximum=(*longest[:-1], 6_000.0)))
        assert case(still).advice(TimeoutsSeen())

    def test_once_no_run_fails_any_more(self) -> None:
        failed = daily(Errors_Sum=(4.0,) * 5)
        failed = {key: [each for each in readings if each.at <= self.CHANGED] for key, readings in failed.items()}
        raised = function(
            config={"memory_mb": 1_024}, rollup=rollup(out_of_memory=8, errors=8), deployed_at=self.CHANGED,
            points=points() | failed,
        )  # fmt: skip
        assert not case(raised).advice(OutOfMemorySeen())
        assert case(replace(raised, points=points(Errors_Sum=4.0))).advice(OutOfMemorySeen())

    def test_memory_that_ran_out_is_not_called_idle(self) -> None:
        doubled = rollup(400_000, memory_mb=3_008, out_of_memory=3)
        assert not case(function(config={"memory_mb": 3_008}, rollup=doubled)).advice(MemoryIdle())


def test_one_function_is_not_told_to_have_more_memory_and_less() -> None:
    busy = daily(cpu_total_time_Sum=10_500, extension_invocations_Sum=100)
    computing = function(
        config={"memory_mb": 1_024}, rollup=rollup(4_000_000, memory_mb=1_024), points=points() | busy
    )  # fmt: skip
    assert case(computing).advice(CpuBound())
    assert not case(computing).advice(MemoryIdle())


class TestSeldomIsNotUnused:
    def unused(self, name: str, *others: Subject, **config: Any) -> list[Advice]:
        still = function(name, config=config, rollup=Rollup(), points={}, p95_ms=None, p99_ms=None)
        return case(still, function("other"), *others).advice(UnusedFunction())

    @pytest.mark.parametrize(
        "name",
        [
            "Shop-CustomS3AutoDeleteObjectsCustomResourceProvider-9xQ",
            "Shop-LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a-1aB",
            "Shop-AWS679f53fac002430cb0da5b7982bd22872D164C4C-7cD",
            "Shop-CustomCDKBucketDeployment8693BB64968944B69AAFB0-x",
            "Shop-BucketNotificationsHandler050a0587b7544547bf325f-y",
            "Shop-ProviderframeworkonEvent-framework-onEvent-z",
        ],
    )
    def test_what_only_deployments_call_is_needed_by_the_next(self, name: str) -> None:
        assert self.unused("checkout")
        assert not self.unused(name)

    def test_what_runs_at_the_edge_is_counted_elsewhere(self) -> None:
        replica = log_group("/aws/lambda/us-east-1.headers")
        assert self.unused("headers")
        assert not self.unused("headers", replica)
        x86 = function("headers", config={"architecture": "x86_64"}, rollup=rollup(2_000_000))
        assert case(x86).advice(Arm64Payback())
        assert not case(x86, replica).advice(Arm64Payback())

    def test_what_a_stack_deployed_is_deleted_by_its_template(self) -> None:
        (advice,) = self.unused("checkout", tags={"aws:cloudformation:stack-name": "shop"})
        assert not any(fix.way == "cli" for fix in advice.fixes)
        assert "template of the stack shop" in advice.fixes[-1].text


class TestCriticalWakesPeople:
    """It is for what is lost or laid open now: not for what was mended yesterday, is meant so, or is about to begin."""

    def test_a_message_that_came_a_moment_ago_is_not_forgotten(self) -> None:
        """A job that fetches its messages once a day, and a queue that was empty until now."""
        one = daily(ApproximateNumberOfMessagesVisible_Maximum=(0, 1))
        came = queue(points=one | daily(ApproximateAgeOfOldestMessage_Maximum=300))
        assert not case(came).advice(QueueNotWorkedOn())
        assert not case(queue(points=one)).advice(QueueNotWorkedOn())

    def test_a_new_reader_begins_with_the_oldest_record(self) -> None:
        day_ms = 86_400_000.0
        (advice,) = case(fed(STREAM, age_ms=(900.0, day_ms))).advice(IteratorAge())
        assert advice.severity is None
        (advice,) = case(fed(STREAM, age_ms=(day_ms, day_ms))).advice(IteratorAge())
        assert advice.severity == Severity.CRITICAL
        for ages, severity in (((900.0, day_ms), Severity.WARNING), ((day_ms, day_ms), None)):
            behind = stream(points=daily(**{"GetRecords.IteratorAgeMilliseconds_Maximum": ages}))
            (advice,) = case(behind).advice(StreamRecordsExpire())
            assert advice.severity == severity

    def test_errors_of_yesterday_are_over(self) -> None:
        over = rest_api(points=daily(Count_Sum=20_000, **{"5XXError_Sum": (9_000.0, 9_000.0, 0.0)}))
        (advice,) = case(over).advice(ApiServerErrors())
        assert advice.severity is None

    def test_a_few_errors_of_an_api_that_hardly_anybody_calls_can_wait(self) -> None:
        (advice,) = case(rest_api(points=daily(Count_Sum=20, **{"5XXError_Sum": 8}))).advice(ApiServerErrors())
        assert advice.severity is None

    def test_a_lost_event_is_told_and_many_are_critical(self) -> None:
        def dropped(number: float, **config: Any) -> Advice:
            lost = points(AsyncEventsReceived_Sum=1_000, AsyncEventsDropped_Sum=number)
            return case(function(config=config, points=lost)).advice(AsyncEventsDropped())[0]

        assert dropped(1, event_invoke=[]).severity is None
        assert dropped(10, event_invoke=[]).severity == Severity.CRITICAL

    def test_events_are_not_called_lost_where_aws_did_not_say(self) -> None:
        unknown = function(points=points(AsyncEventsReceived_Sum=1_000, AsyncEventsDropped_Sum=100))
        unknown.config.pop("event_invoke")  # type: ignore[attr-defined]
        (advice,) = case(unknown).advice(AsyncEventsDropped())
        assert advice.severity is None
        assert "where they are is not known" in advice.text

    def test_a_function_that_nobody_calls_can_wait(self) -> None:
        (advice,) = case(function(config={"state": "Failed"}, rollup=Rollup(), points={})).advice(FunctionNotReady())
        assert advice.severity == Severity.WARNING

    def test_a_public_url_may_be_meant_so(self) -> None:
        assert FunctionUrlPublic.severity == Severity.WARNING


class TestFailedMessages:
    def test_a_queue_that_a_function_reads_is_worked_on(self) -> None:
        """It may be called so, or be moved back by a function."""
        busy = daily(ApproximateNumberOfMessagesVisible_Maximum=12)
        dead = queue("payments-failed-notices", points=busy)
        assert case(dead).advice(DeadLettersWaiting())
        assert not case(dead, fed(dead.arn)).advice(DeadLettersWaiting())
        assert case(dead, fed(dead.arn, enabled=False)).advice(DeadLettersWaiting())


def test_a_layer_for_another_runtime_is_no_newer_one() -> None:
    def layered(name: str, version: int, **config: Any) -> Subject:
        layer = {"arn": f"arn:aws:lambda:eu-west-1:123456789012:layer:shared:{version}", "code_bytes": 1}
        return function(name, config={"layers": [layer], **config})

    assert case(layered("a", 3), layered("b", 7)).advice(StaleLayer())
    assert not case(layered("a", 3), layered("b", 7, runtime="python3.14")).advice(StaleLayer())
    assert not case(layered("a", 3), layered("b", 7, architecture="x86_64")).advice(StaleLayer())


def test_a_shared_role_is_told_even_where_its_first_function_is_not_watched() -> None:
    shared = [function(f"f{place}", config={"role": "arn:aws:iam::123456789012:role/all"}) for place in range(6)]
    first, second, *others = shared
    assert case(second, replace(first, watched=False), *others).advice(RoleShared())


def test_one_is_told_as_one() -> None:
    """Small accounts are told of a single message or run."""
    dead = queue("orders-dlq", points=daily(ApproximateNumberOfMessagesVisible_Maximum=1))
    assert case(dead).advice(DeadLettersWaiting())[0].text == "orders-dlq holds 1 failed message."
    failing = machine(points=daily(ExecutionsStarted_Sum=4, ExecutionsFailed_Sum=(0.0, 1.0)))
    assert case(failing).advice(ExecutionsFailing())[0].text == "1 execution of invoicing failed within two days."


def test_a_websocket_api_has_no_requests_to_count() -> None:
    silent = http_api(points={})
    assert case(silent, function()).advice(ApiUnused())
    assert not case(http_api(config={"protocol": "WEBSOCKET"}, points={}), function()).advice(ApiUnused())


def test_no_command_deploys_what_somebody_is_still_at_work_on() -> None:
    (advice,) = case(rest_api(config={"compresses_from_bytes": None})).advice(ApiUncompressed())
    assert not any("create-deployment" in fix.text for fix in advice.fixes)


def test_no_command_gives_up_events_that_nothing_keeps() -> None:
    told = points(AsyncEventsReceived_Sum=800)
    kept = function(rollup=rollup(errors=9_000), points=told)
    lost = function(config={"event_invoke": []}, rollup=rollup(errors=9_000), points=told)
    assert [len(case(each).advice(RetryStorm())[0].fixes) for each in (kept, lost)] == [2, 1]


def test_days_of_which_nothing_is_known_are_no_idle_days() -> None:
    """CloudWatch may be read since yesterday only: then capacity looks a tenth as used as it is."""
    capacity = {"billing": "PROVISIONED", "read_capacity": 100, "write_capacity": 100}
    used = daily(ConsumedReadCapacityUnits_Sum=(6e6,), ConsumedWriteCapacityUnits_Sum=(6e6,))
    assert not case(table(config=capacity, points=used)).advice(TableCapacityIdle())
    assert case(table(config=capacity, points=used), function()).advice(TableCapacityIdle())
    few = daily(IncomingRecords_Sum=(1_000.0,), IncomingBytes_Sum=(1e6,))
    assert not case(stream(config={"shards": 40}, points=few)).advice(StreamShardsIdle())


def test_a_table_that_scales_by_itself_throttles_a_little_meanwhile() -> None:
    scaling = table(config={"billing": "PROVISIONED"}, points=daily(ReadThrottleEvents_Sum=(0.0, 40.0)))
    assert not case(scaling).advice(TableThrottled())
