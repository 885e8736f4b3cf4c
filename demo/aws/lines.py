"""What an invocation leaves in CloudWatch Logs: the Telemetry API's events as lines, in either of Lambda's formats."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from demo.telemetry import Run, events

Line = tuple[datetime, str]

PYTHON_ERROR = re.compile(r"\[ERROR\] ([\w.]+): (.*)\nTraceback \(most recent call last\):\n?", re.DOTALL)
NODE_ERROR = re.compile(r"\S+\t(\S+)\tERROR\t[^\t]*\t(\{.*\})\s*", re.DOTALL)
NODE_LINE = re.compile(r"\S+\t\S+\t(\w+)\t(.*?) (\{.*\})\s*", re.DOTALL)
PYTHON_LINE = re.compile(r"\[(\w+)\]\t\S+\t\S+\t(.*)", re.DOTALL)
QUIET = {"platform.initRuntimeDone", "platform.initReport"}
"""Told only at the level DEBUG of the platform's own log, as is the end of a good invocation."""


def lines(run: Run, version: str) -> list[Line]:
    """The lines of one invocation in order of time; the same run gives the same ones again."""
    told = events(run, version)
    return list(structured(run, told) if run.function.log_format == "JSON" else text(run, told))


def text(run: Run, told: list[dict[str, Any]]) -> Iterator[Line]:
    """The text format."""
    for event in told:
        at, record = moment(event), event["record"]
        match event["type"]:
            case "platform.initStart":
                yield at, f"INIT_START Runtime Version: {runtime(run)}\tRuntime Version ARN: {runtime_arn(run)}\n"
            case "platform.start":
                yield at, f"START RequestId: {record['requestId']} Version: {record['version']}\n"
            case "function":
                yield at, record if isinstance(record, str) else json.dumps(record)
            case "platform.runtimeDone":
                yield at, f"END RequestId: {record['requestId']}\n"
            case "platform.report":
                yield from ending(run, at, event["time"], record)


def runtime(run: Run) -> str:
    name = run.function.runtime
    found = re.match(r"([a-z]+)([\d.]+)?x?", name)
    return f"{found[1]}:{(found[2] or name).rstrip('.')}.v38" if found else name


def runtime_arn(run: Run) -> str:
    return f"arn:aws:lambda:{run.function.region}::runtime:{run.function.runtime}-simulated"


def ending(run: Run, at: datetime, time: str, record: dict[str, Any]) -> Iterator[Line]:
    """The report, and the words about a timeout or a process that died."""
    request_id, metrics = record["requestId"], record["metrics"]
    if run.failure == "out_of_memory":
        yield at, f"RequestId: {request_id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"
    elif record.get("errorType") == "Runtime.ExitError":
        yield at, f"RequestId: {request_id} Error: Runtime exited with error: exit status 2\nRuntime.ExitError\n"
    elif record["status"] == "timeout":
        yield at, f"{time} {request_id} Task timed out after {run.function.timeout_s:.2f} seconds\n\n"
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {metrics['durationMs']} ms",
        f"Billed Duration: {metrics['billedDurationMs']} ms",
        f"Memory Size: {metrics['memorySizeMB']} MB",
        f"Max Memory Used: {metrics['maxMemoryUsedMB']} MB",
    ]
    if "initDurationMs" in metrics:
        fields.append(f"Init Duration: {metrics['initDurationMs']} ms")
    if record["status"] == "timeout":
        fields.append("Status: timeout")
    elif record.get("errorType") == "Runtime.ExitError":
        fields += ["Status: error", "Error Type: Runtime.ExitError"]
    yield at, "\t".join(fields) + "\t\n"


def structured(run: Run, told: list[dict[str, Any]]) -> Iterator[Line]:
    """The JSON format."""
    request_id = next(event["record"]["requestId"] for event in told if event["type"] == "platform.start")
    for event in told:
        at, kind, record = moment(event), event["type"], event["record"]
        if kind == "function":
            yield at, json.dumps(application(record, event["time"], request_id))
        elif kind == "platform.runtimeDone" and record["status"] == "success":
            continue
        elif kind not in QUIET:
            yield at, json.dumps({"time": event["time"], "type": kind, "record": record})


def application(record: str | dict[str, Any], time: str, request_id: str) -> dict[str, Any]:
    """A line of the function's own, as the runtime writes it in the JSON format."""
    line: dict[str, Any] = {"timestamp": time, "requestId": request_id}
    if isinstance(record, dict):
        return {**line, **record}
    if found := NODE_ERROR.fullmatch(record):
        error: dict[str, Any] = json.loads(found[2])
        error["stackTrace"] = error.pop("stack")
        return line | {"level": "ERROR", "message": error}
    if found := PYTHON_ERROR.match(record):
        trace = [frame + "\n" for frame in re.split(r"\n(?=  File )", record[found.end() :].rstrip("\n"))]
        return line | {"log_level": "ERROR", "errorType": found[1], "errorMessage": found[2], "stackTrace": trace}
    if found := NODE_LINE.fullmatch(record):
        return {**line, "level": found[1], "message": found[2], **json.loads(found[3])}
    if found := PYTHON_LINE.match(record):
        return line | {"level": found[1], "message": found[2].rstrip("\n")}
    return line | {"level": "INFO", "message": record.rstrip("\n")}


def moment(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])
