"""Unhandled exceptions of the Java runtime."""

import pytest

from ingest.parsers import java_errors
from tests.ingest.parsers import samples


@pytest.mark.parametrize("name", ["java/runtime_exception.txt", "java/runtime_exception.json"])
def test_exception_in_both_formats(name: str) -> None:
    found = samples.report(name)
    assert (found.type, found.message) == ("com.example.shop.StockException", "No stock for item 77")
    assert samples.places(found)[-2:] == [
        ("Handler.java", 31, "com.example.shop.Handler.handleRequest", True),
        ("Stock.java", 58, "com.example.shop.Stock.reserve", True),
    ]
    assert found.certain


def test_joined_by_carriage_returns() -> None:
    text = str(samples.load("java/runtime_exception.txt"))
    assert java_errors.parse(text.replace("\n", "\r")) == java_errors.parse(text) is not None


def test_causes_follow_innermost_last() -> None:
    found = samples.report("java/caused_by.txt")
    assert found.type == "java.lang.RuntimeException"
    assert found.message.splitlines()[1:] == [
        "Caused by: java.sql.SQLException: connection refused",
        "Caused by: java.net.ConnectException: Connection refused",
    ]
    assert [frame.function for frame in found.frames][-3:] == [
        "com.example.Database.open",
        "org.postgresql.core.PGStream.<init>",
        "sun.nio.ch.Net.pollConnect",
    ]
    assert [frame.own for frame in found.frames] == [True, True, True, False, False]


def test_class_not_found() -> None:
    assert samples.report("java/class_not_found.txt").type == "java.lang.ClassNotFoundException"


@pytest.mark.parametrize(
    ("name", "message"), [("java/heap.txt", "Java heap space"), ("java/metaspace.txt", "Metaspace")]
)
def test_out_of_memory(name: str, message: str) -> None:
    found = samples.report(name)
    assert (found.type, found.message, found.certain) == ("java.lang.OutOfMemoryError", message, True)


def test_logged_exception_is_no_fault() -> None:
    assert samples.read("java/log4j.txt") is None


def test_printed_stack_trace_may_have_been_caught() -> None:
    found = java_errors.parse("java.io.IOException: reset\n\tat com.example.Client.send(Client.java:5)\n")
    assert found is not None
    assert not found.certain
