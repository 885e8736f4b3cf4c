import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from observability.embedded import leftovers, records

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)",
]

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Start:
    """Starts a marked process that leads its own group, as the supervisor does."""

    def run(command: list[str], mark: str = str(tmp_path)) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            command, env=os.environ | {records.MARK: mark}, start_new_session=True, stdout=subprocess.PIPE
        )

        def clean() -> None:
            process.kill()
            process.communicate()

        request.addfinalizer(clean)
        return process

    return run


def test_a_record_is_true_while_its_process_lives(start: Start, tmp_path: Path) -> None:
    process = start(SLEEP)
    records.write(tmp_path / "web.pid", process.pid)
    record = records.read(tmp_path / "web.pid")
    assert record is not None
    assert record.is_running()
    process.kill()
    process.wait()
    assert not record.is_running()


def test_a_reused_pid_is_not_our_process() -> None:
    assert not records.Record(os.getpid(), "some other time").is_running()


@pytest.mark.parametrize("text", ["", "12", "x y", "12\n"])
def test_a_cut_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "web.pid").write_text(text)
    assert records.read(tmp_path / "web.pid") is None
    assert records.read(tmp_path / "missing.pid") is None


def test_a_process_that_ignores_the_request_is_killed(start: Start, tmp_path: Path) -> None:
    process = start(STUBBORN)
    assert process.stdout is not None
    process.stdout.readline()
    records.end(records.Record(process.pid, records.started(process.pid)), signal.SIGTERM, 0.2, str(tmp_path))
    assert process.wait(timeout=5) == -signal.SIGKILL


def test_members_of_a_group_outlive_their_leader_only_until_we_come(start: Start, tmp_path: Path) -> None:
    script = f"import subprocess; print(subprocess.Popen({SLEEP!r}).pid, flush=True)"
    leader = start([sys.executable, "-c", script])
    assert leader.stdout is not None
    orphan = int(leader.stdout.readline())
    leader.wait()
    assert records.group(leader.pid, str(tmp_path)) == [orphan]
    assert records.group(leader.pid, "another checkout") == []
    records.end(records.Record(leader.pid, "gone"), signal.SIGTERM, 1, str(tmp_path))
    deadline = time.monotonic() + 5
    while records.started(orphan) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not records.started(orphan)


def test_leftovers_of_a_killed_run_are_ended(start: Start, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    process = start(SLEEP)
    records.write(tmp_path / "run" / "web.pid", process.pid)
    (tmp_path / "run" / "beat.pid").write_text("1 another time\n")
    assert leftovers.end(tmp_path) == 1
    assert process.wait(timeout=5) == -signal.SIGTERM
    assert list((tmp_path / "run").iterdir()) == []


def test_a_note_about_a_postmaster_is_removed_when_its_pid_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    assert leftovers.end(tmp_path) == 0
    assert not (data / "postmaster.pid").exists()


def test_a_process_that_serves_the_data_is_ended(start: Start, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    data = tmp_path / "postgres"
    data.mkdir()
    # The shell of a background job has its children ignore SIGINT.
    script = (
        "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        f"os.chdir({str(data)!r}); print(flush=True); time.sleep(60)"
    )
    process = start([sys.executable, "-c", script])
    assert process.stdout is not None
    process.stdout.readline()
    (data / "postmaster.pid").write_text(f"{process.pid}\n{data}\n")
    assert leftovers.end(tmp_path) == 1
    assert process.wait(timeout=5) == -signal.SIGINT
