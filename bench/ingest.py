"""How many events per second one web process accepts, and how many become queryable with every process running.

The limit measured in the same run: a plain psycopg binary COPY of the very rows that the events became into the very
tables. Events that become no row of their own (platform.start, platform.runtimeDone) count on neither side.
"""

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from redis import Redis

from bench import facts, load
from bench.bodies import envelopes, pack
from bench.stack import Stack
from bench.tenant import tenant

STREAM = "ingest:events"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--lanes", type=int, default=4, help="connections of the load process")


def accepted_per_s(stack: Stack, token: str, file: Path, events: int, lanes: int) -> float:
    """Web alone: the load process on one core, the web process and Redis on the other."""
    return events / load.finish(load.start(stack.url, token, file, lanes))["seconds"]


def run_dry(seconds: float = 120) -> None:
    """Wait until the buffer is empty: the writer acknowledges after its commit, so everything is queryable then."""
    redis = Redis.from_url(settings.REDIS_URL)
    deadline = time.monotonic() + seconds
    while redis.xlen(STREAM):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{redis.xlen(STREAM)} entries are still in the buffer")
        time.sleep(0.02)


def run(options: argparse.Namespace) -> dict[str, object]:
    now = datetime.now(UTC)  # noqa: TID251  # A bench is an entry point; it reads the clock.
    bodies = list(envelopes(options.events, options.batch, now))
    events = sum(len(body["events"]) for body in bodies)
    size = sum(len(str(body)) for body in bodies[:100]) / sum(len(body["events"]) for body in bodies[:100])
    with Stack("web") as stack:
        _, token = tenant("acme", now)
        file = stack.folder / "bodies"
        load.write(file, [pack(body) for body in bodies])
        accepted = accepted_per_s(stack, token, file, events, options.lanes)
        stack.start("writer")
        run_dry()
        counted = facts.counts()
        rows = sum(counted.values())
        invocation_bytes = facts.bytes_per_row("telemetry_invocation", counted["telemetry_invocation"])
        log_bytes = facts.bytes_per_row("telemetry_log_line", counted["telemetry_log_line"])
        facts.truncate()
        stack.start("worker")
        stack.start("beat")
        time.sleep(5)
        began = time.monotonic()
        load.finish(load.start(stack.url, token, file, options.lanes))
        run_dry()
        seconds = time.monotonic() - began
        if (again := sum(facts.counts().values())) != rows:
            raise RuntimeError(f"{again} rows instead of {rows}")
        everything = [facts.take(table) for table in facts.TABLES]
        facts.truncate()
        limit = facts.copy(everything)
    return {
        "events": events,
        "rows": rows,
        "bytes_per_event": round(size),
        "accepted_per_s": round(accepted),
        "end_to_end_per_s": round(events / seconds),
        "copy_limit_per_s": round(events / limit),
        "copy_limit_rows_per_s": round(rows / limit),
        "end_to_end_ratio": round(limit / seconds, 3),
        "bytes_per_invocation": round(invocation_bytes),
        "bytes_per_log_line": round(log_bytes),
    }
