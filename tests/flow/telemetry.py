"""One failing invocation each, in the events of the Lambda Telemetry API with the ids that the extension gives them.

https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

Event = dict[str, Any]

TRACEBACK = (
    "[ERROR] ValueError: boom\n"
    "Traceback (most recent call last):\n"
    '  File "/var/task/app.py", line 12, in handler\n'
    "    return charge(event)\n"
    '  File "/var/task/payments.py", line 115, in charge\n'
    '    raise ValueError("boom")\n'
)


def uuid7(at: datetime) -> UUID:
    head = int(at.timestamp() * 1000) << 80
    return UUID(int=head | 7 << 76 | 2 << 62 | secrets.randbits(62))


def event(type: str, record: object, at: datetime) -> Event:
    return {"id": str(uuid7(at)), "time": at.isoformat(), "type": type, "record": record}


def invocation(
    now: datetime, *, status: str, log: str = "", error_type: str = "", used_mb: int = 100, ms: float = 120.0
) -> list[Event]:
    """An invocation that has just ended with ``status``; its report comes with the rest."""
    request_id = str(uuid4())
    start = now - timedelta(milliseconds=ms)
    error = {"errorType": error_type} if error_type else {}
    metrics = {"durationMs": ms, "billedDurationMs": int(ms), "memorySizeMB": 512, "maxMemoryUsedMB": used_mb}
    lines = [event("function", log, now)] if log else []
    return [
        event("platform.start", {"requestId": request_id, "version": "42"}, start),
        *lines,
        event("platform.runtimeDone", {"requestId": request_id, "status": status, **error}, now),
        event("platform.report", {"requestId": request_id, "status": status, "metrics": metrics, **error}, now),
    ]


def exception(now: datetime) -> list[Event]:
    return invocation(now, status="error", log=TRACEBACK, error_type="ValueError")


def timeout(now: datetime) -> list[Event]:
    return invocation(now, status="timeout", ms=10_000.0)


def out_of_memory(now: datetime) -> list[Event]:
    return invocation(now, status="error", error_type="Runtime.OutOfMemory", used_mb=512)


def success(now: datetime) -> list[Event]:
    return invocation(now, status="success")
