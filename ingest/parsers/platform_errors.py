"""What Lambda itself writes into a function's log when it ends it: timeouts, exits, entry points that do not start."""

from collections.abc import Mapping

from ingest.parser import ErrorReport

_TIMED_OUT = " Task timed out after "
_EXITED = " Process exited before completing request"
_ENTRYPOINT = "entrypoint requires the handler name to be the first argument"


def parse(text: str) -> ErrorReport | None:
    """``TIME ID Task timed out after 3.00 seconds`` and ``RequestId: ID Error: message\\nType``."""
    if text.startswith("RequestId: "):
        return _ended(text)
    if _TIMED_OUT in text[:100] and text[10:11] == "T":
        return ErrorReport("Sandbox.Timedout", text[text.index(_TIMED_OUT) + 1 :].strip())
    if text.startswith(_ENTRYPOINT):
        return ErrorReport("Runtime.InvalidEntrypoint", _ENTRYPOINT)
    return None


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """The platform's own lines come as text or as platform events."""
    message = record.get("message")
    return parse(message) if isinstance(message, str) else None


def _ended(text: str) -> ErrorReport | None:
    _, found, rest = text.partition(" Error: ")
    if not found:
        exited = _EXITED in text[:100]
        return ErrorReport("Runtime.ExitError", _EXITED.strip()) if exited else None
    lines = rest.strip().splitlines()
    last = lines[-1].strip() if lines else ""
    type_ = last if "." in last and " " not in last else "Runtime.Unknown"
    message = "\n".join(lines[:-1] if last == type_ else lines).strip()
    return ErrorReport(type_, message or type_)
