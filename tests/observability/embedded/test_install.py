"""`make setup`: instant when nothing changed, and never fooled by half an install."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from observability.embedded import install


def point_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this the checkout that is installed, with a lock file of nothing, so that pip has nothing to fetch."""
    (root / "requirements").mkdir(exist_ok=True)
    (root / "requirements" / "dev.txt").write_text("# nothing\n")
    venv = root / ".venv"
    for name, value in {
        "ROOT": root,
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "LOCK": root / "requirements" / "dev.txt",
        "STAMP": venv / "nightjar.stamp",
        "MARKER": venv / "nightjar.installing",
    }.items():
        monkeypatch.setattr(install, name, value)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh checkout that has been installed; a copy of it takes a tenth of the time."""
    root = tmp_path_factory.mktemp("installed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        point_at(root, monkeypatch)
        assert not install.is_current()
        install.install()
    return root


@pytest.fixture
def checkout(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh checkout whose empty `.venv` is made by copying too."""

    def create() -> None:
        shutil.copytree(template / ".venv", install.VENV, symlinks=True, ignore=shutil.ignore_patterns("*.stamp"))

    point_at(tmp_path, monkeypatch)
    monkeypatch.setattr(install, "create", create)
    return tmp_path


@pytest.fixture
def installed(checkout: Path, template: Path) -> Path:
    shutil.copytree(template, checkout, symlinks=True, dirs_exist_ok=True)
    return checkout


def test_a_fresh_checkout_gets_a_working_python(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(template, monkeypatch)
    assert install.is_current()
    assert not install.MARKER.exists()
    assert subprocess.run([install.PYTHON, "-c", "import pip"], check=False).returncode == 0


def test_a_changed_lock_is_noticed_and_installed_in_place(installed: Path) -> None:
    (install.VENV / "mine").touch()
    install.LOCK.write_text("# still nothing\n")
    assert not install.is_current()
    install.install()
    assert install.is_current()
    assert (install.VENV / "mine").exists()


def test_an_interrupted_install_starts_over(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (install.VENV / "half").touch()
    install.MARKER.touch()
    assert not install.is_current()
    install.install()
    assert install.is_current()
    assert not (install.VENV / "half").exists()
    assert "interrupted" in capsys.readouterr().out


def test_a_python_that_is_gone_starts_over(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
