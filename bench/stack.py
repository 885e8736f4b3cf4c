"""The real product on free ports with a temporary data folder, as child processes that a bench may kill.

with Stack("web", "writer") as stack:
    stack.url          # of the web process
    stack.kill("writer"); stack.start("writer")
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import urllib3
from django.core.management import call_command
from django.db import connection

from bench.environment import PORTS
from observability.embedded import postgres, redis
from observability.embedded.processes import product
from observability.embedded.startup import accepts, create_database, pings, resolved

ROOT = Path(__file__).resolve().parent.parent
READY_S = 40


def answers(name: str) -> bool:
    """Whether a server serves; processes without a port are not waited for."""
    if name == "postgres":
        return accepts(os.environ["DATABASE_URL"])
    if name == "redis":
        return pings(os.environ["REDIS_URL"])
    if name != "web":
        return True
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        return urllib3.request("GET", f"http://127.0.0.1:{PORTS['web']}/healthz", retries=False).status < 500
    return False


class Stack:
    """PostgreSQL, Redis and the named processes of ``observability.embedded.processes``."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.folder = Path(tempfile.mkdtemp(prefix="nightjar-bench-"))
        self.folder.chmod(0o755)
        self.ports = PORTS
        self.url = f"http://127.0.0.1:{self.ports['web']}"
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        postgres.initialise(self.folder / "postgres")
        (self.folder / "redis").mkdir()
        for server in ("postgres", "redis"):
            self.start(server)
        create_database(os.environ["DATABASE_URL"])
        call_command("migrate", verbosity=0)
        connection.close()
        for name in self.names:
            self.start(name)
        return self

    def command(self, name: str) -> list[str]:
        if name == "postgres":
            return postgres.command(self.folder / "postgres", self.ports["postgres"])
        if name == "redis":
            return redis.command(self.folder / "redis", self.ports["redis"])
        command = {process.name: process.command for process in product("127.0.0.1", self.ports["web"])}[name]
        return list(resolved(command))

    def start(self, name: str) -> None:
        """Start a child and wait until it answers.

        PostgreSQL may have to try again: after SIGKILL its old backends hold the shared memory for a moment.
        """
        self.spawn(name)
        deadline = time.monotonic() + READY_S
        while not answers(name):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not answer:\n" + self.log(name))
            if self.children[name].poll() is not None:
                self.spawn(name)
            time.sleep(0.05)

    def spawn(self, name: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.children[name] = subprocess.Popen(
            self.command(name),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=postgres.server_user() if name == "postgres" else None,
            start_new_session=True,
        )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash would; the child's own children go with it."""
        child = self.children.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def stop(self, name: str) -> None:
        child = self.children.pop(name)
        # To PostgreSQL, SIGTERM means to wait for its clients; SIGINT sends them away.
        child.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            print(f"{name} did not stop within 20 s", file=sys.stderr)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection.close()
        if kind:
            for name in self.names:
                print(f"--- {name}\n{self.log(name)}", file=sys.stderr)
        for name in reversed(list(self.children)):
            self.stop(name)
        shutil.rmtree(self.folder, ignore_errors=True)
