"""Messages of Lambda's log groups, read as the events that the Telemetry API would have sent.

What Lambda itself writes comes in its text format or, as JSON, in the very words of the Telemetry API; all else is a
line that the function wrote. Only old timeouts and exits need a look at more than one message: their ``REPORT`` tells
no status, and the words that do may stand behind it.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ingest.parser import Event

Told = tuple[str, Any]
"""The type and the record of an event."""

_FIGURES = {
    "Duration": "durationMs",
    "Billed Duration": "billedDurationMs",
    "Memory Size": "memorySizeMB",
    "Max Memory Used": "maxMemoryUsedMB",
    "Init Duration": "initDurationMs",
    "Restore Duration": "restoreDurationMs",
    "Billed Restore Duration": "billedRestoreDurationMs",
}
_START = re.compile(r"START RequestId: (\S{1,64})(?: Version: (\S{1,64}))?\s*")
_END = re.compile(r"END RequestId: (\S{1,64})\s*")
_VERSIONS = re.compile(r"[A-Z]+_START\s+Runtime Version: (\S*)(?:\s+Runtime Version ARN: (\S*))?\s*")
_ENDED = re.compile(r"RequestId: (\S{1,64}) (?:Error: |Process exited before completing request)")
_TIMED_OUT = re.compile(r"\d{4}-\d\d-\d\dT\S{1,40} (\S{1,64}) Task timed out after ")
_STREAM = re.compile(r"\d{4}/\d\d/\d\d/([A-Za-z0-9_-]*)\[([A-Za-z0-9$_-]{1,64})\]")

_decode = msgspec.json.Decoder().decode


def read(message: str) -> Told:
    """The event that a message stands for; ``function`` when it is a line of the function's own."""
    if message[:1] == "{":
        return _json(message)
    word = message[:24].split(None, 1)
    reader = _READERS.get(word[0]) if word else None
    if reader is not None:
        return reader(message) or ("function", message)
    if message[10:11] == "T" and _TIMED_OUT.match(message):
        return "platform.fault", message
    return "function", message


def stream(name: str) -> tuple[str, str]:
    """The function and the version whose environment writes this log stream, as far as its name tells.

    ``2026/11/25/[$LATEST]8a1b…``, and with the function's name before the bracket in log groups that several share.
    """
    found = _STREAM.match(name)
    return (found[1], found[2]) if found else ("", "")


def told(messages: Sequence[Event]) -> Sequence[Event]:
    """The messages of one stream as events; reports without a status get the one that the platform's words imply."""
    events = [_told(message) for message in messages]
    return _judged(events) if any(event.type == "platform.fault" for event in events) else events


def _told(message: Event) -> Event:
    type_, record = read(message.record)
    if type_ == "function":
        return message
    return Event(message.event_id, message.day, message.at, type_, record)


def _judged(told: list[Event]) -> list[Event]:
    waiting: dict[str, dict[str, str]] = {}
    silent: dict[str, int] = {}
    for index, event in enumerate(told):
        if event.type == "platform.fault":
            request_id, status = _verdict(event.record)
            if request_id in silent:
                report = silent.pop(request_id)
                told[report] = _with(told[report], status)
            else:
                waiting[request_id] = status
        elif event.type in ("platform.start", "platform.report") and isinstance(event.record, dict):
            request_id = str(event.record.get("requestId", ""))
            silent.pop(request_id, None)
            if event.type == "platform.report" and "status" not in event.record:
                silent[request_id] = index
                if request_id in waiting:
                    told[silent.pop(request_id)] = _with(event, waiting.pop(request_id))
    return told


def _with(event: Event, status: Mapping[str, str]) -> Event:
    return msgspec.structs.replace(event, record={**event.record, **status})


def _verdict(message: object) -> tuple[str, dict[str, str]]:
    """Whose request these words are about, and what they say of it."""
    text = message if isinstance(message, str) else ""
    if found := _TIMED_OUT.match(text):
        return found[1], {"status": "timeout"}
    found = _ENDED.match(text)
    last = text.rstrip().rpartition("\n")[2].strip()
    type_ = last if "." in last and " " not in last else "Runtime.ExitError"
    return found[1] if found else "", {"status": "error", "errorType": type_}


