"""`make setup`: instant when nothing changed, and never fooled by half an install."""

import subprocess
import sys
from pathlib import Path

import pytest

from observability.embedded import install


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose lock file holds nothing, so that pip has nothing to fetch."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text("# nothing\n")
    venv = tmp_path / ".venv"
    for name, value in {
        "ROOT": tmp_path,
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "LOCK": tmp_path / "requirements" / "dev.txt",
        "STAMP": venv / "nightjar.stamp",
        "MARKER": venv / "nightjar.installing",
    }.items():
        monkeypatch.setattr(install, name, value)
    return tmp_path


def test_a_fresh_checkout_gets_a_working_python(checkout: Path) -> None:
    assert not install.is_current()
    install.install()
    assert install.is_current()
    assert not install.MARKER.exists()
    assert subprocess.run([install.PYTHON, "-c", "import pip"], check=False).returncode == 0


def test_a_changed_lock_is_noticed_and_installed_in_place(checkout: Path) -> None:
    install.install()
    (install.VENV / "mine").touch()
    install.LOCK.write_text("# still nothing\n")
    assert not install.is_current()
    install.install()
    assert install.is_current()
    assert (install.VENV / "mine").exists()


def test_an_interrupted_install_starts_over(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install.install()
    (install.VENV / "half").touch()
    install.MARKER.touch()
    assert not install.is_current()
    install.install()
    assert install.is_current()
    assert not (install.VENV / "half").exists()
    assert "interrupted" in capsys.readouterr().out


def test_a_python_that_is_gone_starts_over(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install.install()
    install.PYTHON.unlink()
    assert not install.is_current()
    install.install()
    assert install.is_current()
    assert "does not run any more" in capsys.readouterr().out


def test_a_failed_install_says_so_and_is_tried_again(checkout: Path) -> None:
    install.LOCK.write_text("this is no requirement\n")
    with pytest.raises(SystemExit, match="pip could not install"):
        install.install()
    assert not install.is_current()
    assert install.MARKER.exists()


def test_an_old_python_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        install.main()


def test_ctrl_c_ends_with_one_sentence() -> None:
    script = Path(install.__file__)
    code = (
        "import fcntl, runpy\ndef stop(*_): raise KeyboardInterrupt\nfcntl.flock = stop\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "Interrupted; the next `make` goes on from here.\n"
