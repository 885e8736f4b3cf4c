"""What the companion extension says of itself in the simulated environments: sizes, usage, and who else is there."""

from collections.abc import Iterator
from random import Random
from typing import Any

from demo import packages
from demo.catalogue import Function

EVERY_MINUTES = 5
"""How often one environment of a function tells what it used; a real one does every minute."""

MEGABYTE = 1 << 20
NEIGHBOURS = {"fraud-score": "lambda-insights", "pdf-invoice": "otel-collector"}
"""Functions with another extension, and which."""


def born(function: Function) -> Iterator[tuple[str, Any]]:
    """What is told once per environment."""
    for name in ("nightjar", NEIGHBOURS.get(function.name)):
        if name:
            yield "platform.extension", {"name": name, "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    code, layers = packages.code(function), packages.layers(function)
    folders = sized("/var/task", code) | {
        path: size for layer in layers for path, size in sized("/opt", packages.LAYERS[layer]).items()
    }
    yield (
        "nightjar.size",
        {
            "codeBytes": packages.size(code),
            "layersBytes": sum(packages.size(packages.LAYERS[layer]) for layer in layers),
            "files": len(code) + sum(len(packages.LAYERS[layer]) for layer in layers),
            "complete": True,
            "folders": [{"path": path, "bytes": size} for path, size in sorted(folders.items(), key=lambda f: -f[1])],
        },
    )


def sized(root: str, files: packages.Files) -> dict[str, int]:
    """Bytes by folder, two deep, as the extension tells them."""
    found: dict[str, int] = {}
    for path, content in files.items():
        folder = "/".join([root, *path.split("/")[:-1][:2]])
        found[folder] = found.get(folder, 0) + packages.size({path: content})
    return found


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
