"""Crashes of custom runtimes."""

import pytest

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame
from tests.ingest.parsers import samples


@pytest.mark.parametrize("name", ["custom/rust.txt", "custom/rust_old.txt"])
def test_rust_panic(name: str) -> None:
    assert samples.report(name) == ErrorReport("panic", "no price for item 77", (Frame("src/main.rs", 12, ""),))


def test_php_fatal_error() -> None:
    frame = Frame("/var/task/src/Price.php", 31, "")
    assert samples.report("custom/php.txt") == ErrorReport("InvalidArgumentException", "no price", (frame,))
