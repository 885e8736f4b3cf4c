import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.embedded import environment, records
from observability.embedded.installation import PREFERRED, AlreadyRunningError, Installation

PORTS = 21_000 + os.getpid() % 500 * 10  # Apart for each process that runs these tests, below those of clients.


@pytest.fixture(autouse=True)
def _ports_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(PREFERRED, start=5):
        monkeypatch.setitem(PREFERRED, name, PORTS + number)


def installation(
    folder: Path, *, demo: bool = True, listen: str = "127.0.0.1", given: tuple[str, ...] = ()
) -> Installation:
    return Installation(
        root=folder, folder=folder, listen=listen, port=PORTS, demo=demo, given=frozenset({"PATH", *given})
    )


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", PORTS))
        listener.listen()
        yield PORTS


def test_secrets_and_ports_are_kept(tmp_path: Path) -> None:
    first = installation(tmp_path)
    assert first.settle() == []
    second = installation(tmp_path)
    second.settle()
    assert second.values == first.values
    assert environment.read(tmp_path / "embedded.env") == first.values


def test_a_taken_port_is_told_and_passed_over(tmp_path: Path, busy: int) -> None:
    chosen = installation(tmp_path)
    [note] = chosen.settle()
    assert f"Port {busy} is taken" in note
    assert str(chosen.port) in note
    assert chosen.public_url == f"http://localhost:{chosen.port}"


def test_what_the_operator_gave_is_neither_made_up_nor_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db.example/nightjar")
    chosen = installation(tmp_path, given=("DATABASE_URL",))
    chosen.settle()
    assert not chosen.own_postgres
    assert chosen.own_redis
    assert "DATABASE_URL" not in chosen.values
    assert chosen.environment()["DATABASE_URL"] == "postgres://u:p@db.example/nightjar"


def test_variables_that_nobody_gave_do_not_leak_into_the_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier start wrote to embedded.env is in our own environment, too old to be passed on."""
    monkeypatch.setenv("EMAIL_URL", "smtp://127.0.0.1:1")
    chosen = installation(tmp_path, demo=False)
    chosen.settle()
    assert "EMAIL_URL" not in chosen.environment()


def test_the_demo_sends_to_its_own_receivers(tmp_path: Path) -> None:
    chosen = installation(tmp_path)
    chosen.settle()
    assert chosen.values["EMAIL_URL"] == f"smtp://127.0.0.1:{chosen.values['DEMO_SMTP_PORT']}"
    assert chosen.values["OUTBOUND_ALLOWED_HOSTS"] == f"127.0.0.1:{chosen.values['DEMO_HTTP_PORT']}"
    without = installation(tmp_path, demo=False)
    without.settle()
    assert "EMAIL_URL" not in without.values


def test_the_documented_password_is_for_this_machine_only(tmp_path: Path) -> None:
    local = installation(tmp_path)
    local.settle()
    assert "DEMO_PASSWORD" not in local.values
    public = installation(tmp_path, listen="0.0.0.0")  # noqa: S104
    public.settle()
    assert len(public.values["DEMO_PASSWORD"]) >= 16


def test_only_one_runs_in_a_checkout(tmp_path: Path) -> None:
    first, second = installation(tmp_path), installation(tmp_path)
    first.claim()
    record = records.read(tmp_path / "run" / "up.pid")
    assert record is not None
    assert record.pid == os.getpid()
    with pytest.raises(AlreadyRunningError):
        second.claim()
    assert first.lock is not None
    first.lock.close()
    second.claim()
    assert second.lock is not None
    second.lock.close()


def test_the_demo_calls_no_real_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
    chosen = installation(tmp_path, given=("AWS_PROFILE", "AWS_ACCESS_KEY_ID"))
    chosen.settle()
    found = chosen.environment()
    assert found["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{chosen.values['DEMO_AWS_PORT']}"
    assert found["AWS_ACCESS_KEY_ID"] == f"AKIA{found['AWS_PRINCIPAL']}ROOT"
    assert "AWS_PROFILE" not in found


@pytest.mark.parametrize(("demo", "given"), [(False, ()), (True, ("AWS_ENDPOINT_URL",))])
def test_aws_is_real_without_the_demo_or_where_it_has_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo: bool, given: tuple[str, ...]
) -> None:
    installation(tmp_path).settle()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://proxy.example")
    monkeypatch.setenv("AWS_PROFILE", "production")
    chosen = installation(tmp_path, demo=demo, given=("AWS_PROFILE", *given))
    chosen.settle()
    found = chosen.environment()
    assert found.get("AWS_ENDPOINT_URL") == ("https://proxy.example" if given else None)
    assert found["AWS_PROFILE"] == "production"
    assert "AWS_ACCESS_KEY_ID" not in found
    assert not chosen.simulates_aws
