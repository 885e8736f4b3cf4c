"""Is anything lost or doubled while processes die? What was acknowledged must be there, once.

Senders post uniquely marked events and remember each acknowledged one; some batches are sent again on purpose.
Meanwhile the named processes get SIGKILL at random moments and come back a little later. In the end every
acknowledged event is looked up by its id and its payload compared, and the rollups are held against the rows.
"""

import argparse
import contextlib
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import urllib3
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from bench.bodies import pack
from bench.stack import Stack
from bench.tenant import tenant
from demo.telemetry import event_id, stamp

STREAM = "ingest:events"
LANES = 6
SECONDS_PER_KILL = 1.6
RETRIED = {429, 502, 503, 504}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--kill", default="writer=20,redis=10,postgres=5", help="process=times, comma separated")
    parser.add_argument("--resend", default="1%", help="share of acknowledged batches that are sent once more")
    parser.add_argument("--seed", type=int, default=7)


@dataclass(slots=True)
class Ledger:
    """What was acknowledged: event id → the payload that must be found under it."""

    lines: dict[str, str] = field(default_factory=dict)
    reports: dict[str, tuple[str, float]] = field(default_factory=dict)
    resent: int = 0
    refused: int = 0
    slowest_s: float = 0.0

    def acknowledge(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["type"] == "function":
                self.lines[event["id"]] = event["record"]
            else:
                record = event["record"]
                self.reports[event["id"]] = (record["requestId"], record["metrics"]["durationMs"])


def batch(number: int, size: int, now: datetime) -> dict[str, Any]:
    """One body: ``size - 1`` log lines and one report, all marked with their own numbers."""
    request_id, at = str(uuid.UUID(int=number, version=4)), now - timedelta(seconds=number % 600)
    events: list[dict[str, Any]] = [
        {
            "id": event_id(at, f"{number} {position}"),
            "time": stamp(at),
            "type": "function",
            "record": f"[INFO]\t{stamp(at)}\t{request_id}\tmarked {number}/{position} {'é' * (1 + position % 7)}",
        }
        for position in range(size - 1)
    ]
    metrics = {
        "durationMs": 1.0 + number % 5000,
        "billedDurationMs": 1 + number % 5000,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": 64,
    }
    report = {"requestId": request_id, "status": "success", "metrics": metrics}
    events.append(
        {"id": event_id(at, f"{number} report"), "time": stamp(at), "type": "platform.report", "record": report}
    )
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:conserve-{number % 10}"
    return {"schema": 1, "function": {"arn": arn, "architecture": "arm64"}, "sent_at": stamp(now), "events": events}


def deliver(pool: urllib3.PoolManager, url: str, token: str, packed: bytes, ledger: Ledger) -> None:
    """Post one body until it is acknowledged, as the extension would."""
    headers = {"Authorization": f"Bearer {token}", "Content-Encoding": "gzip", "Content-Type": "application/json"}
    while True:
        began = time.monotonic()
        try:
            answer = pool.request("POST", f"{url}/ingest/v1/telemetry", body=packed, headers=headers)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
            continue
        ledger.slowest_s = max(ledger.slowest_s, time.monotonic() - began)
        if answer.status == 202:
            return
        if answer.status not in RETRIED:
            raise RuntimeError(f"unexpected answer {answer.status}: {answer.data[:200]!r}")
        ledger.refused += 1
        time.sleep(0.2)


def lane(numbers: Any, options: argparse.Namespace, target: tuple[str, str], pace_s: float, ledger: Ledger) -> None:
    """One sender: its share of the numbered batches, at a steady pace."""
    pool = urllib3.PoolManager(maxsize=1, retries=False, timeout=15)
    share = float(options.resend.rstrip("%")) / 100
    began = time.monotonic()
    for position, number in enumerate(numbers):
        time.sleep(max(0.0, began + position * pace_s - time.monotonic()))
        random = Random(f"{options.seed} {number}")
        body = batch(number, options.batch, datetime.now(UTC))  # noqa: TID251  # A bench is an entry point.
        packed = pack(body)
        deliver(pool, *target, packed, ledger)
        ledger.acknowledge(body["events"])
        if random.random() < share:
            deliver(pool, *target, packed, ledger)
            ledger.resent += 1


def executioner(stack: Stack, plan: list[str], seconds: float, seed: int, done: threading.Event) -> None:
    """Kill and restart, at random moments spread over the run."""
    random = Random(seed)
    for name in plan:
        if done.wait(random.uniform(0.4, 1.6) * seconds / len(plan) / 2):
            return
        stack.kill(name)
        time.sleep(random.uniform(0, 0.6))
        stack.start(name)


def run_dry() -> None:
    """Wait until nothing is left in the buffer."""
    redis, deadline = Redis.from_url(settings.REDIS_URL), time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(RedisError):
            if redis.xlen(STREAM) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{redis.xlen(STREAM)} entries are still in the buffer")


def fetch(sql: str) -> list[tuple[Any, ...]]:
    with contextlib.suppress(DatabaseError):
        connection.close()
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def verdict(ledger: Ledger) -> dict[str, int]:
    """Compare what was acknowledged with what can be read."""
    lines = fetch("SELECT event_id, message FROM telemetry_log_line")
    reports = fetch("SELECT event_id, request_id, duration_ms FROM telemetry_invocation")
    stored_lines = {str(identity): message for identity, message in lines}
    stored_reports = {str(identity): (request_id, duration) for identity, request_id, duration in reports}
    lost = len(ledger.lines.keys() - stored_lines.keys()) + len(ledger.reports.keys() - stored_reports.keys())
    wrong = sum(not stored_lines[i].endswith(t.split("\t")[-1]) for i, t in ledger.lines.items() if i in stored_lines)
    wrong += sum(stored_reports[i] != r for i, r in ledger.reports.items() if i in stored_reports)
    rolled_up = int(
        fetch("SELECT coalesce(sum(invocations), 0) FROM telemetry_rollup_minute WHERE resource_id > 0")[0][0]
    )
    doubled = len(lines) - len(stored_lines) + len(reports) - len(stored_reports)
    return {
        "lost": lost,
        "duplicates": doubled + max(0, rolled_up - len(stored_reports)),
        "mismatches": wrong + max(0, len(stored_reports) - rolled_up),
    }


def run(options: argparse.Namespace) -> dict[str, object]:
    wanted = dict(part.split("=") for part in options.kill.split(",") if part)
    plan = [name for name, times in wanted.items() for _ in range(int(times))]
    Random(options.seed).shuffle(plan)
    batches, ledger, done = options.events // options.batch, Ledger(), threading.Event()
    seconds = max(10.0, len(plan) * SECONDS_PER_KILL)
    with Stack("web", "writer") as stack:
        _, token = tenant("acme", datetime.now(UTC))  # noqa: TID251  # A bench is an entry point.
        began = time.monotonic()
        with ThreadPoolExecutor(LANES + 1) as pool:
            killing = pool.submit(executioner, stack, plan, seconds, options.seed, done)
            pace, target = LANES * seconds / batches, (stack.url, token)
            sending = [pool.submit(lane, range(n, batches, LANES), options, target, pace, ledger) for n in range(LANES)]
            for lane_done in sending:
                lane_done.result()
            killing.result()
        run_dry()
        took = time.monotonic() - began
        found = verdict(ledger)
    return {
        "acknowledged": len(ledger.lines) + len(ledger.reports),
        **found,
        "kills": len(plan),
        "resent_batches": ledger.resent,
        "refused_requests": ledger.refused,
        "slowest_answer_s": round(ledger.slowest_s, 2),
        "seconds": round(took, 1),
    }
