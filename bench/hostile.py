"""Thousands of hostile bodies against one web process: what it answers, how long it takes, how much memory it needs."""

import argparse
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from queue import Empty, Queue

import psutil
import urllib3

from bench.hostile_bodies import HostileBody, bodies, mutated
from bench.quantile import quantile
from bench.stack import Stack
from bench.tenant import tenant

MIB = 1024 * 1024
CODES_SHOWN = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--lanes", type=int, default=8, help="connections at once")


class Assault:
    """Posts bodies over several connections and keeps count."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = f"{url}/ingest/v1/telemetry", token
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.seconds: list[float] = []

    def post(self, pool: urllib3.PoolManager, hostile: HostileBody) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **hostile.headers}
        began = time.monotonic()
        response = pool.request("POST", self.url, body=hostile.body, headers=headers)
        self.seconds.append(time.monotonic() - began)
        answer = json.loads(response.data)
        problem = response.headers["Content-Type"] == "application/problem+json" and bool(answer.get("code"))
        self.answers[f"{response.status} {answer.get('code', '')}".strip()] += 1
        if response.status >= 500 or (response.status != 202 and not problem):
            self.wrong.append(f"{hostile.name}: {response.status} {answer}"[:200])

    def lane(self, waiting: "Queue[HostileBody]") -> None:
        pool = urllib3.PoolManager(maxsize=1, retries=urllib3.Retry(2, redirect=0))
        while True:
            try:
                hostile = waiting.get_nowait()
            except Empty:
                return
            self.post(pool, hostile)

    def run(self, all_bodies: Iterator[HostileBody], lanes: int) -> None:
        waiting: Queue[HostileBody] = Queue()
        for hostile in all_bodies:
            waiting.put(hostile)
        threads = [threading.Thread(target=self.lane, args=(waiting,)) for _ in range(lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class Peak(threading.Thread):
    """Watches the resident memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        root = psutil.Process(pid)
        self.processes = [root, *root.children(recursive=True)]
        self.start_mib = self.peak_mib = self.now()
        self.over = threading.Event()

    def now(self) -> float:
        return sum(process.memory_info().rss for process in self.processes) / MIB

    def run(self) -> None:
        while not self.over.wait(0.005):
            self.peak_mib = max(self.peak_mib, self.now())


def run(options: argparse.Namespace) -> dict[str, object]:
    now = datetime.now(UTC)  # noqa: TID251  # A bench is an entry point; it reads the clock.
    with Stack("web") as stack:
        _, token = tenant("acme", now)
        chance = random.Random(options.seed + 1)
        Assault(stack.url, token).run(
            (mutated(now, chance) for _ in range(500)), options.lanes
        )  # Warm, before any bomb.
        peak = Peak(stack.children["web"].pid)
        peak.start()
        assault = Assault(stack.url, token)
        assault.run(bodies(options.bodies, seed=options.seed, now=now), options.lanes)
        peak.over.set()
        peak.join()
    milliseconds = sorted(second * 1000 for second in assault.seconds)
    return {
        "bodies": sum(assault.answers.values()),
        "server_errors_or_formless": len(assault.wrong),
        "p50_ms": round(quantile(milliseconds, 0.5), 1),
        "p99_ms": round(quantile(milliseconds, 0.99), 1),
        "rss_start_mib": round(peak.start_mib, 1),
        "rss_growth_mib": round(peak.peak_mib - peak.start_mib, 1),
        "answers": [{"answer": answer, "count": count} for answer, count in assault.answers.most_common(CODES_SHOWN)],
        "wrong": [{"what": what} for what in assault.wrong[:20]],
    }
