"""Lines of the text log format: who wrote the level, the request id and the message where."""

from observability.telemetry.records import Level

LEVELS = {
    "TRACE": Level.TRACE,
    "TRCE": Level.TRACE,
    "DEBUG": Level.DEBUG,
    "DBUG": Level.DEBUG,
    "INFO": Level.INFO,
    "INFORMATION": Level.INFO,
    "NOTICE": Level.INFO,
    "WARN": Level.WARN,
    "WARNING": Level.WARN,
    "ERROR": Level.ERROR,
    "FAIL": Level.ERROR,
    "FATAL": Level.FATAL,
    "CRITICAL": Level.FATAL,
    "CRIT": Level.FATAL,
    "SEVERE": Level.ERROR,
}

Line = tuple[Level | None, str, str]
"""Level where the line tells it, request id or empty, message."""

_REQUEST_ID = 36


def read(text: str) -> Line:
    """Read one line; text in no known format is all message."""
    first = text[:1]
    if first == "[":
        return _bracketed(text)
    if first.isdigit():
        return _dated(text)
    return _leveled(text)


def _bracketed(text: str) -> Line:
    """``[LEVEL]\\tTIME\\tREQUEST_ID\\tmessage``, as the Python runtime formats a log record."""
    parts = text.split("\t", 3)
    level = LEVELS.get(parts[0][1:-1].rstrip())
    if level is not None and len(parts) == 4 and parts[1][-1:] == "Z":
        request_id = parts[2]
        return level, request_id if len(request_id) == _REQUEST_ID else "", parts[3].rstrip()
    return _leveled(text)


def _dated(text: str) -> Line:
    """``TIME\\tREQUEST_ID\\tLEVEL\\tmessage``, as the Node.js and .NET runtimes format what goes to the console."""
    if text[10:11] == "T" and "\t" in text[:32]:
        parts = text.split("\t", 3)
        level = LEVELS.get(parts[2].upper()) if len(parts) == 4 else None
        if level is not None:
            request_id = parts[1]
            return level, request_id if len(request_id) == _REQUEST_ID else "", parts[3].rstrip()
    return _leveled(text)


def _leveled(text: str) -> Line:
    """Plain text; a level counts when only times, ids and ``[brackets]`` stand before it."""
    for token in text[:120].split(None, 5)[:5]:
        level = LEVELS.get(token.strip("[]():|,"))
        if level is not None:
            return level, "", text.rstrip()
        if token[0] != "[" and not any(map(str.isdigit, token)):
            break
    return None, "", text.rstrip()
