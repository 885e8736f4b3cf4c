"""Resident memory of the whole idle product, process by process, the demo left out.

``rss_mib`` counts pages that processes share once per process, as ``ps`` does; ``pss_mib`` divides them.
"""

import argparse
import time
from datetime import UTC, datetime

import psutil
import urllib3

from bench import load
from bench.bodies import envelopes, pack
from bench.ingest import run_dry
from bench.stack import Stack
from bench.tenant import tenant

PROCESSES = ("web", "writer", "worker", "puller", "beat")
MIB = 1024 * 1024


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--idle", type=float, default=10, help="seconds of quiet before measuring")


def memory(pid: int) -> tuple[float, float]:
    """Resident and proportional set size of a process and everything below it, in MiB."""
    root = psutil.Process(pid)
    infos = [process.memory_full_info() for process in (root, *root.children(recursive=True))]
    return sum(i.rss for i in infos) / MIB, sum(i.pss for i in infos) / MIB


def warm_up(stack: Stack) -> None:
    """Each process has done its work once before it is measured: events came in, were stored and judged."""
    now = datetime.now(UTC)  # noqa: TID251  # A bench is an entry point; it reads the clock.
    _, token = tenant("acme", now)
    file = stack.folder / "bodies"
    load.write(file, [pack(body) for body in envelopes(5_000, 100, now)])
    load.finish(load.start(stack.url, token, file))
    run_dry()
    urllib3.request("GET", f"{stack.url}/accounts/login/")


def run(options: argparse.Namespace) -> dict[str, object]:
    with Stack(*PROCESSES) as stack:
        warm_up(stack)
        time.sleep(options.idle)
        measured = {name: memory(child.pid) for name, child in stack.children.items()}
    return {
        "rss_mib": round(sum(rss for rss, _ in measured.values())),
        "pss_mib": round(sum(pss for _, pss in measured.values())),
        "processes": [{"name": n, "rss_mib": round(rss), "pss_mib": round(pss)} for n, (rss, pss) in measured.items()],
    }
