"""What the companion extension costs: start, memory, processor, size, and time added to an invocation.

Invocations with the extension and without it take turns, so that whatever else the machine does troubles both alike.
"""

import argparse
import gc
import importlib.util
import random
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import psutil

from bench.nightjar import Nightjar, status
from bench.quantile import quantile
from bench.sandbox import PATIENCE_S, Sandbox, event

MIB = 1024 * 1024
ROOT = Path(__file__).resolve().parent.parent
KEY = "njk_pretend"
RATE, TICK_S = 10_000, 0.05
WORK = 40_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--starts", type=int, default=100, help="how often to start it")
    parser.add_argument("--invocations", type=int, default=400, help="of each kind")
    parser.add_argument("--busy", type=float, default=10, help=f"seconds at {RATE} events per second")
    parser.add_argument("--down", type=float, default=20, help="seconds without Nightjar")


def builder() -> ModuleType:
    """``extension/build.py``, which is a script beside the sources and no package."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "extension" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(options: argparse.Namespace) -> dict[str, object]:
    layer: Path = builder().build()["x86_64"]
    binary = layer.parent / "x86_64" / "nightjar"
    with Nightjar() as nightjar:
        environment = {"NIGHTJAR_ENDPOINT": nightjar.url, "NIGHTJAR_KEY": KEY}

        def sandbox(**more: str) -> Sandbox:
            return Sandbox(binary, environment | more)

        registered, ready = starts(sandbox, options.starts)
        return {
            "register_p95_ms": round(quantile(registered, 0.95) * 1000, 1),
            "ready_p95_ms": round(quantile(ready, 0.95) * 1000, 1),
            **burst(sandbox(), nightjar, options.busy),
            "zip_mb": round(layer.stat().st_size / 1e6, 1),
            "unzipped_mb": round(binary.stat().st_size / 1e6, 1),
            **added(sandbox(), options.invocations),
            **outage(sandbox(), nightjar, options.down),
        }


def starts(sandbox: Callable[[], Sandbox], count: int) -> tuple[list[float], list[float]]:
    """Seconds from the start of the process until it is registered, and until it asks for the first event."""
    registered, ready = [], []
    for _ in range(count):
        with sandbox() as started:
            assert started.registered.wait(PATIENCE_S)
            started.wait_until_ready()
            registered.append(started.registered_at - started.started)
            ready.append(started.waiting_at - started.started)
    return registered, ready


def burst(sandbox: Sandbox, nightjar: Nightjar, seconds: float) -> dict[str, float]:
    """Resident memory at rest and at ten thousand events a second, and what an event costs."""
    some = [event("function", f"2026-01-01T12:00:00.000Z\tINFO\t{random.random()} " + "x" * 160) for _ in range(500)]
    with sandbox as started:
        started.wait_until_ready()
        time.sleep(1)
        process = psutil.Process(started.process.pid)
        idle, cpu, sent, peak = process.memory_info().rss, sum(process.cpu_times()[:2]), 0, 0
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            if sent < now * RATE:
                started.tell(some)
                sent += len(some)
                peak = max(peak, process.memory_info().rss)
            else:
                time.sleep(TICK_S / 10)
        nightjar.wait_for(lambda: len(nightjar.events("function")) + nightjar.dropped() >= sent, 30)
        spent = sum(process.cpu_times()[:2]) - cpu
    nightjar.bodies.clear()
    return {
        "rss_idle_mib": round(idle / MIB, 1),
        "rss_busy_mib": round(peak / MIB, 1),
        "busy_events_per_s": round(sent / seconds),
        "cpu_ms_per_1000_events": round(spent * 1e6 / sent, 2),
    }


def work() -> None:
    """What the pretend function does: some milliseconds of one processor."""
    total = 0
    for number in range(WORK):
        total += number * number


def added(sandbox: Sandbox, count: int) -> dict[str, float]:
    """The function's own time with the extension awake beside it, and with it frozen, in turns."""
    beside, alone, held = [], [], []
    gc.disable()
    with sandbox as started:
        for _ in range(count):
            invocation = started.invoke(["hello"], function=work)
            beside.append(invocation.function_s)
            held.append(invocation.held_s)
            began = time.perf_counter()
            work()
            alone.append(time.perf_counter() - began)
    gc.enable()
    return {
        "added_latency_p50_ms": round((quantile(beside, 0.5) - quantile(alone, 0.5)) * 1000, 2),
        "added_latency_p95_ms": round((quantile(beside, 0.95) - quantile(alone, 0.95)) * 1000, 2),
        "function_p95_ms": round(quantile(alone, 0.95) * 1000, 2),
        "held_p95_ms": round(quantile(held, 0.95) * 1000, 2),
    }


def outage(sandbox: Sandbox, nightjar: Nightjar, seconds: float) -> dict[str, float]:
    """The same while Nightjar answers 503 only."""
    beside, alone = [], []
    nightjar.always = status(503)
    with sandbox as started:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            beside.append(started.invoke(["hello"] * 50, function=work).function_s)
            began = time.perf_counter()
            work()
            alone.append(time.perf_counter() - began)
    return {"down_added_p95_ms": round((quantile(beside, 0.95) - quantile(alone, 0.95)) * 1000, 2)}
