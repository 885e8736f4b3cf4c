"""Lag and calls of many functions within AWS's quotas, in simulated time.

The product's own rules decide what is read when (``ingest.log_windows``) and how fast an account's region may be asked
(``observability.aws.quotas``); calls take as long as AWS takes, and storing as long as ``bench pull`` measures. A tenth
of the functions is busy, a fifth runs every minute, three tenths a few times in an hour, and the rest not at all; all
are connected at the same moment.
"""

import argparse
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random

from bench.quantile import quantile
from ingest.collectors.lambda_logs import PAGES, LambdaLogs
from ingest.collectors.lambda_metrics import SWEEP_EVERY
from ingest.log_windows import PAGE, Outcome, Place, advanced, beyond, readings, wait
from ingest.pipeline import LOGS_PATIENCE
from observability.aws.quotas import RATES
from observability.telemetry.records import Window

ZERO = datetime(2026, 11, 25, tzinfo=UTC)
TICK = timedelta(seconds=2)
"""How often beat has due collections claimed."""

THREADS = 8
"""Of one puller."""

LATENCY_S = (0.06, 0.30)
STORED_PER_S = 18_000
EVENTS = 7
"""Log events of one invocation."""

ALLOWED = 5
"""FilterLogEvents per second, account and region, as AWS has it outside of the largest regions."""

METRIC_DELAY = timedelta(minutes=2)
WARM_UP = timedelta(minutes=20)
CLASSES = (("busy", 0.10, 5.0), ("minutely", 0.20, 60.0), ("hourly", 0.30, 1_200.0), ("idle", 0.40, 0.0))
"""Name, share of the functions, and seconds between invocations."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--functions", type=int, default=10_000)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--pullers", type=int, default=4, help="processes, of eight threads each")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=7)


@dataclass(slots=True)
class Group:
    """One function's log group; ``ran`` are its invocations, in order, and ``stored`` how many of them are stored."""

    kind: str
    share: float
    ran: list[datetime]
    place: Place
    due_at: datetime
    stored: int = 0
    calls: int = 0

    def events(self, window: Window) -> int:
        return EVENTS * (bisect_left(self.ran, window.end) - bisect_left(self.ran, window.start))


@dataclass(slots=True)
class Region:
    """One account's region: its groups, and when it may be called again."""

    number: int
    groups: list[Group]
    free_at: datetime = ZERO
    seconds: Counter[int] = field(default_factory=Counter)
    recent: deque[datetime] = field(default_factory=deque)
    violations: int = 0

    def call(self, at: datetime) -> datetime:
        """When a call that is wanted ``at`` that moment is made."""
        rate = RATES["FilterLogEvents"]
        made = max(at, self.free_at)
        self.free_at = made + timedelta(seconds=1 / rate.per_second)
        self.recent.append(made)
        while self.recent[0] <= made - timedelta(seconds=1):
            self.recent.popleft()
        self.violations += len(self.recent) > ALLOWED
        return made


