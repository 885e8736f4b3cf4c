"""Lines of the text log format: where each runtime writes level, request id and message.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

from ingest.parser import LEVELS, Line

REQUEST_ID_LENGTH = 36
MAX_PREFIX = 160
"""How far into a plain line a level is looked for."""


def read(text: str) -> Line:
    """Read one line; text in no known format is all message."""
    first = text[:1]
    if first == "[":
        return _bracketed(text)
    if first.isdigit():
        return _dated(text)
    if text.startswith("RequestId: "):
        return None, _request_id(text[11:].split(" ", 1)[0]), text.rstrip(), ""
    return _plain(text)


def _bracketed(text: str) -> Line:
    """``[LEVEL]\\tTIME\\tREQUEST_ID\\tmessage``: the Python runtime."""
    parts = text.split("\t", 3)
    if len(parts) == 4 and parts[1].endswith("Z"):
        level = LEVELS.get(parts[0][1:-1].rstrip())
        if level is not None:
            return level, _request_id(parts[2]), parts[3].rstrip(), ""
    return _plain(text)


def _dated(text: str) -> Line:
    """``TIME\\tREQUEST_ID\\tLEVEL\\tmessage``: the Node.js and .NET runtimes."""
    if text[10:11] == "T" and "\t" in text[20:32]:
        parts = text.split("\t", 3)
        if len(parts) == 4:
            level = LEVELS.get(parts[2].upper())
            if level is not None:
                return level, _request_id(parts[1]), parts[3].rstrip(), ""
    return _plain(text)


def _request_id(text: str) -> str:
    """Runtimes write ``undefined`` or nothing outside an invocation."""
    return text if len(text) == REQUEST_ID_LENGTH else ""


def _plain(text: str) -> Line:
    """Any other line; a level counts when only times, ids and ``[brackets]`` stand before it (Log4j, Logback, Ruby)."""
    request_id = ""
    for token in text[:MAX_PREFIX].split(None, 6)[:6]:
        level = LEVELS.get(token.strip("[]():|,"))
        if level is not None:
            return level, request_id or _following_id(text), text.rstrip(), ""
        if len(token) == REQUEST_ID_LENGTH and token[8] == "-" == token[23]:
            request_id = token
        elif token[0] not in "[#" and not any(map(str.isdigit, token)) and token not in _RUBY_INITIALS:
            break
    return None, request_id, text.rstrip(), ""


_RUBY_INITIALS = frozenset({"D,", "I,", "W,", "E,", "F,", "A,"})


def _following_id(text: str) -> str:
    """The id behind the level: ``E, [TIME #PID] ERROR REQUEST_ID -- : message`` is how Ruby's logger writes it."""
    before, found, _ = text[:MAX_PREFIX].partition(" -- ")
    candidate = before[-REQUEST_ID_LENGTH:] if found else ""
    return candidate if len(candidate) == REQUEST_ID_LENGTH and candidate[8] == "-" == candidate[23] else ""
