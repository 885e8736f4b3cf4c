"""Lines of the JSON log format, as the runtimes, Powertools and structured loggers write them.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

import msgspec

from ingest.parser import LEVELS, Line
from observability.telemetry.records import Level

_NUMBERS = {10: Level.TRACE, 20: Level.DEBUG, 30: Level.INFO, 40: Level.WARN, 50: Level.ERROR, 60: Level.FATAL}
"""Levels as pino and bunyan number them."""

_LEVEL_KEYS = ("level", "log_level", "severity", "Level", "@l")
_REQUEST_KEYS = ("requestId", "AWSRequestId", "function_request_id", "awsRequestId", "aws_request_id", "request_id")
_MESSAGE_KEYS = ("message", "msg", "Message", "@m", "event")
_TIME_KEYS = ("timestamp", "time", "@timestamp")

_encode = msgspec.json.Encoder().encode


def read(record: dict[str, object]) -> Line:
    """Read one decoded line; fields that have a column of their own are left out of the attributes."""
    rest = dict(record)
    level = _level(rest)
    request_id = _string(rest, _REQUEST_KEYS)
    message = _string(rest, _MESSAGE_KEYS) or _error_message(rest) or _structured(rest)
    for key in _TIME_KEYS:
        rest.pop(key, None)
    attributes = _text(rest) if rest else ""
    return level, request_id, message or attributes, attributes


def _level(rest: dict[str, object]) -> Level | None:
    for key in _LEVEL_KEYS:
        value = rest.get(key)
        if isinstance(value, str):
            found = LEVELS.get(value.upper())
        elif isinstance(value, int):
            found = _NUMBERS.get(value)
        else:
            continue
        if found is not None:
            del rest[key]
        return found
    return None


def _string(rest: dict[str, object], keys: tuple[str, ...]) -> str:
    """Take the first of these fields that is text out of the rest."""
    for key in keys:
        value = rest.get(key)
        if isinstance(value, str):
            del rest[key]
            return value
    return ""


def _error_message(rest: dict[str, object]) -> str:
    """``TypeError: boom`` for a line that is an error, or (Node.js) holds one as its message."""
    for error in (rest, rest.get("message")):
        if isinstance(error, dict) and "errorMessage" in error:
            return f"{error.get('errorType') or 'Error'}: {error['errorMessage']}"
    return ""


def _structured(rest: dict[str, object]) -> str:
    """A message that is no text (``console.log({order: 7})``) as JSON; it stays among the attributes too."""
    value = rest.get("message")
    return "" if value is None or value == "" else _text(value)


def _text(value: object) -> str:
    try:
        return _encode(value).decode()
    except (ValueError, TypeError, OverflowError, RecursionError):
        return ""  # Lone surrogates are legal in JSON, but not in what stores it.
