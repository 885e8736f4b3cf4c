"""The whole product under `manage.py up`, without the demo."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from observability.embedded import ports, processes, records

ROOT = Path(__file__).parents[3]
NAMES = {"redis", "postgres", *(process.name for process in processes.product("", 0))}
PATIENCE = 120

pytestmark = [pytest.mark.services, pytest.mark.enable_socket]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/setup/", timeout=10) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture
def port() -> int:
    return ports.next_free(27_000 + os.getpid() % 1_000)


@pytest.fixture
def up(tmp_path: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "ENV_FILE": "/dev/null",
        "VAR_DIR": str(tmp_path),
        "PORT": str(port),
        "DEMO": "0",
    }
    with (tmp_path / "terminal").open("w") as terminal:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=terminal, stderr=terminal, text=True
        )
    yield process
    process.terminate()
    process.wait(timeout=PATIENCE)


def record(folder: Path, name: str) -> records.Record:
    found = records.read(folder / "run" / f"{name}.pid")
    assert found is not None
    return found


def ours(folder: Path) -> list[int]:
    return [pid for pid in records.pids() if records.carries(pid, str(folder))]


def test_it_starts_heals_and_leaves_nothing_behind(up: "subprocess.Popen[str]", tmp_path: Path, port: int) -> None:
    terminal = tmp_path / "terminal"
    until(lambda: "Nightjar is ready" in terminal.read_text() or up.poll() is not None)
    assert f"Create your account at http://localhost:{port}" in terminal.read_text(), terminal.read_text()
    assert answers(port)
    assert {path.stem for path in (tmp_path / "run").glob("*.pid")} == NAMES | {"up"}

    killed = {name: record(tmp_path, name) for name in ("redis", "postgres", "web")}
    for each in killed.values():
        records.tell(each.pid, signal.SIGKILL)
    until(lambda: all(record(tmp_path, name) != each for name, each in killed.items()))
    until(lambda: answers(port))

    up.send_signal(signal.SIGINT)
    up.wait(timeout=PATIENCE)
    assert "no process is left" in terminal.read_text()
    assert ours(tmp_path) == []
    assert not ports.answers(port)
