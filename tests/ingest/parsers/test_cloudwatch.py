"""Messages of log groups, one by one, and whole log streams of them."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.parser import Batch, Event
from ingest.parsers import cloudwatch, parse_stream
from observability.telemetry.records import Fault, FaultKind, Invocation, Level, LogLine, Outcome, Record
from tests.ingest.parsers import batches, samples
from tests.ingest.parsers.batches import DAY, FUNCTION, ID, NOW, OTHER

START = f"START RequestId: {ID} Version: 7\n"
END = f"END RequestId: {ID}\n"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 693.92 ms\tBilled Duration: 694 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 84 MB\tInit Duration: 397.68 ms\t\n"
)
PLAIN = (
    f"REPORT RequestId: {ID}\tDuration: 3003.17 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 84 MB\t\n"
)
METRICS = {
    "durationMs": 693.92,
    "billedDurationMs": 694.0,
    "memorySizeMB": 128.0,
    "maxMemoryUsedMB": 84.0,
    "initDurationMs": 397.68,
}
TIMED_OUT = f"2026-11-23T03:00:03.003Z {ID} Task timed out after 3.00 seconds\n\n"
KILLED = f"RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"
EXITED = f"RequestId: {ID} Process exited before completing request\n\n"
VERSION = "arn:aws:lambda:eu-west-1::runtime:0cdcfbdefbc5e7d3"


def stream(*messages: str) -> list[Record]:
    """The records of one log stream, a message every ten milliseconds."""
    events = [
        Event(index.to_bytes(16, "big"), DAY, NOW + timedelta(milliseconds=10 * index), "function", message)
        for index, message in enumerate(messages)
    ]
    return parse_stream(Batch(1, 2, FUNCTION, "eu-west-1", events))


def invocations(records: list[Record]) -> list[Invocation]:
    return [record for record in records if isinstance(record, Invocation)]


def faults(records: list[Record]) -> list[Fault]:
    return [record for record in records if isinstance(record, Fault)]


def lines(records: list[Record]) -> list[LogLine]:
    return [record for record in records if isinstance(record, LogLine) and record.level is not Level.PLATFORM]


@pytest.mark.parametrize(
    ("message", "type_", "record"),
    [
        (
            f"INIT_START Runtime Version: python:3.12.v38\tRuntime Version ARN: {VERSION}\n",
            "platform.initStart",
            {"phase": "init", "runtimeVersion": "python:3.12.v38", "runtimeVersionArn": VERSION},
        ),
        (START, "platform.start", {"requestId": ID, "version": "7"}),
        (f"START RequestId: {ID} Version: $LATEST", "platform.start", {"requestId": ID, "version": "$LATEST"}),
        (END, "platform.runtimeDone", {"requestId": ID}),
        (REPORT, "platform.report", {"requestId": ID, "metrics": METRICS}),
        (
            f"REPORT RequestId: {ID}\tDuration: 1 ms\tRestore Duration: 301.12 ms\tBilled Restore Duration: 4 ms\t\n",
            "platform.report",
            {"requestId": ID, "metrics": {"durationMs": 1, "restoreDurationMs": 301.12, "billedRestoreDurationMs": 4}},
        ),
        (
            f"REPORT RequestId: {ID}\tDuration: 1 ms\tStatus: timeout\n",
            "platform.report",
            {"requestId": ID, "metrics": {"durationMs": 1}, "status": "timeout"},
        ),
        (
            f"REPORT RequestId: {ID}\tDuration: 1 ms\tStatus: error\tError Type: Runtime.ExitError\n",
            "platform.report",
            {"requestId": ID, "metrics": {"durationMs": 1}, "status": "error", "errorType": "Runtime.ExitError"},
        ),
        (
            f"REPORT RequestId: {ID}\tDuration: 1 ms\t\n"
            "XRAY TraceId: 1-5e1b4151-0aa4d1b7\tSegmentId: 43b51b6a\tSampled: true\t\n",
            "platform.report",
            {
                "requestId": ID,
                "metrics": {"durationMs": 1},
                "tracing": {
                    "type": "X-Amzn-Trace-Id",
                    "value": "Root=1-5e1b4151-0aa4d1b7;Parent=43b51b6a;Sampled=1",
                },
            },
        ),
        (
            "INIT_REPORT Init Duration: 10008.62 ms\tPhase: init\tStatus: timeout\t\n",
            "platform.initReport",
            {"phase": "init", "metrics": {"durationMs": 10008.62}, "status": "timeout"},
        ),
        (
            "INIT_REPORT Init Duration: 5 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n",
            "platform.initReport",
            {"phase": "invoke", "metrics": {"durationMs": 5}, "status": "error", "errorType": "Runtime.ExitError"},
        ),
        (
            f"RESTORE_START Runtime Version: java:17.v8\tRuntime Version ARN: {VERSION}",
            "platform.restoreStart",
            {"phase": "init", "runtimeVersion": "java:17.v8", "runtimeVersionArn": VERSION},
        ),
        ("RESTORE_REPORT Restore Duration: 3.5 ms", "platform.restoreRuntimeDone", {"metrics": {"durationMs": 3.5}}),
        (TIMED_OUT, "platform.fault", TIMED_OUT),
        (KILLED, "platform.fault", KILLED),
        (EXITED, "platform.fault", EXITED),
        (
            "EXTENSION\tName: nightjar\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n",
            "platform.extension",
            {"name": "nightjar", "state": "Ready"},
        ),
        (
            "TELEMETRY\tName: nightjar\tState: Subscribed\tTypes: [Platform, Function]",
            "platform.telemetrySubscription",
            {"name": "nightjar", "state": "Subscribed"},
        ),
        (
            '{"time":"2026-11-23T03:00:00.000Z","type":"platform.start","record":{"requestId":"x","version":"7"}}',
            "platform.start",
            {"requestId": "x", "version": "7"},
        ),
    ],
)  # fmt: skip
def test_what_lambda_writes(message: str, type_: str, record: object) -> None:
    assert cloudwatch.read(message) == (type_, record)


@pytest.mark.parametrize(
    "message",
    [
        "", "START shopping", "END", "REPORT of the day: fine", "INIT_START", "INIT_REPORT\tx", "RESTORE_REPORT", "{}",
        "{", "EXTENSION", "TELEMETRY\t", "RequestId: none", '{"type":"platform.report"}',
        '{"type":"platform.x","record":"x"}',
        '{"type":"order","record":{"of":"platform."}}', "2026-11-23T03:00:00.000Z nothing", '{"type":"platform.report"',
        "the upstream said: Task timed out after 3.00 seconds",
    ],
)  # fmt: skip
def test_all_else_is_the_functions_own(message: str) -> None:
    assert cloudwatch.read(message) == ("function", message)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([START, REPORT, TIMED_OUT, KILLED, *map(str, map(samples.load, samples.NAMES))]), st.data())
def test_never_raises(message: str, data: st.DataObject) -> None:
    cut = message[: data.draw(st.integers(0, len(message)))] + data.draw(st.text(max_size=20))
    stream(START, cut, PLAIN, cut)


def test_a_stream_is_what_happened_in_one_environment() -> None:
    records = stream(
        f"INIT_START Runtime Version: python:3.12.v38\tRuntime Version ARN: {VERSION}\n",
        "importing\n",
        START,
        f"[INFO]\t2026-11-23T03:00:00.000Z\t{ID}\thello\n",
        "plain\n",
        '{"level":"WARN","message":"low","requestId":"' + ID + '"}\n',
        END,
        REPORT,
        f"START RequestId: {OTHER} Version: 7\n",
        "other\n",
    )
    [found] = invocations(records)
    assert (found.request_id, found.version, found.outcome) == (ID, "7", Outcome.SUCCESS)
    assert (found.cold_start, found.init_ms, found.duration_ms, found.billed_ms) == (True, 397.68, 693.92, 694)
    assert found.started_at == NOW + timedelta(milliseconds=20)
    assert [(one.request_id, one.level, one.message) for one in lines(records)] == [
        ("", Level.INFO, "importing"),
        (ID, Level.INFO, "hello"),
        (ID, Level.INFO, "plain"),
        (ID, Level.WARN, "low"),
        (OTHER, Level.INFO, "other"),
    ]
    assert faults(records) == []


@pytest.mark.parametrize(
    ("message", "outcome", "kind", "type_"),
    [
        (TIMED_OUT, Outcome.TIMEOUT, FaultKind.TIMEOUT, "Sandbox.Timedout"),
        (KILLED, Outcome.ERROR, FaultKind.EXIT, "Runtime.ExitError"),
        (EXITED, Outcome.ERROR, FaultKind.EXIT, "Runtime.ExitError"),
    ],
)
@pytest.mark.parametrize("behind", [False, True], ids=["before the report", "behind it"])
def test_a_report_without_status_is_judged_by_the_platforms_words(
    message: str, outcome: Outcome, kind: FaultKind, type_: str, behind: bool
) -> None:
    messages = [START, END, PLAIN, message] if behind else [START, message, END, PLAIN]
    records = stream(*messages, f"START RequestId: {OTHER} Version: 7\n", PLAIN.replace(ID, OTHER))
    failed, fine = invocations(records)
    assert (failed.outcome, fine.outcome) == (outcome, Outcome.SUCCESS)
    [fault] = faults(records)
    assert (fault.kind, fault.type, fault.request_id) == (kind, type_, ID)
    assert lines(records)[0].request_id == ID


def test_memory_that_ran_out_is_told_by_the_figures() -> None:
    [found] = invocations(records := stream(START, PLAIN.replace("84 MB", "128 MB"), KILLED))
    assert found.outcome is Outcome.OUT_OF_MEMORY
    assert [fault.kind for fault in faults(records)] == [FaultKind.OUT_OF_MEMORY]


def test_words_about_a_retry_are_not_about_the_first_try() -> None:
    records = stream(START, PLAIN, START, TIMED_OUT, PLAIN)
    assert [one.outcome for one in invocations(records)] == [Outcome.SUCCESS, Outcome.TIMEOUT]


@pytest.mark.parametrize("name", [name for name in samples.NAMES if not name.startswith("platform/")])
def test_a_report_without_status_is_judged_by_what_was_printed(name: str) -> None:
    """What a runtime prints for an unhandled error only; a program may print others itself."""
    text = (samples.ROOT / name).read_text(encoding="utf-8")
    certain = (report := samples.read(name)) is not None and report.certain
    records = stream(START, text, END, PLAIN)
    [found] = invocations(records)
    assert (found.outcome is not Outcome.SUCCESS) is certain
    assert [fault.type for fault in faults(records)] == ([report.type] if report and certain else [])
    failing = stream(START, text, END, PLAIN.rstrip() + "\tStatus: error\n")
    assert len(faults(failing)) == 1


def test_a_failed_init_and_its_invocation_are_one_fault() -> None:
    text = str(samples.load("python/import_module.txt"))
    status = "Status: error\tError Type: Runtime.ImportModuleError\n"
    init = "INIT_START Runtime Version: python:3.12.v38\n", f"INIT_REPORT Init Duration: 5 ms\tPhase: init\t{status}"
    records = stream(init[0], text, init[1], START, text, END, PLAIN.rstrip() + "\t" + status)
    [fault] = faults(records)
    assert (fault.kind, fault.type) == (FaultKind.INIT_ERROR, "Runtime.ImportModuleError")


def test_the_json_format_tells_its_status() -> None:
    start, report = (
        json.dumps({"time": "2026-11-23T03:00:00.000Z", "type": type_, "record": record})
        for type_, record in (batches.start(), batches.report(status="timeout"))
    )
    records = stream(start, '{"timestamp":"2026-11-23T03:00:00.000Z","level":"INFO","message":"hi"}', report)
    assert [one.outcome for one in invocations(records)] == [Outcome.TIMEOUT]
    assert [(one.message, one.request_id) for one in lines(records)] == [("hi", ID)]


def test_streams_name_the_version_and_in_shared_groups_the_function() -> None:
    assert cloudwatch.stream("2026/11/25/[$LATEST]8a1b2c") == ("", "$LATEST")
    assert cloudwatch.stream("2026/11/25/checkout[7]8a1b2c") == ("checkout", "7")
    assert cloudwatch.stream("my-own-stream") == ("", "")
