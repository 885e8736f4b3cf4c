"""Unhandled exceptions of the Ruby runtime."""

import json

import pytest

from ingest.parsers import ruby_errors
from tests.ingest.parsers import samples


@pytest.mark.parametrize("name", ["ruby/standard_error.txt", "ruby/standard_error.json"])
def test_exception_in_both_formats(name: str) -> None:
    found = samples.report(name)
    assert (found.type, found.message) == ("ArgumentError", "Order 1042 has no lines")
    assert samples.places(found) == [
        ("/var/task/app.rb", 5, "handler", True),
        ("/var/task/lib/checkout.rb", 12, "total", True),
    ]


def test_json_on_one_line_of_its_own() -> None:
    text = json.dumps(samples.load("ruby/standard_error.json"))
    assert ruby_errors.parse(text) == samples.report("ruby/standard_error.json")


def test_init_error_keeps_its_phase() -> None:
    found = samples.report("ruby/init.txt")
    assert found.type == "Init<LoadError>"
    assert [frame.own for frame in found.frames] == [True, False]


@pytest.mark.parametrize("text", ['"errorType" <', '{"errorType": "<"', '{"errorType": "Function<", "x": 1}'])
def test_broken_lines_are_no_errors(text: str) -> None:
    assert ruby_errors.parse(text) is None
