"""Unhandled exceptions of the Python runtime."""

import pytest

from ingest.parser import ErrorReport
from ingest.parsers import python_errors
from observability.telemetry.records import Frame
from tests.ingest.parsers import samples

VALUE_ERROR = ErrorReport(
    "ValueError",
    "Order 1042 has no lines",
    (
        Frame("/var/task/app.py", 14, "handler", "return checkout(event)"),
        Frame("/var/task/shop/checkout.py", 42, "checkout", "raise ValueError(f\"Order {order['id']} has no lines\")"),
    ),
)


@pytest.mark.parametrize("name", ["python/value_error.txt", "python/value_error.json"])
def test_both_log_formats_tell_the_same(name: str) -> None:
    assert samples.report(name) == VALUE_ERROR


@pytest.mark.parametrize(("end", "indent"), [("\r", " "), ("\r", "\N{NO-BREAK SPACE}"), ("\r\n", " ")])
def test_line_breaks_and_indents_of_older_runtimes(end: str, indent: str) -> None:
    text = str(samples.load("python/value_error.txt"))
    lines = [indent * (len(line) - len(line.lstrip())) + line.lstrip() for line in text.split("\n")]
    assert python_errors.parse(end.join(lines)) == VALUE_ERROR


def test_library_frames_are_not_own() -> None:
    assert [frame.own for frame in samples.report("python/library_error.txt").frames] == [True, False, False]


@pytest.mark.parametrize("name", ["python/import_module.txt", "python/import_module.json"])
def test_import_error(name: str) -> None:
    found = samples.report(name)
    assert (found.type, found.frames) == ("Runtime.ImportModuleError", ())
    assert found.message == "Unable to import module 'app': No module named 'psycopg2'"


def test_handler_not_found() -> None:
    assert samples.report("python/handler_not_found.txt").type == "Runtime.HandlerNotFound"


def test_syntax_error_shows_the_line() -> None:
    found = samples.report("python/syntax_error.txt")
    assert found.frames == (Frame("/var/task/app.py", 3, "", "def handler(event, context)"),)


def test_message_of_several_lines() -> None:
    found = samples.report("python/multi_line_message.txt")
    assert found.message.splitlines()[-1] == "  value is not a valid decimal"
    assert len(found.frames) == 1


def test_exception_without_message() -> None:
    found = samples.report("python/memory.txt")
    assert (found.type, found.message) == ("MemoryError", "")


def test_chain_tells_the_cause_and_may_have_been_caught() -> None:
    found = samples.report("python/chain.txt")
    assert (found.type, found.message) == ("LookupError", "no price\nCaused by: KeyError: 'price'")
    assert found.frames[-1] == Frame("/function/app.py", 6, "load", 'raise LookupError("no price")')
    assert not found.certain


def test_logged_exceptions_are_no_faults() -> None:
    assert samples.read("python/logged.json") is None
    logged = "could not load\nTraceback (most recent call last):\n"
    assert python_errors.parse("[ERROR]\t2026-11-23T03:00:00.000Z\t\t" + logged) is None


def test_single_line() -> None:
    assert python_errors.parse("[ERROR] KeyError: 'id'") == ErrorReport("KeyError", "'id'")
    assert python_errors.parse("[ERROR] something the program printed: no") is None
