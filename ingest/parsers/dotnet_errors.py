"""Unhandled exceptions as the .NET runtime prints them.

The runtime's own source is the reference: https://github.com/aws/aws-lambda-dotnet (Amazon.Lambda.RuntimeSupport)
"""

from collections.abc import Mapping, Sequence

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame

_UNHANDLED = "Unhandled exception. "
_INNER = "---> "
_FOREIGN = ("System.", "Microsoft.", "Amazon.", "lambda_method", "AWS.Lambda.", "Newtonsoft.", "AWSSDK")


def parse(text: str) -> ErrorReport | None:
    """``System.InvalidOperationException: boom`` with ``   at …`` lines, inner exceptions after ``--->``."""
    certain = text.startswith(_UNHANDLED)
    if not certain and "\n   at " not in text and "\r   at " not in text:
        return None
    return _report(text.removeprefix(_UNHANDLED).splitlines())


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """``{"errorType": "System.…", "stackTrace": […]}``; a logged exception carries a message of its own besides."""
    type_, trace = record.get("errorType"), record.get("stackTrace")
    if not isinstance(type_, str) or not isinstance(trace, list) or not trace or not _is_type(type_):
        return None
    lines = [str(line) for line in trace]
    if not lines[0].startswith(type_):
        return None
    return _report(lines, certain=not record.get("message"))


def _report(lines: Sequence[str], *, certain: bool = True) -> ErrorReport | None:
    """The text lists inner exceptions and frames innermost first, so all frames together are simply turned round."""
    type_, _, message = lines[0].partition(":") if lines else ("", "", "")
    if not _is_type(type_.strip()):
        return None
    messages = [message.strip()]
    frames: list[Frame] = []
    for line in lines[1:]:
        place = line.strip()
        if place.startswith("at "):
            frames.append(_frame(place[3:]))
        elif place.startswith(_INNER):
            messages.append(f"Caused by: {place[len(_INNER) :]}")
        elif place and not frames and not place.startswith("--- "):
            messages.append(place)
    return ErrorReport(type_.strip(), "\n".join(messages).strip(), tuple(reversed(frames)), certain)


def _frame(place: str) -> Frame:
    """``Shop.Function.Handler(Order order) in /src/Function.cs:line 25``."""
    method, _, source = place.partition(" in ")
    file, _, line = source.rpartition(":line ")
    return Frame(
        file,
        int(line) if line.isdecimal() and len(line) < 9 else 0,
        method.partition("(")[0],
        own=not method.startswith(_FOREIGN),
    )


def _is_type(text: str) -> bool:
    """A class with its namespace, such as ``System.NullReferenceException``."""
    return (
        "." in text
        and len(text) < 300
        and all(map(str.isidentifier, text.partition("`")[0].replace("+", ".").split(".")))
    )
