"""Each failure once per batch, on the best evidence that the batch holds."""

import pytest

from observability.telemetry.records import FaultKind, Level, Outcome
from tests.ingest.parsers import samples
from tests.ingest.parsers.batches import (
    ID,
    OTHER,
    batch,
    done,
    faults,
    init_done,
    init_report,
    init_start,
    invocations,
    line,
    lines,
    report,
    start,
)

TRACEBACK = samples.load("python/value_error.txt")
EXCEPTIONS = [
    ("python/value_error.txt", "ValueError"),
    ("python/value_error.json", "ValueError"),
    ("python/chain.txt", "LookupError"),
    ("nodejs/invoke_error.txt", "TypeError"),
    ("nodejs/invoke_error.json", "ReferenceError"),
    ("nodejs/unhandled_rejection.txt", "PaymentError"),
    ("java/runtime_exception.txt", "com.example.shop.StockException"),
    ("java/runtime_exception.json", "com.example.shop.StockException"),
    ("dotnet/null_reference.txt", "System.NullReferenceException"),
    ("dotnet/null_reference.json", "System.NullReferenceException"),
    ("ruby/standard_error.txt", "ArgumentError"),
    ("ruby/standard_error.json", "ArgumentError"),
    ("go/error.txt", "errorString"),
    ("go/panic.txt", "runtime error"),
    ("custom/rust.txt", "panic"),
    ("custom/php.txt", "InvalidArgumentException"),
]


@pytest.mark.parametrize(("name", "type_"), EXCEPTIONS)
def test_an_exception_and_its_report_are_one_fault(name: str, type_: str) -> None:
    failing = {"status": "error", "errorType": "Function.Unknown"}
    read = batch(start(), line(samples.load(name)), done(**failing), report(**failing))  # type: ignore[arg-type]  # Words only.
    [fault] = faults(read)
    assert (fault.kind, fault.type, fault.request_id, fault.version) == (FaultKind.EXCEPTION, type_, ID, "7")
    assert fault.event_id == (1).to_bytes(16, "big")
    assert lines(read)[0].level is Level.ERROR
    assert invocations(read)[0].outcome is Outcome.ERROR


def test_tabbed_console_lines_are_looked_into() -> None:
    text = f"2026-11-23T03:00:00.123Z\t{ID}\tERROR\t{samples.load('nodejs/invoke_error.txt')}"
    [fault] = faults(batch(line(text)))
    assert (fault.type, fault.request_id) == ("TypeError", ID)
    text = f"2026-11-23T03:00:00.123Z\t{ID}\tfail\t{samples.load('dotnet/inner.txt')}"
    [fault] = faults(batch(line(text)))
    assert fault.type == "System.InvalidOperationException"


def test_evidence_alone_is_a_fault_and_the_report_of_a_later_batch_another() -> None:
    [first] = faults(batch(start(), line(TRACEBACK), done(status="error")))
    [second] = faults(batch(report(status="error")))
    assert (first.kind, second.kind) == (FaultKind.EXCEPTION, FaultKind.UNKNOWN)
    assert first.request_id == second.request_id == ID


def test_a_failing_runtime_alone_makes_no_fault() -> None:
    assert faults(batch(start(), done(status="error", errorType="Runtime.ExitError"))) == []


def test_a_failing_runtime_confirms_what_may_have_been_caught() -> None:
    node = samples.load("nodejs/invoke_error.json")
    assert [fault.type for fault in faults(batch(start(), line(node), done(status="error")))] == ["ReferenceError"]
    assert faults(batch(start(), line(node), done())) == []
    assert faults(batch(start(), line(node))) == []


@pytest.mark.parametrize("name", ["python/logged.json", "nodejs/logged.json", "dotnet/logged.json", "java/log4j.txt"])
def test_handled_errors_are_lines(name: str) -> None:
    read = batch(start(), line(samples.load(name)), done(), report())
    assert faults(read) == []
    assert lines(read)[0].level is Level.ERROR


def test_success_clears_what_was_printed() -> None:
    assert faults(batch(start(), line(TRACEBACK), done(), report())) == []
    assert faults(batch(start(), line(TRACEBACK), done())) == []


def test_timeout_and_its_line_are_one_fault() -> None:
    text = samples.load("platform/timed_out.txt")
    read = batch(start(), line(text), done(status="timeout"), report(status="timeout"))
    [fault] = faults(read)
    assert (fault.kind, fault.type) == (FaultKind.TIMEOUT, "Sandbox.Timedout")
    assert fault.message == "Task timed out after 3.00 seconds"
    assert fault.event_id == (3).to_bytes(16, "big")
    [alone] = faults(batch(line(text)))
    assert (alone.kind, alone.type, alone.message) == (fault.kind, fault.type, fault.message)


def test_out_of_memory_by_the_figures() -> None:
    failing = {"status": "error", "errorType": "Runtime.ExitError"}
    [fault] = faults(batch(start(), report(used=128, **failing)))  # type: ignore[arg-type]  # Words only.
    assert (fault.kind, fault.message) == (FaultKind.OUT_OF_MEMORY, "Used 128 MB of 128 MB")


def test_out_of_memory_by_the_platforms_words() -> None:
    killed = line(samples.load("platform/killed.txt"))
    failing = report(status="error", errorType="Runtime.ExitError", used=128)
    [fault] = faults(batch(start(), killed, failing))
    assert (fault.kind, fault.message) == (FaultKind.OUT_OF_MEMORY, "Runtime exited with error: signal: killed")
    assert faults(batch(killed))[0].kind is FaultKind.OUT_OF_MEMORY
    # With memory to spare, something else killed it.
    assert faults(batch(start(), killed, report(status="error")))[0].kind is FaultKind.EXIT