@dataclass(slots=True)
class Lags:
    """Seconds from an invocation until it is stored, by how busy its function is."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def add(self, group: Group, until: datetime, now: datetime, since: datetime) -> int:
        end = bisect_left(group.ran, until, lo=group.stored)
        fresh = group.ran[group.stored : end]
        group.stored = max(group.stored, end)
        self.found.setdefault(group.kind, []).extend((now - at).total_seconds() for at in fresh if at >= since)
        return len(fresh)

    def of(self, *kinds: str) -> list[float]:
        return sorted(lag for kind in kinds for lag in self.found.get(kind, []))


def arrivals(chance: Random, every_s: float, end: datetime) -> Iterator[datetime]:
    """Invocations at random, on average so many seconds apart, from an hour before the start on."""
    at = ZERO - timedelta(hours=1)
    while every_s and (at := at + timedelta(seconds=chance.expovariate(1 / every_s))) < end:
        yield at


def estate(options: argparse.Namespace, end: datetime) -> list[Region]:
    chance = Random(options.seed)
    regions = [Region(number, []) for number in range(options.accounts)]
    kinds = [each for each in CLASSES for _ in range(round(each[1] * options.functions))]
    for number, (kind, _, every_s) in enumerate(chance.sample(kinds, len(kinds))):
        start = ZERO - timedelta(hours=1)
        place = Place(start, start)
        group = Group(kind, chance.random(), list(arrivals(chance, every_s, end)), place, ZERO)
        regions[number % options.accounts].groups.append(group)
    return regions


def turn(region: Region, started: datetime, chance: Random, lags: Lags) -> datetime:
    """One run: the group due for longest first, until time is up or nothing is due; answers when it ended."""
    now = started
    queue = [
        (group.due_at, number) for number, group in enumerate(region.groups) if group.due_at <= now + LOGS_PATIENCE
    ]
    queue.sort(reverse=True)
    while queue and now - started < LOGS_PATIENCE and queue[-1][0] <= now:
        group = region.groups[queue.pop()[1]]
        now = read(region, group, now, chance, lags)
        if group.due_at <= now:
            queue.insert(0, (group.due_at, region.groups.index(group)))
    return now


def read(region: Region, group: Group, now: datetime, chance: Random, lags: Lags) -> datetime:
    """The product's readings of one group, page by page; answers when the last one was stored."""
    began = now
    for window in readings(group.place, now=began):
        pages = max(1, -(-group.events(window) // PAGE))
        goal = beyond(group.place, window, now=began)
        until, complete = window.end, True
        if pages > PAGES:
            until, complete = cut(group, window, goal), False
            pages = PAGES
        for _ in range(pages):
            now = region.call(now) + timedelta(seconds=chance.uniform(*LATENCY_S))
            group.calls += began >= ZERO + WARM_UP
        events = group.events(Window(window.start, until))
        now += timedelta(seconds=events / STORED_PER_S)
        new = lags.add(group, until, now, ZERO + WARM_UP)
        outcome = Outcome(until, complete, events, new, began)
        group.place = advanced(group.place, window, outcome)
        group.due_at = began + wait(group.place.idle, group.share) if complete else began
        if not complete:
            break
    return now


def cut(group: Group, window: Window, goal: datetime) -> datetime:
    """Where so many pages end, but behind the goal."""
    first = bisect_left(group.ran, window.start)
    last = group.ran[min(first + PAGES * PAGE // EVENTS, len(group.ran)) - 1]
    return min(max(last, goal + timedelta(milliseconds=1)), window.end)


def wake(region: Region, now: datetime) -> None:
    """What metrics do every five minutes: have those read at once that ran."""
    end = now - METRIC_DELAY
    for group in region.groups:
        ran = bisect_left(group.ran, end) - bisect_left(group.ran, end - SWEEP_EVERY)
        if ran and group.place.idle and group.due_at > now:
            group.due_at = now
            group.place = Place(group.place.read_until, group.place.swept_until, 0, group.place.pace)


def simulate(regions: list[Region], end: datetime, seed: int, threads: int) -> Lags:
    """Beat's ticks: runs that are due are claimed while there are threads for them."""
    chance, lags = Random(seed), Lags()
    waiting: list[tuple[datetime, int]] = []
    running: list[datetime] = []
    for region in regions:
        heappush(waiting, (ZERO + LambdaLogs.every * chance.random(), region.number))
    woken, now = ZERO, ZERO
    while now < end:
        while running and running[0] <= now:
            heappop(running)
        while waiting and waiting[0][0] <= now and len(running) < threads:
            due, number = heappop(waiting)
            ended = turn(regions[number], now, chance, lags)
            heappush(running, ended)
            heappush(waiting, (max(ended, due) + LambdaLogs.every * chance.uniform(0.5, 1.5), number))
        if now - woken >= SWEEP_EVERY:
            woken = now
            for region in regions:
                wake(region, now)
        now += TICK
    return lags


def per_hour(regions: list[Region], kind: str, hours: float) -> float:
    groups = [group for region in regions for group in region.groups if group.kind == kind]
    return round(sum(group.calls for group in groups) / max(len(groups), 1) / hours, 1)


def run(options: argparse.Namespace) -> dict[str, object]:
    end = ZERO + timedelta(hours=options.hours)
    regions = estate(options, end)
    lags = simulate(regions, end, options.seed, THREADS * options.pullers)
    hours = (end - ZERO - WARM_UP) / timedelta(hours=1)
    active, everything = lags.of("busy", "minutely"), lags.of("busy", "minutely", "hourly")
    kinds = {name: per_hour(regions, name, hours) for name, _, _ in CLASSES}
    total = sum(group.calls for region in regions for group in region.groups)
    return {
        "functions": options.functions,
        "accounts": options.accounts,
        "pullers": options.pullers,
        "invocations": len(everything),
        "p50_lag_s": round(quantile(active, 0.5), 1),
        "p95_lag_s": round(quantile(active, 0.95), 1),
        "p99_lag_s": round(quantile(active, 0.99), 1),
        "p95_lag_of_all_s": round(quantile(everything, 0.95), 1),
        "calls_per_function_hour": round(total / options.functions / hours, 1),
        "calls_per_busy_function_hour": kinds["busy"],
        "calls_per_idle_function_hour": kinds["idle"],
        "calls_per_account_s": round(total / options.accounts / hours / 3600, 2),
        "quota_violations": sum(region.violations for region in regions),
        "unstored": sum(
            bisect_left(group.ran, end - timedelta(minutes=15)) > group.stored
            for region in regions
            for group in region.groups
        ),
    }
