"""Unhandled errors as the Node.js runtime prints them.

The runtime's own source is the reference: https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
In the JSON log format it prints an unhandled error exactly as ``console.error(error)`` does: not certain.
"""

from collections.abc import Mapping, Sequence

import msgspec

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame

_TITLES = ("Invoke Error", "Uncaught Exception", "Unhandled Promise Rejection")
_HEAP = "JavaScript heap out of memory"
_FOREIGN = ("node:", "internal/", "/var/runtime/", "/var/lang/", "/opt/", "<anonymous>", "native")
_REJECTION = "Runtime.UnhandledPromiseRejection"


def parse(text: str) -> ErrorReport | None:
    """``Invoke Error \\t{"errorType": …}`` and its sisters, a bare stack, or V8 out of memory."""
    if text.startswith(_TITLES):
        return _titled(text)
    if "\n    at " in text or "\r    at " in text:
        return _bare(text)
    if _HEAP in text:
        return ErrorReport(_HEAP, next(line for line in text.splitlines() if _HEAP in line).strip())
    return None


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """``{"message": {"errorType": …, "errorMessage": …, "stackTrace": […]}}`` or the error's fields at the top."""
    message = record.get("message")
    if isinstance(message, Mapping):
        return _error(message, certain=str(message.get("errorType", "")).startswith("Runtime."))
    if isinstance(message, str) and "errorType" in record:
        return _error(record, certain=message.startswith(_TITLES))
    return parse(message) if isinstance(message, str) and message.startswith(_TITLES) else None


def _titled(text: str) -> ErrorReport | None:
    start = text.find("{")
    if start < 0:
        return None
    try:
        error = msgspec.json.decode(text[start:].strip())
    except (ValueError, RecursionError):
        return None
    return _error(error, certain=True) if isinstance(error, Mapping) else None


def _error(error: Mapping[str, object], *, certain: bool) -> ErrorReport | None:
    """An error object; of a rejected promise the reason tells more, and a cause adds to the message."""
    reason = error.get("reason")
    if error.get("errorType") == _REJECTION and isinstance(reason, Mapping) and "errorType" in reason:
        error = reason
    type_ = error.get("errorType")
    stack = next((error[key] for key in ("stackTrace", "stack", "trace") if isinstance(error.get(key), list)), None)
    if not isinstance(type_, str) or not isinstance(stack, list):
        return None
    message = str(error.get("errorMessage") or "")
    frames = _frames([str(line) for line in stack])
    if not frames and not certain:
        return None  # Another runtime's logged exception.
    cause = error.get("cause")
    deeper = _error(cause, certain=certain) if isinstance(cause, Mapping) else None
    if deeper:
        message, frames = f"{message}\nCaused by: {deeper.type}: {deeper.message}", frames + deeper.frames
    return ErrorReport(type_, message, frames, certain)


def _bare(text: str) -> ErrorReport | None:
    """``TypeError: boom`` above ``    at …`` lines, as ``console.error(error)`` and a dying process print it."""
    lines = text.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("    at "))
    for index in range(first - 1, -1, -1):
        type_, colon, message = lines[index].removeprefix("Uncaught ").partition(":")
        if colon and type_.isidentifier() and type_[:1].isupper():
            whole = "\n".join([message, *lines[index + 1 : first]]).strip()
            return ErrorReport(type_, whole, _frames(lines[first:]), certain=False)
    return None


def _frames(lines: Sequence[str]) -> tuple[Frame, ...]:
    """V8 lists the innermost call first: ``at async handler (file:///var/task/index.mjs:3:12)``."""
    frames = [_frame(place[3:]) for line in lines if (place := line.strip()).startswith("at ")]
    return tuple(reversed(frames))


def _frame(place: str) -> Frame:
    function, location = "", place.removesuffix(" {")
    place = location
    if place.endswith(")") and " (" in place:
        function, _, location = place[:-1].rpartition(" (")
    file, _, position = location.removeprefix("async ").removeprefix("file://").rpartition(":")
    file, _, line = file.rpartition(":")
    if not (file and line.isdecimal() and position.isdecimal() and len(line) < 9):
        file, line = location.removeprefix("file://"), "0"
    own = "/node_modules/" not in file and not file.startswith(_FOREIGN)
    return Frame(file, int(line), function.removeprefix("async "), own=own)
