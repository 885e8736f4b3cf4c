"""Unhandled errors of the Node.js runtime."""

import pytest

from ingest.parsers import nodejs_errors
from tests.ingest.parsers import samples


def test_invoke_error() -> None:
    found = samples.report("nodejs/invoke_error.txt")
    assert (found.type, found.certain) == ("TypeError", True)
    assert found.message == "Cannot read properties of undefined (reading 'lines')"
    assert samples.places(found) == [
        ("/var/runtime/index.mjs", 1173, "Runtime.handleOnceNonStreaming", False),
        ("/var/task/index.mjs", 3, "Runtime.handler", True),
        ("<anonymous>", 0, "Array.map", False),
        ("/var/task/src/order.mjs", 7, "total", True),
    ]


@pytest.mark.parametrize("name", ["nodejs/uncaught_exception.txt", "nodejs/import_module.json"])
def test_import_error_is_certain_in_both_formats(name: str) -> None:
    found = samples.report(name)
    assert (found.type, found.certain) == ("Runtime.ImportModuleError", True)
    assert found.message.startswith("Error: Cannot find module 'pg'")


def test_rejection_tells_its_reason() -> None:
    found = samples.report("nodejs/unhandled_rejection.txt")
    assert (found.type, found.message) == ("PaymentError", "payment declined")
    assert [frame.own for frame in found.frames] == [False, True, False]
    assert found.frames[1].file == "/var/task/index.js"


def test_cause_is_added() -> None:
    found = samples.report("nodejs/with_cause.txt")
    assert found.message == "order failed\nCaused by: RangeError: quantity below zero"
    assert [frame.file for frame in found.frames] == ["/var/task/index.js", "/var/task/check.js"]


def test_heap_out_of_memory() -> None:
    assert samples.report("nodejs/heap.txt").type == "JavaScript heap out of memory"


@pytest.mark.parametrize("name", ["nodejs/bare.txt", "nodejs/invoke_error.json", "nodejs/logged.json"])
def test_what_a_caught_error_looks_like_too_is_not_certain(name: str) -> None:
    found = samples.report(name)
    assert not found.certain
    assert any(frame.own for frame in found.frames)


def test_bare_stack() -> None:
    found = samples.report("nodejs/bare.txt")
    assert (found.type, found.message) == ("TypeError", "fetch failed")
    assert samples.places(found)[0] == ("/var/task/index.js", 8, "handler", True)


@pytest.mark.parametrize("text", ["Invoke Error", "Invoke Error \t{not json", "Uncaught Exception []", "x\n    at y"])
def test_broken_lines_are_no_errors(text: str) -> None:
    assert nodejs_errors.parse(text) is None
