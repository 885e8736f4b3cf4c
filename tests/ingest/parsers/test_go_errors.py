"""Unhandled errors and panics of Go functions."""

import pytest

from ingest.parser import ErrorReport
from ingest.parsers import go_errors
from tests.ingest.parsers import samples


@pytest.mark.parametrize("name", ["go/error.txt", "go/error.json"])
def test_returned_error(name: str) -> None:
    assert samples.report(name) == ErrorReport("errorString", "order 1042 has no lines")


def test_panic_that_the_library_caught() -> None:
    found = samples.report("go/library_panic.txt")
    assert found.type == "boundsError"
    assert samples.places(found) == [
        ("github.com/aws/aws-lambda-go@v1.47.0/lambda/handler.go", 206, "reflectHandler.func2", False),
        ("shop/main.go", 12, "handler", True),
        ("shop/order.go", 23, "(*Order).Line", True),
        ("runtime/panic.go", 115, "goPanicIndex", False),
    ]


def test_panic_of_the_process() -> None:
    found = samples.report("go/panic.txt")
    assert (found.type, found.message) == ("runtime error", "invalid memory address or nil pointer dereference")
    assert samples.places(found) == [
        ("/usr/local/go/src/reflect/value.go", 581, "reflect.Value.call", False),
        ("/build/main.go", 12, "main.handler", True),
        ("/build/order.go", 23, "main.(*Order).Total", True),
    ]


def test_panic_on_a_single_line() -> None:
    assert go_errors.parse("panic: no price [recovered]") == ErrorReport("panic", "no price")
    assert samples.report("go/deadlock.txt") == ErrorReport("fatal error", "all goroutines are asleep - deadlock!")


def test_other_fields_make_it_another_line() -> None:
    assert go_errors.parse_json({"errorMessage": "x", "errorType": "y", "level": "ERROR"}) is None
