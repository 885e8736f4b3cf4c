"""Unhandled errors and panics of Go functions.

The library's own source is the reference: https://github.com/aws/aws-lambda-go
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame

_PANICS = ("panic: ", "fatal error: ")
_FOREIGN = ("/usr/local/go/", "/opt/", "/pkg/mod/", "/vendor/", "runtime/", "aws-lambda-go", "_cgo_")
_FIELDS = frozenset({"errorMessage", "errorType", "stackTrace"})


def parse(text: str) -> ErrorReport | None:
    """``panic: boom`` with goroutines, or the JSON that the library logs behind date and time."""
    if text.startswith(_PANICS):
        return _panic(text.splitlines())
    if '{"errorMessage":' in text[:64]:
        try:
            record = msgspec.json.decode(text[text.index("{") :].strip())
        except (ValueError, RecursionError):
            return None
        return parse_json(record) if isinstance(record, Mapping) else None
    return None


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """``{"errorMessage": …, "errorType": …, "stackTrace": [{"path", "line", "label"}]}`` and nothing else."""
    type_, message, trace = record.get("errorType"), record.get("errorMessage"), record.get("stackTrace", [])
    if not isinstance(type_, str) or not isinstance(message, str) or not isinstance(trace, list):
        return None
    calls = [call for call in trace if isinstance(call, Mapping)]
    if not _FIELDS.issuperset(record) or len(calls) != len(trace) or "<" in type_:
        return None
    return ErrorReport(type_, message, tuple(reversed([_call(call) for call in calls])))


def _call(call: Mapping[str, object]) -> Frame:
    path, line = str(call.get("path") or ""), call.get("line")
    number = line if isinstance(line, int) and 0 <= line < 10**9 else 0
    return Frame(path, number, str(call.get("label") or ""), own=not path.startswith(_FOREIGN) and "@v" not in path)


def _panic(lines: Sequence[str]) -> ErrorReport:
    """The first goroutine is the one that panicked; its innermost call stands first, two lines to a call."""
    kind, _, message = lines[0].partition(": ")
    start = next((index for index, line in enumerate(lines) if line.startswith("goroutine ")), len(lines))
    stack = lines[start + 1 :]
    end = stack.index("") if "" in stack else len(stack)
    frames = [
        _frame(call, place)
        for call, place in pairwise(stack[:end])
        if place.startswith("\t") and not call.startswith(("\t", "created by "))
    ]
    # The addresses of ``[signal SIGSEGV …]`` differ each time and tell a reader nothing.
    rest = [line for line in lines[1:start] if line and not line.startswith("[signal ")]
    type_, text = _typed(kind, message)
    return ErrorReport(type_, "\n".join([text, *rest]), tuple(reversed(frames)))


def _typed(kind: str, message: str) -> tuple[str, str]:
    """A panic's value tells its type for run-time errors and (``main.Oops{…}``, ``*errors.errorString``) few others."""
    text = message.removesuffix(" [recovered]")
    if kind == "fatal error":
        return kind, text
    if text.startswith("runtime error: "):
        return "runtime error", text.removeprefix("runtime error: ")
    return "panic", text


def _frame(call: str, place: str) -> Frame:
    """``main.handler(0x1)`` above ``\\t/app/main.go:12 +0x1d``."""
    file, _, line = place.strip().partition(" +")[0].rpartition(":")
    function = call.rpartition("(")[0] or call
    own = not any(part in file for part in _FOREIGN) and not function.startswith(("runtime.", "panic"))
    return Frame(file, int(line) if line.isdecimal() and len(line) < 9 else 0, function, own=own)
