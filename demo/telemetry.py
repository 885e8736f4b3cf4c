"""One simulated invocation as AWS Lambda's Telemetry API tells it (event schema 2022-12-13)."""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any

from demo import environment
from demo.catalogue import Function
from demo.failures import FAILURES

LINES = (
    ("INFO", "request received", {"path": "/v1/orders", "items": 3}),
    ("INFO", "loaded customer profile", {"cache": "hit"}),
    ("INFO", "wrote order to table", {"table": "orders", "rcu": 1.5}),
    ("WARN", "retrying upstream call", {"attempt": 2, "upstream": "stripe"}),
    ("INFO", "published event", {"topic": "order-created"}),
    ("DEBUG", "cache lookup", {"key": "price-list", "ttl_s": 300}),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation to tell about: when it started, how long it took, how it ended."""

    function: Function
    started_at: datetime
    duration_ms: float
    cold: bool
    failure: str
    number: int


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def event_id(at: datetime, seed: str) -> str:
    """A UUIDv7 that the same seed always gives again, so that sending twice stores once."""
    bits = int.from_bytes(blake2b(seed.encode(), digest_size=10).digest(), "big")
    value = (int(at.timestamp() * 1000) << 80) | bits
    value = (value & ~(0xF << 76) & ~(0x3 << 62)) | (0x7 << 76) | (0x2 << 62)
    return str(uuid.UUID(int=value))


def _line(run: Run, at: datetime, request_id: str, random: Random) -> str | dict[str, Any]:
    level, message, fields = random.choice(LINES)
    runtime = run.function.runtime
    if runtime.startswith("nodejs"):
        return f"{stamp(at)}\t{request_id}\t{level}\t{message} {json.dumps(fields)}\n"
    if runtime in {"python3.12", "provided.al2023"}:
        return json.dumps({"level": level, "time": stamp(at), "message": message, "request_id": request_id} | fields)
    if runtime.startswith("python"):
        return f"[{level}]\t{stamp(at)}\t{request_id}\t{message} {fields}\n"
    return f"{stamp(at)} {level} {message} {' '.join(f'{k}={v}' for k, v in fields.items())}\n"


def _init(run: Run, init_ms: float) -> Iterator[tuple[datetime, str, Any]]:
    at = run.started_at - timedelta(milliseconds=init_ms)
    kind = {"initializationType": run.function.init_type, "phase": "init"}
    yield at, "platform.initStart", kind | {"runtimeVersion": f"{run.function.runtime}.v38"}
    yield run.started_at, "platform.initRuntimeDone", kind | {"status": "success"}
    yield run.started_at, "platform.initReport", kind | {"status": "success", "metrics": {"durationMs": init_ms}}


def _story(run: Run, version: str, request_id: str, random: Random) -> Iterator[tuple[datetime, str, Any]]:
    function, failure = run.function, FAILURES.get(run.failure)
    end = run.started_at + timedelta(milliseconds=run.duration_ms)
    init_ms = round(function.init_ms * random.uniform(0.8, 1.4), 2)
    if run.cold:
        yield from _init(run, init_ms)
    trace = {"type": "X-Amzn-Trace-Id", "value": f"Root=1-{int(end.timestamp()):x}-{random.getrandbits(96):024x}"}
    yield run.started_at, "platform.start", {"requestId": request_id, "version": version, "tracing": trace}
    for step in range(random.choice((1, 1, 2, 3))):
        at = run.started_at + timedelta(milliseconds=run.duration_ms * (step + 0.5) / 4)
        yield at, "function", _line(run, at, request_id, random)
    if failure and failure.line:
        yield end, "function", failure.line(stamp(end), request_id)
    ending, metrics = _ending(run, request_id), _metrics(run, init_ms, random)
    yield end, "platform.runtimeDone", ending | {"metrics": {"durationMs": metrics["durationMs"], "producedBytes": 512}}
    yield end + timedelta(milliseconds=2), "platform.report", ending | {"metrics": metrics, "tracing": trace}


def _ending(run: Run, request_id: str) -> dict[str, Any]:
    failure = FAILURES.get(run.failure)
    ending = {"requestId": request_id, "status": failure.status if failure else "success"}
    return ending | ({"errorType": failure.error_type} if failure and failure.error_type else {})


def _metrics(run: Run, init_ms: float, random: Random) -> dict[str, float]:
    function, duration = run.function, round(run.duration_ms, 2)
    used = function.memory_mb if run.failure == "out_of_memory" else int(function.used_mb * random.uniform(0.9, 1.1))
    waited = run.cold and not function.warm
    metrics = {
        "durationMs": duration,
        "billedDurationMs": int(duration) + 1 + (int(init_ms) if waited else 0),
        "memorySizeMB": function.memory_mb,
        "maxMemoryUsedMB": used,
    }
    return metrics | ({"initDurationMs": init_ms} if waited else {})


def events(run: Run, version: str) -> list[dict[str, Any]]:
    """The events of one invocation, in order, each with its id; the same run gives the same ones again."""
    seed = _seed(run)
    random = Random(seed)
    return _identified(seed, _story(run, version, _request_id(random), random))


def reports(run: Run, version: str) -> list[dict[str, Any]]:
    """No more than what it took, and once an hour what its environment used; failures are told whole."""
    if run.failure:
        return events(run, version)
    seed = f"{_seed(run)} brief"
    random = Random(seed)
    end = run.started_at + timedelta(milliseconds=run.duration_ms + 2)
    ending, init_ms = _ending(run, _request_id(random)), round(run.function.init_ms * random.uniform(0.8, 1.4), 2)
    told = _identified(seed, [(end, "platform.report", ending | {"metrics": _metrics(run, init_ms, random)})])
    return told + own_events(replace(run, cold=False)) if run.started_at.minute == 0 else told


def _seed(run: Run) -> str:
    return f"{run.function.arn} {run.started_at.isoformat()} {run.number}"


def _request_id(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def own_events(run: Run) -> list[dict[str, Any]]:
    """What the extension says of itself behind this invocation; mostly nothing."""
    seed = f"{_seed(run)} extension"
    at = run.started_at + timedelta(milliseconds=run.duration_ms + 3)
    told = list(environment.born(run.function)) if run.cold else []
    if run.number == 0 and run.started_at.minute % environment.EVERY_MINUTES == 0:
        told.append(environment.used(run.function, Random(seed)))
    return _identified(seed, ((at, *each) for each in told))


def _identified(seed: str, story: Iterable[tuple[datetime, str, Any]]) -> list[dict[str, Any]]:
    return [
        {"id": event_id(at, f"{seed} {position}"), "time": stamp(at), "type": kind, "record": record}
        for position, (at, kind, record) in enumerate(story)
    ]