@pytest.mark.parametrize("name", ["java/heap.txt", "java/metaspace.txt", "nodejs/heap.txt", "python/memory.txt"])
def test_out_of_memory_by_the_runtimes_words(name: str) -> None:
    read = batch(start(), line(samples.load(name)), report(status="error"))
    [fault] = faults(read)
    assert fault.kind is FaultKind.OUT_OF_MEMORY
    assert invocations(read)[0].outcome is Outcome.OUT_OF_MEMORY


def test_exit() -> None:
    [fault] = faults(batch(start(), report(status="error", errorType="Runtime.ExitError")))
    assert (fault.kind, fault.type) == (FaultKind.EXIT, "Runtime.ExitError")
    [fault] = faults(batch(start(), line(samples.load("platform/exit_status.txt")), report(status="failure")))
    assert (fault.kind, fault.message) == (FaultKind.EXIT, "Runtime exited with error: exit status 129")


def test_an_exception_tells_more_than_the_exit_it_led_to() -> None:
    text = samples.load("go/panic.txt")
    exited = line(samples.load("platform/exit_status.txt"))
    for order in ([line(text), exited], [exited, line(text)]):
        [fault] = faults(batch(start(), *order, report(status="error", errorType="Runtime.ExitError")))
        assert (fault.kind, fault.type) == (FaultKind.EXCEPTION, "runtime error")


def test_nothing_known() -> None:
    [fault] = faults(batch(start(), report(status="error")))
    assert (fault.kind, fault.type, fault.message) == (FaultKind.UNKNOWN, "Runtime.Unknown", "")


def test_evidence_behind_its_report_takes_its_place() -> None:
    [fault] = faults(batch(start(), report(status="error"), line({"requestId": ID, **dict(_python_json())})))
    assert (fault.kind, fault.type) == (FaultKind.EXCEPTION, "ValueError")


def _python_json() -> dict[str, object]:
    record = samples.load("python/value_error.json")
    assert isinstance(record, dict)
    return record


def test_two_failures_are_two_faults() -> None:
    one, two = [start(), line(TRACEBACK), report(status="error")], [start(OTHER), report(OTHER, "timeout")]
    assert [(fault.request_id, fault.kind) for fault in faults(batch(*one, *two))] == [
        (ID, FaultKind.EXCEPTION),
        (OTHER, FaultKind.TIMEOUT),
    ]


def test_a_retry_that_fails_again_is_a_second_fault() -> None:
    attempt = [start(), line(TRACEBACK), report(status="error")]
    found = faults(batch(*attempt, *attempt))
    assert [fault.request_id for fault in found] == [ID, ID]
    assert len({fault.event_id for fault in found}) == 2


# The init phase ----------------------------------------------------------------------------------
IMPORT = line(samples.load("python/import_module.txt"))


def test_a_failed_init_alone() -> None:
    error = {"errorType": "Runtime.ImportModuleError"}
    [fault] = faults(batch(init_start(), IMPORT, init_done("error", **error), init_report("error", **error)))
    assert (fault.kind, fault.type, fault.request_id) == (FaultKind.INIT_ERROR, "Runtime.ImportModuleError", "")
    assert fault.event_id == (1).to_bytes(16, "big")


def test_a_failed_init_its_repetition_and_the_invocation_are_one_fault() -> None:
    first = [init_start(), IMPORT, init_done("error"), init_report("error")]
    again = [init_start("invoke"), IMPORT, init_done("error"), init_report("error")]
    [fault] = faults(batch(*first, start(), *again, done(status="error"), report(status="error")))
    assert (fault.kind, fault.type, fault.request_id) == (FaultKind.INIT_ERROR, "Runtime.ImportModuleError", ID)


def test_any_exception_of_the_init_phase_is_an_init_error() -> None:
    [fault] = faults(batch(init_start(), line(TRACEBACK), init_done("error")))
    assert (fault.kind, fault.type) == (FaultKind.INIT_ERROR, "ValueError")
    assert fault.frames


def test_an_init_that_timed_out_without_a_word() -> None:
    [fault] = faults(batch(init_start(), init_report("timeout")))
    assert (fault.kind, fault.type) == (FaultKind.INIT_ERROR, "Sandbox.Timedout")
    assert len(faults(batch(init_start(), init_report("timeout"), start(), report(status="timeout")))) == 1


def test_an_init_error_told_by_the_report_only() -> None:
    [fault] = faults(batch(start(), report(status="error", errorType="Runtime.HandlerNotFound")))
    assert fault.kind is FaultKind.INIT_ERROR


def test_an_init_that_failed_and_then_worked_is_told_beside_another_failure() -> None:
    read = batch(init_start(), IMPORT, init_done("error"), start(), line(TRACEBACK), report(status="error"))
    assert sorted((fault.kind, fault.request_id) for fault in faults(read)) == [
        (FaultKind.EXCEPTION, ID),
        (FaultKind.INIT_ERROR, ""),
    ]


def test_faults_are_bounded() -> None:
    frames = "".join(f'  File "/var/task/app.py", line {index}, in again\n' for index in range(3_000))
    text = f"[ERROR] RecursionError: {'x' * 100_000}\nTraceback (most recent call last):\n{frames}"
    [fault] = faults(batch(start(), line(text), report(status="error")))
    assert (len(fault.message), len(fault.frames)) == (8_000, 100)
    assert fault.frames[-1].line == 2_999


def test_records_of_a_failure_name_their_owner() -> None:
    [fault] = faults(batch(start(), report(status="error")))
    assert (fault.organization_id, fault.resource_id) == (1, 2)
