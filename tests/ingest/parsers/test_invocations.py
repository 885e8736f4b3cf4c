"""Invocations and log lines out of platform and function events: what ``telemetry_api`` reads."""

import random
from datetime import timedelta

import msgspec
import pytest

from ingest.parser import Batch
from observability.telemetry.pricing import invocation_usd, price
from observability.telemetry.records import Level, Outcome
from tests.ingest.parsers.batches import (
    DAY,
    FUNCTION,
    ID,
    NOW,
    OTHER,
    batch,
    done,
    init_start,
    invocations,
    line,
    lines,
    report,
    start,
)

TRACE = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"


def test_an_invocation_as_its_report_tells_it() -> None:
    tracing = {"type": "X-Amzn-Trace-Id", "value": TRACE}
    [found] = invocations(batch(start(), done(), report(metrics={"initDurationMs": 100.2}, tracing=tracing)))
    assert (found.organization_id, found.resource_id, found.day) == (1, 2, DAY)
    assert found.event_id == (2).to_bytes(16, "big")
    assert (found.started_at, found.request_id, found.version) == (NOW, ID, "7")
    assert (found.outcome, found.error_type, found.cold_start) == (Outcome.SUCCESS, "", True)
    assert (found.duration_ms, found.billed_ms, found.init_ms) == (20.5, 21, 100.2)
    assert (found.memory_mb, found.max_memory_mb, found.trace_id) == (128, 60, TRACE)
    assert found.cost_usd == invocation_usd(price("eu-west-1", "arm64"), billed_ms=21, memory_mb=128)


def test_without_its_start_it_began_its_duration_ago() -> None:
    [found] = invocations(batch(report()))
    assert found.started_at == NOW - timedelta(milliseconds=20.5)
    assert (found.version, found.cold_start, found.init_ms) == ("$LATEST", False, None)


def test_restoring_a_snapshot_is_a_cold_start() -> None:
    [found] = invocations(batch(report(metrics={"restoreDurationMs": 301.5, "billedRestoreDurationMs": 4})))
    assert (found.cold_start, found.init_ms) == (True, 301.5)


@pytest.mark.parametrize(("runtime", "pays"), [("python3.13", True), ("dotnet8", True), ("java21", False)])
def test_restoring_a_snapshot_has_a_price_unless_in_java(runtime: str, pays: bool) -> None:
    function = msgspec.structs.replace(FUNCTION, runtime=runtime)
    [found] = invocations(batch(report(metrics={"restoreDurationMs": 301.5}), function=function))
    assert found.cost_usd == invocation_usd(price("eu-west-1", "arm64"), billed_ms=21, memory_mb=128, restored=pays)


@pytest.mark.parametrize(("init_type", "provisioned"), [("on-demand", False), ("provisioned-concurrency", True)])
def test_what_the_environment_says_of_its_start_decides_on_the_price(init_type: str, provisioned: bool) -> None:
    wrong = "" if provisioned else "provisioned-concurrency"
    function = msgspec.structs.replace(FUNCTION, init_type=wrong)
    began = ("platform.initStart", {"initializationType": init_type, "phase": "init"})
    [found] = invocations(batch(began, start(), report(), function=function))
    rate = price("eu-west-1", "arm64", provisioned=provisioned)
    assert found.cost_usd == invocation_usd(rate, billed_ms=21, memory_mb=128)


def test_managed_instances_are_paid_by_the_request_alone() -> None:
    function = msgspec.structs.replace(FUNCTION, init_type="lambda-managed-instances")
    [found] = invocations(batch(report(), function=function))
    assert found.cost_usd == price("eu-west-1").request


def test_provisioned_concurrency_has_its_price_and_no_cold_start() -> None:
    function = msgspec.structs.replace(FUNCTION, init_type="provisioned-concurrency")
    [found] = invocations(batch(report(metrics={"initDurationMs": 100.0}), function=function))
    assert not found.cold_start
    rate = price("eu-west-1", "arm64", provisioned=True)
    assert found.cost_usd == invocation_usd(rate, billed_ms=21, memory_mb=128)


@pytest.mark.parametrize(
    ("status", "more", "outcome"),
    [
        ("success", {}, Outcome.SUCCESS),
        ("timeout", {}, Outcome.TIMEOUT),
        ("error", {}, Outcome.ERROR),
        ("failure", {}, Outcome.ERROR),
        ("error", {"errorType": "Runtime.ExitError"}, Outcome.ERROR),
        ("error", {"errorType": "Runtime.ExitError", "used": 128}, Outcome.OUT_OF_MEMORY),
        ("failure", {"used": 129}, Outcome.OUT_OF_MEMORY),
        ("error", {"errorType": "Function.Unknown", "used": 128}, Outcome.ERROR),
        ("error", {"errorType": "Runtime.OutOfMemory"}, Outcome.OUT_OF_MEMORY),
        ("success", {"used": 128}, Outcome.SUCCESS),
        ("timeout", {"used": 128}, Outcome.TIMEOUT),
    ],
)
def test_outcome(status: str, more: dict[str, object], outcome: Outcome) -> None:
    [found] = invocations(batch(report(status=status, **more)))  # type: ignore[arg-type]  # Figures and words mixed.
    assert found.outcome is outcome


