"""Which processes belong to this checkout: pids with their start times, so that a reused pid is never mistaken."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MARK = "NIGHTJAR_UP"


@dataclass(frozen=True, slots=True)
class Record:
    """A process that leads a group of its own; ``started`` is the kernel's word, comparable only for equality."""

    pid: int
    started: str

    def is_running(self) -> bool:
        return started(self.pid) == self.started


def started(pid: int) -> str:
    """When ``pid`` started, in whatever form the system gives; empty when there is no such process (or a zombie)."""
    if not PROC.joinpath("self").exists():
        command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    fields = stat(pid)
    return f"{boot()}/{fields[19]}" if fields and fields[0] not in "ZX" else ""


def boot() -> str:
    """The id of this boot of the machine: start times count from it."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def stat(pid: int) -> list[str]:
    """``/proc/<pid>/stat`` from the state on: 0 state, 1 parent, 2 group, 19 start time; empty when it is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []


def pids() -> list[int]:
    """Every process of the machine; none where there is no ``/proc``."""
    return [int(entry.name) for entry in PROC.glob("[0-9]*")]


def children(parent: int) -> list[int]:
    return [pid for pid in pids() if (fields := stat(pid)) and int(fields[1]) == parent]


def group(leader: int, mark: str) -> list[int]:
    """The living members of a group that were started for ``mark``, also when the leader is gone."""
    return [pid for pid in pids() if (f := stat(pid)) and int(f[2]) == leader and f[0] != "Z" and carries(pid, mark)]


def carries(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}\0".encode() in (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False


def write(path: Path, pid: int) -> None:
    path.write_text(f"{pid} {started(pid)}\n")


def read(path: Path) -> Record | None:
    """The record in ``path``; None when there is none or it was cut short."""
    with contextlib.suppress(OSError, ValueError):
        pid, moment = path.read_text().split(maxsplit=1)
        return Record(int(pid), moment.strip())
    return None


def end(record: Record, how: signal.Signals, seconds: float, mark: str) -> None:
    """Ask the leader to stop, then after ``seconds`` kill whatever is left of its group."""
    if record.is_running():
        tell(record.pid, how)
    deadline = time.monotonic() + seconds
    while record.is_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    if record.is_running():
        tell(record.pid, signal.SIGKILL)
    for pid in group(record.pid, mark):
        tell(pid, signal.SIGKILL)


def tell(pid: int, what: signal.Signals) -> None:
    """Send a signal; a process that is already gone needs none."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)
