"""Keeps the children of `make up` alive, and leaves none of them behind.

Each child leads a process group of its own. When one dies, the rest of its group is killed and it is started again;
when we die, even by ``kill -9``, the kernel sends every child its stop signal (see ``kernel``).
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from observability.embedded import console, kernel, records

KEPT_LOGS = 5
TICK = 0.25
CALM = 30.0  # A child that lived this long starts again at once; its earlier failures are forgiven.
LONGEST_PAUSE = 15.0
PEEK = os.WEXITED | os.WNOHANG | getattr(os, "WNOWAIT", 0)


class StopRequested(BaseException):
    """Somebody asked us to stop (Ctrl-C, SIGTERM, a closed terminal); not an error."""


class DiedEarlyError(RuntimeError):
    """A child ended before it ever answered; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Service:
    """A child to keep alive. ``user`` is whom it runs as when we are root; ``may_search``: see ``kernel.prepare``."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: dict[str, str]
    stop: signal.Signals = signal.SIGTERM
    grace: float = 10
    user: str | None = None
    may_search: bool = False


@dataclass(slots=True)
class Child:
    """One service's current process; ``failures`` counts deaths in a row and sets the pause before the next start."""

    service: Service
    process: subprocess.Popen[bytes]
    begun: float
    follower: console.Follower
    failures: int = 0
    due: float | None = None

    def is_alive(self) -> bool:
        return self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """Starts, watches and stops services; ``folder`` is the checkout's ``var``."""

    folder: Path
    root: Path
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """What the environment of every process of this checkout carries."""
        return str(self.folder)

    def log(self, name: str) -> Path:
        return self.folder / "log" / f"{name}.log"

    def record(self, name: str) -> Path:
        return self.folder / "run" / f"{name}.pid"

    def start(self, service: Service) -> None:
        """Start a service for the first time in this run, with a fresh log."""
        rotate(self.log(service.name))
        self.children[service.name] = Child(
            service, self.spawn(service), time.monotonic(), console.Follower(self.log(service.name))
        )

    def spawn(self, service: Service) -> subprocess.Popen[bytes]:
        with self.log(service.name).open("ab") as log:
            process = subprocess.Popen(
                service.command,
                env=service.environment | {records.MARK: self.mark},
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # We have one thread, so running Python between fork and exec is safe.
                preexec_fn=kernel.prepare(service.stop, service.user, service.may_search),
            )
        records.write(self.record(service.name), process.pid)
        return process

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Return once ``ready()``; raises ``DiedEarlyError`` or ``TimeoutError`` with the end of the log."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.children[name].is_alive():
                raise DiedEarlyError(self.obituary(name))
            if time.monotonic() > deadline:
                log = self.log(name)
                raise TimeoutError(f"{name} did not answer within {seconds:.0f} s; {log} ends so:\n{console.tail(log)}")
            time.sleep(0.05)

    def obituary(self, name: str) -> str:
        log, code = self.log(name), self.children[name].process.returncode
        return f"{name} ended at once with code {code}; {log} ends so:\n{console.tail(log)}"

    def watch(self) -> None:
        """Heal what dies and show what the logs warn of, until somebody asks us to stop."""
        repeats = console.Repeats()
        while True:
            for child in self.children.values():
                moment = time.monotonic()
                self.heal(child, moment)
                for line in child.follower.lines():
                    text = console.warning(line)[:300]
                    if text and repeats.is_news(text, moment):
                        console.say(f"{child.service.name:>9} | {text}")
            self.bury()
            time.sleep(TICK)

    def heal(self, child: Child, moment: float) -> None:
        """Start a dead child again: at once after a calm life, with growing pauses when it keeps dying."""
        if child.is_alive():
            return
        if child.due is None:
            self.clear_group(child)
            calm = moment - child.begun > CALM
            child.failures = 1 if calm else child.failures + 1
            pause = min(LONGEST_PAUSE, 0.25 * 2 ** (child.failures - 1))
            child.due = moment + pause
            code = child.process.returncode
            console.say(f"{child.service.name:>9} | ended with code {code}; starting it again in {pause:.1f} s")
        elif moment >= child.due:
            child.process, child.begun, child.due = self.spawn(child.service), moment, None

    def clear_group(self, child: Child) -> None:
        """Kill what a dead leader left behind: workers that would hold its port or its locks."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Reap orphans that the kernel handed to us; our own children are reaped by their ``Popen``."""
        if not kernel.LINUX:
            return
        own = {child.process.pid for child in self.children.values()}
        with contextlib.suppress(ChildProcessError):
            while (dead := os.waitid(os.P_ALL, 0, PEEK)) and dead.si_pid not in own:
                os.waitpid(dead.si_pid, 0)

    def stop(self, stages: Sequence[Sequence[str]]) -> None:
        """Stop every child, stage by stage; whoever outstays its grace is killed with its whole group."""
        for stage in stages:
            leaving = [self.children[name] for name in stage if name in self.children]
            for child in leaving:
                child.due = None
                if child.is_alive():
                    child.process.send_signal(child.service.stop)
            for child in leaving:
                self.see_off(child)
        self.children.clear()
        self.sweep()

    def sweep(self) -> None:
        """Kill the orphans that came to us, and theirs, until none is left."""
        while orphans := [pid for pid in records.children(os.getpid()) if records.carries(pid, self.mark)]:
            for pid in orphans:
                records.tell(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def see_off(self, child: Child) -> None:
        try:
            child.process.wait(timeout=child.service.grace)
        except subprocess.TimeoutExpired:
            console.say(f"  {child.service.name} did not stop within {child.service.grace:.0f} s and was killed")
            child.process.kill()
        self.clear_group(child)
        child.process.wait()
        self.record(child.service.name).unlink(missing_ok=True)


def rotate(log: Path) -> None:
    """Keep the logs of the last starts as ``.1`` (newest) to ``.5``."""
    for number in range(KEPT_LOGS - 1, 0, -1):
        older = log.with_suffix(f".log.{number}")
        if older.exists():
            older.replace(log.with_suffix(f".log.{number + 1}"))
    if log.exists():
        log.replace(log.with_suffix(".log.1"))


def listen_for_stop() -> None:
    """From now on SIGINT, SIGTERM and SIGHUP raise ``StopRequested`` in the main thread."""

    def request(_number: int, _frame: FrameType | None) -> None:
        ignore_stop()
        raise StopRequested

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, request)


def ignore_stop() -> None:
    """A second Ctrl-C must not interrupt the stopping itself."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
