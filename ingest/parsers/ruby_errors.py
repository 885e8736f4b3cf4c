"""Unhandled exceptions as the Ruby runtime prints them: a title, and (often as a line of its own) a JSON object.

The runtime's own source is the reference: https://github.com/aws/aws-lambda-ruby-runtime-interface-client
"""

from collections.abc import Mapping

import msgspec

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame

_FOREIGN = ("/var/runtime/", "/var/lang/", "/gems/", "/opt/", "<internal:")
_CLASSES = ("Function<", "Runtime<", "Init<")


def parse(text: str) -> ErrorReport | None:
    """``Error raised from handler method`` and the JSON below it, or only the JSON."""
    if '"errorType"' not in text or "<" not in text:
        return None
    start = text.find("{")
    try:
        record = msgspec.json.decode(text[start:].strip()) if start >= 0 else None
    except (ValueError, RecursionError):
        return None
    return parse_json(record) if isinstance(record, Mapping) else None


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """``{"errorMessage": …, "errorType": "Function<StandardError>", "stackTrace": ["app.rb:5:in `handler'"]}``."""
    type_ = record.get("errorType")
    if not isinstance(type_, str) or not type_.startswith(_CLASSES) or not type_.endswith(">"):
        return None
    # ``Init<…>`` stays as it is: it says when the error happened.
    name = type_ if type_.startswith("Init<") else type_.partition("<")[2][:-1]
    trace = record.get("stackTrace")
    frames = [_frame(str(place)) for place in trace] if isinstance(trace, list) else []
    return ErrorReport(name, str(record.get("errorMessage") or ""), tuple(reversed(frames)))


def _frame(place: str) -> Frame:
    """``/var/task/app.rb:5:in `handler'``; Ruby lists the innermost call first."""
    position, _, function = place.partition(":in ")
    file, _, line = position.rpartition(":")
    return Frame(
        file or position,
        int(line) if line.isdecimal() and len(line) < 9 else 0,
        function.strip("`'"),
        own=not any(part in place for part in _FOREIGN),
    )
