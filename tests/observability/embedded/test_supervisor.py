import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from observability.embedded import records, supervisor
from observability.embedded.supervisor import DiedEarlyError, Service, Supervisor

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
# A leader with a helper, as web and worker have; it prints the helper's pid.
FAMILY = (
    sys.executable,
    "-c",
    f"import subprocess; print(subprocess.Popen({list(SLEEP)!r}).pid, flush=True); import time; time.sleep(60)",
)
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
)


def service(*command: str, grace: float = 5) -> Service:
    return Service("web", "the web server", command, {"PATH": "/usr/bin:/bin"}, grace=grace)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Supervisor]:
    for name in ("log", "run"):
        (tmp_path / name).mkdir()
    keeper = Supervisor(tmp_path, tmp_path)
    yield keeper
    keeper.stop([["web"]])


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def test_it_leaves_a_record_while_the_child_lives(watched: Supervisor) -> None:
    watched.start(service(*SLEEP))
    record = records.read(watched.record("web"))
    assert record is not None
    assert record.is_running()
    watched.stop([["web"]])
    assert not record.is_running()
    assert not watched.record("web").exists()


def test_a_killed_child_is_started_again(watched: Supervisor) -> None:
    watched.start(service(*SLEEP))
    child = watched.children["web"]
    first = child.process.pid
    child.process.kill()
    child.process.wait()
    watched.heal(child, time.monotonic())
    assert child.due is not None
    watched.heal(child, child.due)
    assert child.is_alive()
    assert child.process.pid != first


def test_one_that_keeps_dying_is_started_less_and_less_often(watched: Supervisor) -> None:
    watched.start(service(sys.executable, "-c", "raise SystemExit(3)"))
    child = watched.children["web"]
    pauses = []
    for _ in range(9):
        child.process.wait()
        moment = child.begun
        watched.heal(child, moment)
        assert child.due is not None
        pauses.append(child.due - moment)
        watched.heal(child, child.due)
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(0.25)
    assert pauses[-1] == pytest.approx(supervisor.LONGEST_PAUSE)


def test_a_calm_life_forgives_earlier_failures(watched: Supervisor) -> None:
    watched.start(service(sys.executable, "-c", "raise SystemExit(3)"))
    child = watched.children["web"]
    child.failures = 7
    child.process.wait()
    watched.heal(child, child.begun + supervisor.CALM + 1)
    assert child.failures == 1


def test_what_a_dead_leader_left_behind_is_killed(watched: Supervisor) -> None:
    watched.start(service(*FAMILY))
    child = watched.children["web"]
    until(lambda: watched.log("web").read_text().endswith("\n"))
    helper = int(watched.log("web").read_text())
    child.process.kill()
    child.process.wait()
    watched.heal(child, time.monotonic())
    until(lambda: not records.started(helper))


def test_one_that_ignores_the_request_is_killed_after_its_grace(watched: Supervisor) -> None:
    watched.start(service(*STUBBORN, grace=0.2))
    process = watched.children["web"].process
    until(lambda: watched.log("web").read_text())
    watched.stop([["web"]])
    assert process.returncode == -signal.SIGKILL


def test_a_child_that_never_came_up_is_reported_with_its_log(watched: Supervisor) -> None:
    watched.start(service(sys.executable, "-c", "raise SystemExit('no such setting')"))
    with pytest.raises(DiedEarlyError, match="no such setting"):
        watched.wait_until("web", lambda: False, 10)


def test_a_child_that_does_not_answer_is_reported(watched: Supervisor) -> None:
    watched.start(service(*SLEEP))
    with pytest.raises(TimeoutError, match="did not answer"):
        watched.wait_until("web", lambda: False, 0.1)


def test_logs_of_earlier_starts_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    for number in range(8):
        log.write_text(str(number))
        supervisor.rotate(log)
    kept = sorted((path.name, path.read_text()) for path in tmp_path.iterdir())
    assert kept == [("web.log.1", "7"), ("web.log.2", "6"), ("web.log.3", "5"), ("web.log.4", "4"), ("web.log.5", "3")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_children_die_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    for name in ("log", "run"):
        (tmp_path / name).mkdir()
    script = f"""
import time
from pathlib import Path
from observability.embedded.supervisor import Service, Supervisor
keeper = Supervisor(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}))
keeper.start(Service("web", "", {SLEEP!r}, {{}}))
print(keeper.children["web"].process.pid, flush=True)
time.sleep(60)
"""
    root = Path(supervisor.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, env=os.environ, stdout=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdout is not None
        child = int(keeper.stdout.readline())
        assert records.started(child)
        keeper.kill()
    until(lambda: not records.started(child))
