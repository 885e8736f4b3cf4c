"""Whatever arrives, parse() answers; what it does not know it leaves out."""

from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.parser import Batch, Event, FunctionInfo
from ingest.parsers import ERRORS, parse
from observability.telemetry.records import Invocation, LogLine
from tests.ingest.parsers import samples
from tests.ingest.parsers.batches import DAY, FUNCTION, ID, batch, faults, invocations, line, lines, report, start

TYPES = [
    "function", "extension", "platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.start",
    "platform.runtimeDone", "platform.report", "platform.restoreStart", "platform.restoreRuntimeDone",
    "platform.restoreReport", "platform.extension", "platform.logsDropped", "platform.telemetrySubscription",
    "platform.fault", "platform.tomorrow",
]  # fmt: skip
KEYS = [
    "requestId", "status", "errorType", "metrics", "durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB",
    "initDurationMs", "tracing", "value", "version", "phase", "level", "log_level", "message", "errorMessage",
    "stackTrace", "stack", "cause", "reason", "path", "line", "label", "droppedBytes", "name", "state", "timestamp",
]  # fmt: skip
WORDS = ["error", "timeout", "failure", "success", "ERROR", ID, "Runtime.ExitError", "Function<X>", "A.B", "at x", ""]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=40)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner),
    max_leaves=20,
)
RECORDS = (
    JSON | st.dictionaries(st.sampled_from(KEYS), JSON) | st.sampled_from([samples.load(n) for n in samples.NAMES])
)
TIMES = st.integers(86_400, 30_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
EVENTS = st.builds(Event, st.binary(min_size=16, max_size=16), st.just(DAY), TIMES, st.sampled_from(TYPES), RECORDS)
FUNCTIONS = st.sampled_from(["", "provisioned-concurrency", "lambda-managed-instances"]).map(
    lambda init_type: FunctionInfo(arn="arn:aws:lambda:eu-west-1:123456789012:function:x", init_type=init_type)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=12), FUNCTIONS)
def test_never_raises(events: list[Event], function: FunctionInfo) -> None:
    for record in parse(Batch(1, 2, function, "eu-west-1", events)):
        if isinstance(record, Invocation):
            assert 0 <= record.duration_ms <= 86_400_000
            assert 0 <= record.cost_usd < 1e9
            assert max(record.billed_ms, record.memory_mb, record.max_memory_mb) < 2**31
        elif isinstance(record, LogLine):
            assert "\0" not in record.message


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([name for name in samples.NAMES if name.endswith(".txt")]), st.data())
def test_cut_and_mixed_samples_never_raise(name: str, data: st.DataObject) -> None:
    text = str(samples.load(name))
    text = text[data.draw(st.integers(0, len(text))) : data.draw(st.integers(0, len(text)))] + data.draw(st.text())
    for dialect in ERRORS:
        dialect.parse(text)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_dialect_raises_on_objects(record: dict[str, object]) -> None:
    for dialect in ERRORS:
        dialect.parse_json(record)


def test_unknown_types_are_ignored() -> None:
    assert parse(batch(("platform.tomorrow", {"requestId": ID}), ("extension", "hello"), ("nonsense", None))) == []


def test_missing_fields() -> None:
    [found] = invocations(batch(("platform.report", {})))
    assert (found.request_id, found.memory_mb, found.duration_ms) == ("", 128, 0.0)
    assert parse(batch(("platform.report", None), ("platform.start", "x"), ("platform.start", {}))) == []


def test_the_older_schema_has_no_status_in_its_init_report() -> None:
    """2022-07-01: initReport without status, extension without errorType, function always text."""
    record = {"initializationType": "on-demand", "phase": "init", "metrics": {"durationMs": 125.33}}
    assert faults(batch(("platform.initReport", record), start(), line("hi"), report())) == []


def test_the_newer_schema_has_more_fields() -> None:
    """2025-01-29: functionName, instanceId and the like beside what was there."""
    record = {
        "initializationType": "lambda-managed-instances",
        "phase": "init",
        "runtimeVersion": "nodejs:24.v3",
        "functionName": "checkout",
        "functionVersion": "7",
        "instanceId": "i-1",
        "instanceMaxMemory": 512,
    }
    [found] = lines(batch(("platform.initStart", record)))
    assert found.message.startswith("INIT_START Runtime Version: nodejs:24.v3")


def test_aws_examples_with_slips() -> None:
    """A ``platform.start`` that calls itself ``platform.initStart`` has a request id and no runtime."""
    record = {"requestId": ID, "version": "$LATEST", "tracing": {"spanId": "x"}}
    assert len(parse(batch(("platform.initStart", record), report()))) == 3


def test_figures_that_are_none() -> None:
    wrong = {"durationMs": float("nan"), "billedDurationMs": -5, "memorySizeMB": "128", "maxMemoryUsedMB": 2**70}
    [found] = invocations(batch(report(metrics=wrong)))
    assert (found.duration_ms, found.billed_ms, found.memory_mb, found.max_memory_mb) == (0.0, 0, 128, 2**31 - 1)


def test_a_record_may_hold_text_or_anything() -> None:
    found = lines(batch(line(7), line(None), line(["a"]), line('{"broken": '), line("{}"), line("{" * 5_000 + "}")))
    assert [one.message for one in found] == ["7", "null", '["a"]', '{"broken":', "", "{" * 5_000 + "}"]


@pytest.mark.parametrize(
    "piece",
    [
        "[ERROR] X: ", "Traceback (most recent call last):\n", '  File "', "\tat a.b(", "\n   at A.B(", "\n    at f (",
        "Caused by: ", "goroutine 1\n", "panic: ", '{"errorType": "<', " Error: ", "Invoke Error {", "x: a.B\na.B\n",
        "thread 'main' panicked at '", "PHP Fatal error:  Uncaught ", "RequestId: ", "INFO ", "2026 ", "---> ",
        "(", ":",
    ],
)  # fmt: skip
def test_a_megabyte_of_anything_is_read_in_a_moment(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    before = perf_counter()
    for prefix in ("", "[ERROR] X: ", "Invoke Error ", "panic: x\n", "x: a.B\na.B: x\n", "A.B: x\n"):
        samples.find(prefix + text)
    assert perf_counter() - before < 10  # Quadratic reading would take many minutes.


def test_a_day_of_clock_skew_does_not_overflow() -> None:
    event = Event(bytes(16), DAY, datetime(1970, 1, 3, tzinfo=UTC), "platform.report", report()[1])
    [found] = [one for one in parse(Batch(1, 2, FUNCTION, "eu-west-1", [event])) if isinstance(one, Invocation)]
    assert found.started_at == event.at - timedelta(milliseconds=20.5)