def test_retries_share_the_request_id_and_stay_apart() -> None:
    found = invocations(batch(start(), report(status="error"), start(), report()))
    assert [(one.request_id, one.outcome) for one in found] == [(ID, Outcome.ERROR), (ID, Outcome.SUCCESS)]
    assert len({one.event_id for one in found}) == 2


def test_lines_belong_to_the_open_request() -> None:
    found = lines(batch(start(), line("one\n"), done(), report(), start(OTHER), line("two"), line("three")))
    assert [(one.request_id, one.message) for one in found if one.level is Level.INFO] == [
        (ID, "one"),
        (OTHER, "two"),
        (OTHER, "three"),
    ]


def test_a_batch_that_begins_in_the_middle_is_completed_by_the_first_end() -> None:
    found = lines(batch(line("one"), line("two"), done(), report(), start(OTHER), line("three")))
    assert [one.request_id for one in found if one.level is Level.INFO] == [ID, ID, OTHER]


def test_lines_of_the_init_phase_belong_to_no_request() -> None:
    found = lines(batch(init_start(), line("importing"), start(), line("running")))
    assert [(one.request_id, one.level) for one in found] == [("", Level.PLATFORM), ("", Level.INFO), (ID, Level.INFO)]


def test_without_platform_events_a_line_that_names_its_request_tells_it_for_those_that_follow() -> None:
    found = lines(batch(line("before"), line(f"[INFO]\t2026-11-23T03:00:00.000Z\t{ID}\thi\n"), line("after")))
    assert [one.request_id for one in found] == ["", ID, ID]


def test_a_line_that_names_another_request_is_believed() -> None:
    found = lines(batch(start(), line({"message": "x", "requestId": OTHER}), line("y")))
    assert [one.request_id for one in found] == [OTHER, ID]


def test_managed_instances_serve_many_requests_at_once() -> None:
    function = msgspec.structs.replace(FUNCTION, init_type="lambda-managed-instances")
    read = batch(start(), start(OTHER), line("whose?"), line({"message": "mine", "requestId": ID}), function=function)
    assert [one.request_id for one in lines(read)] == ["", ID]


@pytest.mark.parametrize("seed", range(20))
def test_attribution_does_not_depend_on_the_order_of_arrival(seed: int) -> None:
    ids = [f"{index:08d}-49c9-448d-89b8-7ca3e6dc66aa" for index in range(5)]
    raws = [raw for one in ids for raw in (start(one), line(f"a {one}"), line(f"b {one}"), done(one), report(one))]
    ordered = batch(*raws)
    events = list(ordered.events)
    random.Random(seed).shuffle(events)
    shuffled = Batch(1, 2, ordered.function, ordered.region, events)
    own = [one for one in lines(shuffled) if one.level is Level.INFO]
    assert [one.message.split()[1] for one in own] == [one.request_id for one in own]
    assert lines(shuffled) == lines(ordered)
    assert invocations(shuffled) == invocations(ordered)


def test_requests_of_several_environments_in_one_batch_are_told_by_arrival() -> None:
    one, two = batch(start(), line("a"), done(), report()), batch(start(OTHER), line("b"), done(OTHER), report(OTHER))
    both = Batch(1, 2, one.function, one.region, [*one.events, *two.events])
    assert [(own.request_id, own.message) for own in lines(both) if own.level is Level.INFO] == [
        (ID, "a"),
        (OTHER, "b"),
    ]


def test_platform_lines_help_a_reader() -> None:
    dropped = {"droppedBytes": 12345, "droppedRecords": 123, "reason": "Consumer seems to have fallen behind"}
    crashed = {"name": "vendor", "state": "Exited", "events": [], "errorType": "Extension.Crash"}
    found = lines(
        batch(
            init_start(),
            ("platform.extension", crashed),
            ("platform.extension", {"name": "nightjar", "state": "Ready", "events": ["INVOKE"]}),
            ("platform.logsDropped", dropped),
            ("platform.telemetrySubscription", {"name": "nightjar", "state": "Subscribed", "types": []}),
            report(status="timeout", metrics={"initDurationMs": 1}),
        )
    )
    assert [one.message.replace("\t", " ") for one in found] == [
        "INIT_START Runtime Version: python:3.13.v50 Runtime Version ARN:",
        "EXTENSION Name: vendor State: Exited Error Type: Extension.Crash",
        "LOGS_DROPPED 123 lines, 12345 bytes: Consumer seems to have fallen behind",
        f"REPORT RequestId: {ID} Duration: 20.50 ms Billed Duration: 21 ms Memory Size: 128 MB "
        "Max Memory Used: 60 MB Init Duration: 1.00 ms Status: timeout",
    ]
    assert {one.level for one in found} == {Level.PLATFORM}


def test_json_written_by_the_program_itself_is_read_as_json() -> None:
    text = '{"level":"WARN","message":"low","service":"shop","function_request_id":"' + ID + '"}\n'
    [found] = lines(batch(line(text)))
    assert (found.level, found.message, found.request_id) == (Level.WARN, "low", ID)
    assert found.attributes == '{"service":"shop"}'


def test_nul_never_reaches_the_store() -> None:
    [text, obj] = lines(batch(line("a\0b"), line({"message": "c\0d", "more": "e\0f"})))
    assert text.message == "a\N{REPLACEMENT CHARACTER}b"
    assert obj.message == "c\N{REPLACEMENT CHARACTER}d"
    assert "u0000" not in obj.attributes
