import json
from pathlib import Path

import pytest

from observability.embedded import console


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (json.dumps({"level": "error", "event": "store.failed\nTraceback"}), "error: store.failed"),
        (json.dumps({"level": "warning", "event": "slow"}), "warning: slow"),
        (json.dumps({"level": "info", "event": "stored"}), ""),
        ("{not json", ""),
        ("2026-11-23 [1] FATAL:  lock file exists", "2026-11-23 [1] FATAL:  lock file exists"),
        ("LOG:  checkpoint starting", ""),
        ("FATAL:  the database system is starting up", ""),
        (json.dumps({"level": "warning", "event": "Not Found: /favicon.ico"}), ""),
        (json.dumps({"level": "warning", "event": "stamina.retry_scheduled"}), ""),
        ("# WARNING Memory overcommit must be enabled!", ""),
        ("", ""),
    ],
)
def test_only_trouble_reaches_the_terminal(line: str, shown: str) -> None:
    assert console.warning(line) == shown


def test_the_same_news_is_told_once_a_minute() -> None:
    repeats = console.Repeats()
    assert [repeats.is_news("x", moment) for moment in (0.0, 0.0, 59.0, 61.0, 62.0)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert repeats.is_news("task 6c1c62ce-6a3b-4d0a-8f4e-0123456789ab failed after 3 s", 62.5)
    assert not repeats.is_news("task 0b4c62ce-6a3b-4d0a-8f4e-0123456789ab failed after 12 s", 63.0)


def test_a_follower_reads_whole_lines_once(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    follower = console.Follower(log)
    assert follower.lines() == []
    log.write_text("one\ntwo\nthr")
    assert follower.lines() == ["one", "two"]
    with log.open("a") as file:
        file.write("ee\n")
    assert follower.lines() == ["three"]
    assert follower.lines() == []


def test_a_log_that_grew_too_long_starts_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "LONGEST_LOG", 5)
    log = tmp_path / "web.log"
    log.write_text("one\ntwo\n")
    follower = console.Follower(log)
    assert follower.lines() == ["one", "two"]
    assert follower.lines() == []
    assert log.read_text() == ""
    assert (tmp_path / "web.log.1").read_text() == "one\ntwo\n"
    with log.open("a") as file:
        file.write("three\n")
    assert follower.lines() == ["three"]


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("".join(f"line {number}\n" for number in range(2_000)))
    assert console.tail(log, lines=2) == "    line 1998\n    line 1999"
    assert console.tail(tmp_path / "nothing") == ""


def test_a_step_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with console.step("Starting"):
        pass
    assert capsys.readouterr().out.endswith("0.0 s\n")


def test_a_failed_step_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), console.step("Starting"):
        raise ValueError("no")
    assert capsys.readouterr().out.endswith("failed\n")
