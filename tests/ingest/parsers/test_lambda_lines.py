"""Where runtimes and loggers write level, request id and message."""

import pytest

from ingest.parser import Line
from ingest.parsers import lambda_json, lambda_text
from observability.telemetry.records import Level

ID = "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa"
TIME = "2026-11-23T03:00:00.123Z"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"[INFO]\t{TIME}\t{ID}\tsaved 3 orders\n", (Level.INFO, ID, "saved 3 orders", "")),
        (f"[WARNING]\t{TIME}\t{ID}\ta\tb\n", (Level.WARN, ID, "a\tb", "")),
        (f"[CRITICAL]\t{TIME}\t\tno request yet\n", (Level.FATAL, "", "no request yet", "")),
        (f"{TIME}\t{ID}\tINFO\tsaved 3 orders\n", (Level.INFO, ID, "saved 3 orders", "")),
        (f"{TIME}\tundefined\tERROR\tno request yet\n", (Level.ERROR, "", "no request yet", "")),
        (f"{TIME}\t{ID}\tfail\tcould not save\n", (Level.ERROR, ID, "could not save", "")),
        (f"{TIME}\t{ID}\tdbug\tstep\n", (Level.DEBUG, ID, "step", "")),
        (
            f"2026-11-23 03:00:00 {ID} WARN  Stock:42 - low\n",
            (Level.WARN, ID, f"2026-11-23 03:00:00 {ID} WARN  Stock:42 - low", ""),
        ),
        (
            "03:00:00,123 [main] ERROR com.example.A - no\n",
            (Level.ERROR, "", "03:00:00,123 [main] ERROR com.example.A - no", ""),
        ),
        ("[main] INFO com.example.A - yes", (Level.INFO, "", "[main] INFO com.example.A - yes", "")),
        ("WARNING: low disk", (Level.WARN, "", "WARNING: low disk", "")),
        ("[DEBUG] step", (Level.DEBUG, "", "[DEBUG] step", "")),
        ("hello", (None, "", "hello", "")),
        ("the word ERROR in a sentence", (None, "", "the word ERROR in a sentence", "")),
        ("", (None, "", "", "")),
        ("\t\n", (None, "", "", "")),
        ("[", (None, "", "[", "")),
    ],
)
def test_text(text: str, line: Line) -> None:
    assert lambda_text.read(text) == line


def test_ruby_logger() -> None:
    text = f"E, [2026-11-23T03:00:00.123456 #8] ERROR {ID} -- : no stock\n"
    assert lambda_text.read(text) == (Level.ERROR, ID, text.rstrip(), "")


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (
            {"timestamp": TIME, "level": "INFO", "message": "saved", "logger": "shop", "requestId": ID},
            (Level.INFO, ID, "saved", '{"logger":"shop"}'),
        ),
        (
            {"level": "WARNING", "location": "h:3", "message": "low", "timestamp": TIME, "function_request_id": ID},
            (Level.WARN, ID, "low", '{"location":"h:3"}'),
        ),
        ({"level": 50, "time": 1790000000000, "pid": 8, "msg": "no"}, (Level.ERROR, "", "no", '{"pid":8}')),
        ({"timestamp": TIME, "message": "x", "level": "ERROR", "AWSRequestId": ID}, (Level.ERROR, ID, "x", "")),
        (
            {"log_level": "ERROR", "errorType": "KeyError", "errorMessage": "'id'", "requestId": ID},
            (Level.ERROR, ID, "KeyError: 'id'", '{"errorType":"KeyError","errorMessage":"\'id\'"}'),
        ),
        (
            {"level": "ERROR", "requestId": ID, "message": {"errorType": "TypeError", "errorMessage": "no"}},
            (Level.ERROR, ID, "TypeError: no", '{"message":{"errorType":"TypeError","errorMessage":"no"}}'),
        ),
        (
            {"level": "INFO", "requestId": ID, "message": {"order": 7}},
            (Level.INFO, ID, '{"order":7}', '{"message":{"order":7}}'),
        ),
        ({"order": 7}, (None, "", '{"order":7}', '{"order":7}')),
        ({"level": "LOUD", "message": "x"}, (None, "", "x", '{"level":"LOUD"}')),
        ({}, (None, "", "", "")),
        ({"message": "odd", "n": "\ud800"}, (None, "", "odd", "")),
    ],
)
def test_json(record: dict[str, object], line: Line) -> None:
    assert lambda_json.read(record) == line
