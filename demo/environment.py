"""What the companion extension says of itself in the simulated environments: sizes, usage, and who else is there."""

from collections.abc import Iterator
from random import Random
from typing import Any

from demo.catalogue import Function

EVERY_MINUTES = 5
"""How often one environment of a function tells what it used; a real one does every minute."""

MEGABYTE = 1 << 20
NEIGHBOURS = {"fraud-score": "lambda-insights", "pdf-invoice": "otel-collector"}
"""Functions with another extension, and which."""

CODE_MB = {"auth-token": 9, "fraud-score": 171, "pdf-invoice": 96, "inventory-sync": 88, "image-resize": 41}
LAYERS_MB = {"fraud-score": 58, "pdf-invoice": 112}


def born(function: Function) -> Iterator[tuple[str, Any]]:
    """What is told once per environment."""
    for name in ("nightjar", NEIGHBOURS.get(function.name)):
        if name:
            yield "platform.extension", {"name": name, "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    code, layers = CODE_MB.get(function.name, 14) * MEGABYTE, LAYERS_MB.get(function.name, 0) * MEGABYTE
    folders = [("/var/task", code), ("/opt/lib", layers), ("/opt/extensions", 8 * MEGABYTE)]
    yield (
        "nightjar.size",
        {
            "codeBytes": code,
            "layersBytes": layers + 8 * MEGABYTE,
            "files": code // 20_000,
            "complete": True,
            "folders": [{"path": path, "bytes": size} for path, size in folders if size],
        },
    )


def used(function: Function, random: Random) -> tuple[str, Any]:
    """What the environment used since it told last."""
    invocations = max(1, round(function.per_minute * EVERY_MINUTES * random.uniform(0.3, 0.9)))
    return (
        "nightjar.usage",
        {
            "invocations": invocations,
            "heldMs": round(invocations * random.uniform(0.3, 0.9), 3),
            "ownCpuMs": round(invocations * random.uniform(0.4, 0.6), 3),
            "ownRssBytes": random.randrange(8 * MEGABYTE, 10 * MEGABYTE),
            "cpuMs": round(invocations * function.median_ms * random.uniform(0.3, 0.5), 1),
            "rxBytes": invocations * random.randrange(20_000, 60_000),
            "txBytes": invocations * random.randrange(5_000, 20_000),
            "tmpUsedBytes": random.randrange(1, 40) * MEGABYTE if function.used_mb > 300 else 4096,
            "tmpSizeBytes": 512 * MEGABYTE,
            "fds": random.randrange(14, 40),
            "threads": random.randrange(6, 24),
            "maxRssBytes": int(function.used_mb * random.uniform(0.9, 1.1)) * MEGABYTE,
        },
    )
