"""Unhandled exceptions as the Python runtime prints them.

The runtime's own source is the reference: https://github.com/aws/aws-lambda-python-runtime-interface-client
It prints the frames of the last exception of a chain only; whole chains come from bare Python processes.
"""

from collections.abc import Mapping, Sequence

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame

_FOREIGN = ("/var/runtime/", "/var/lang/", "/site-packages/", "/dist-packages/", "/opt/", "/usr/", "<frozen ")
_HEADER = "Traceback (most recent call last):"
_CHAINS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


def parse(text: str) -> ErrorReport | None:
    """``[ERROR] ValueError: boom`` with the traceback below it, or a bare traceback."""
    if text.startswith("[ERROR] "):
        return _printed_by_runtime(text[8:].splitlines())
    if _HEADER in text[:200]:
        return _bare(text.splitlines())
    return None


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """``{"log_level": "ERROR", "errorType": …, "errorMessage": …, "stackTrace": […]}``.

    A logged exception has ``level`` and ``logger`` instead of ``log_level``; it is a log line, no fault.
    """
    type_ = record.get("errorType")
    if "log_level" not in record or not isinstance(type_, str):
        return None
    trace = record.get("stackTrace")
    lines = "\n".join(map(str, trace)).splitlines() if isinstance(trace, list) else []
    return ErrorReport(type_, str(record.get("errorMessage") or ""), _frames(lines))


def _printed_by_runtime(lines: list[str]) -> ErrorReport | None:
    type_, _, message = lines[0].partition(":") if lines else ("", "", "")
    if not type_ or " " in type_:
        return None  # A print of the program's own that happens to start alike.
    start = lines.index(_HEADER) if _HEADER in lines else len(lines)
    whole = "\n".join([message.strip(), *lines[1:start]]).strip()
    return ErrorReport(type_, whole, _frames(lines[start + 1 :]))


def _bare(lines: Sequence[str]) -> ErrorReport | None:
    """A traceback as Python itself prints it; a program may print a caught one just so."""
    chain = [found for part in _split(lines) if (found := _one(part))]
    if not chain:
        return None
    last = chain[-1]
    causes = [f"Caused by: {found.type}: {found.message}" for found in reversed(chain[:-1])]
    return ErrorReport(last.type, "\n".join([last.message, *causes]), last.frames, certain=False)


def _split(lines: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.strip() in _CHAINS:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _one(lines: list[str]) -> ErrorReport | None:
    start = next((index for index, line in enumerate(lines) if line.strip() == _HEADER), None)
    if start is None:
        return None
    body = lines[start + 1 :]
    end = next((index for index, line in enumerate(body) if line and not line[0].isspace()), len(body))
    if end == len(body):
        return None
    type_, _, message = body[end].partition(":")
    return ErrorReport(type_.strip(), "\n".join([message, *body[end + 1 :]]).strip(), _frames(body[:end]))


def _frames(lines: Sequence[str]) -> tuple[Frame, ...]:
    """``File "/var/task/app.py", line 3, in handler``, the code below; a syntax error has ``Line 3`` and no name."""
    frames: list[Frame] = []
    for index, line in enumerate(lines):
        place = line.strip()
        if not place.startswith('File "'):
            continue
        file, _, rest = place[6:].partition('"')
        number, _, function = rest.lstrip(", ")[5:].partition(", in ")
        below = lines[index + 1].strip() if index + 1 < len(lines) else ""
        code = "" if below.startswith('File "') else below
        own = not any(part in file for part in _FOREIGN)
        frames.append(Frame(file, _int(number), function.strip(), code, own))
    return tuple(frames)


def _int(text: str) -> int:
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) < 9 else 0
