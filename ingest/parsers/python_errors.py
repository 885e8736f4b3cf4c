"""Unhandled exceptions as the Python runtime of Lambda prints them."""

from collections.abc import Mapping

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame

_FOREIGN = ("/var/runtime/", "/var/lang/", "/site-packages/", "/opt/python/", "/usr/lib/", "<frozen ")
_HEADER = "Traceback (most recent call last):"


def parse(text: str) -> ErrorReport | None:
    """``[ERROR] ValueError: boom`` with the traceback below it."""
    if not text.startswith("[ERROR] "):
        return None
    lines = text.splitlines()
    type_, _, message = lines[0][8:].partition(": ")
    start = lines.index(_HEADER) if _HEADER in lines else len(lines)
    message = "\n".join([message, *lines[1:start]]).strip()
    return ErrorReport(type_.strip(), message, _frames(lines[start + 1 :]))


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """``{"log_level": "ERROR", "errorType": …, "errorMessage": …, "stackTrace": […]}``."""
    if "log_level" not in record or "errorType" not in record:
        return None
    trace = record.get("stackTrace")
    lines = "".join(str(entry) for entry in trace).splitlines() if isinstance(trace, list) else []
    return ErrorReport(str(record["errorType"]), str(record.get("errorMessage", "")), _frames(lines))


def _frames(lines: list[str]) -> tuple[Frame, ...]:
    frames: list[Frame] = []
    for index, line in enumerate(lines):
        stripped = line.strip()
        if not stripped.startswith('File "'):
            continue
        file, _, rest = stripped[6:].partition('", line ')
        number, _, function = rest.partition(", in ")
        code = lines[index + 1].strip() if index + 1 < len(lines) else ""
        own = not any(part in file for part in _FOREIGN)
        frames.append(Frame(file, int(number) if number.isdecimal() else 0, function, code, own))
    return tuple(frames)