def _json(message: str) -> Told:
    if '"platform.' in message[:200]:
        try:
            event = _decode(message)
        except (ValueError, RecursionError):
            return "function", message
        if isinstance(event, dict) and isinstance(event.get("record"), dict):
            type_ = event.get("type")
            if isinstance(type_, str) and type_.startswith("platform."):
                return type_, event["record"]
    return "function", message


def _start(message: str) -> Told | None:
    found = _START.fullmatch(message)
    return ("platform.start", {"requestId": found[1], "version": found[2] or ""}) if found else None


def _end(message: str) -> Told | None:
    """The runtime's verdict is not in it, unlike in ``runtimeDone``, which it is otherwise."""
    found = _END.fullmatch(message)
    return ("platform.runtimeDone", {"requestId": found[1]}) if found else None


def _report(message: str) -> Told | None:
    fields = _fields(message.removeprefix("REPORT "))
    if "RequestId" not in fields:
        return None
    record = {"requestId": fields["RequestId"]} | _status(fields) | {"metrics": _figures(fields)}
    if trace := fields.get("XRAY TraceId"):
        sampled = int(fields.get("Sampled") == "true")
        value = f"Root={trace};Parent={fields.get('SegmentId', '')};Sampled={sampled}"
        record["tracing"] = {"type": "X-Amzn-Trace-Id", "value": value}
    return "platform.report", record


def _init_start(message: str) -> Told | None:
    found = _VERSIONS.fullmatch(message)
    if not found:
        return None
    type_ = "platform.restoreStart" if message.startswith("RESTORE") else "platform.initStart"
    return type_, {"phase": "init", "runtimeVersion": found[1], "runtimeVersionArn": found[2] or ""}


def _init_report(message: str) -> Told | None:
    fields = _fields(message.removeprefix("INIT_REPORT "))
    if "Init Duration" not in fields:
        return None
    metrics = {"durationMs": _number(fields["Init Duration"])}
    return "platform.initReport", {"phase": fields.get("Phase", "init"), "metrics": metrics} | _status(fields)


def _restore_report(message: str) -> Told | None:
    fields = _fields(message.removeprefix("RESTORE_REPORT "))
    if "Restore Duration" not in fields:
        return None
    metrics = {"durationMs": _number(fields["Restore Duration"])}
    return "platform.restoreRuntimeDone", {"metrics": metrics} | _status(fields)


def _extension(message: str) -> Told | None:
    """``EXTENSION``, ``TELEMETRY`` and ``LOGS``: what registered, and what it asked for."""
    word, _, rest = message.partition("\t")
    fields = _fields(rest)
    if "Name" not in fields:
        return None
    record = {"name": fields["Name"], "state": fields.get("State", ""), **_status(fields)}
    return {"EXTENSION": "platform.extension", "LOGS": "platform.logsSubscription"}.get(
        word, "platform.telemetrySubscription"
    ), record


def _fault(message: str) -> Told | None:
    return ("platform.fault", message) if _ENDED.match(message) else None


_READERS: Mapping[str, Callable[[str], Told | None]] = {
    "START": _start,
    "END": _end,
    "REPORT": _report,
    "INIT_START": _init_start,
    "INIT_REPORT": _init_report,
    "RESTORE_START": _init_start,
    "RESTORE_REPORT": _restore_report,
    "EXTENSION": _extension,
    "TELEMETRY": _extension,
    "LOGS": _extension,
    "RequestId:": _fault,
}


def _fields(text: str) -> dict[str, str]:
    """``Key: value`` between tabs; the second line of a report is about its trace."""
    pairs = (part.partition(": ") for part in text[:4_000].replace("\n", "\t").split("\t"))
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _status(fields: Mapping[str, str]) -> dict[str, Any]:
    names = {"Status": "status", "Error Type": "errorType"}
    return {name: fields[key] for key, name in names.items() if key in fields}


def _figures(fields: Mapping[str, str]) -> dict[str, float]:
    return {name: _number(fields[key]) for key, name in _FIGURES.items() if key in fields}


def _number(text: str) -> float:
    """``693.92 ms`` or ``128 MB``; 0 for what is no figure."""
    try:
        return float(text.partition(" ")[0])
    except ValueError:
        return 0.0
