"""Lines of the JSON log format, as runtimes, Powertools and structured loggers write them."""

import msgspec

from observability.telemetry.records import Level

LEVELS: dict[object, Level] = {
    "TRACE": Level.TRACE,
    "DEBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "INFORMATION": Level.INFO,
    "NOTICE": Level.INFO,
    "WARN": Level.WARN,
    "WARNING": Level.WARN,
    "ERROR": Level.ERROR,
    "SEVERE": Level.ERROR,
    "FATAL": Level.FATAL,
    "CRITICAL": Level.FATAL,
    10: Level.TRACE,
    20: Level.DEBUG,
    30: Level.INFO,
    40: Level.WARN,
    50: Level.ERROR,
    60: Level.FATAL,
}

Line = tuple[Level | None, str, str, str]
"""Level where the line tells it, request id or empty, message, the other fields as JSON text."""

_LEVEL_KEYS = ("level", "log_level", "severity", "Level", "@l")
_REQUEST_KEYS = ("requestId", "function_request_id", "AWSRequestId", "awsRequestId", "request_id", "aws_request_id")
_MESSAGE_KEYS = ("message", "msg", "Message", "errorMessage", "@m")
_TIME_KEYS = ("timestamp", "time", "@timestamp")

_encode = msgspec.json.Encoder().encode


def read(record: dict[str, object]) -> Line:
    """Read one decoded line; the fields that have a column of their own are left out of the attributes."""
    rest = dict(record)
    level = request_id = message = None
    for key in _LEVEL_KEYS:
        if key in rest:
            value = rest.pop(key)
            level = LEVELS.get(value.upper() if isinstance(value, str) else value if isinstance(value, int) else None)
            break
    for key in _REQUEST_KEYS:
        if key in rest and isinstance(rest[key], str):
            request_id = rest.pop(key)
            break
    for key in _MESSAGE_KEYS:
        if key in rest:
            message = rest.pop(key) if isinstance(rest[key], str) else _encode(rest[key]).decode()
            break
    for key in _TIME_KEYS:
        rest.pop(key, None)
    attributes = _encode(rest).decode() if rest else ""
    return level, str(request_id or ""), attributes if message is None else str(message), attributes
