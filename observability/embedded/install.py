"""Makes `.venv` and the front end: what `make setup` runs, with any Python from 3.11 and nothing installed.

Run as a script, so it imports only the standard library. A stamp, written last, says which lock file is installed;
a second run reads it and is done. A marker, written first, betrays an install that was interrupted: pip may have left
packages in halves that look whole, so that one starts over from an empty folder.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements" / "dev.txt"
STAMP = VENV / "nightjar.stamp"
MARKER = VENV / "nightjar.installing"
NEEDED = (3, 11)


def main() -> None:
    if sys.version_info < NEEDED:
        sys.exit(f"Nightjar needs Python 3.11 or newer, this is {sys.version.split()[0]}: make PYTHON=python3.12 …")
    os.umask(0o022)  # PostgreSQL's user must be able to run what root installs, however careful root's umask is.
    with (ROOT / "Makefile").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # Two `make` at once would install into each other.
        if not is_current():
            install()
        build_front_end()


def is_current() -> bool:
    """Whether exactly the locked packages are installed and their Python still runs."""
    return STAMP.exists() and STAMP.read_text() == wanted() and not MARKER.exists() and python_runs()


def wanted() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def python_runs() -> bool:
    """Whether `.venv` holds a working Python that is new enough."""
    check = f"import sys; sys.exit(sys.version_info < {NEEDED})"
    try:
        return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install() -> None:
    if MARKER.exists():
        say("An earlier install was interrupted: starting over.")
        shutil.rmtree(VENV)
    elif VENV.exists() and not python_runs():
        say("The Python in .venv does not run any more: starting over.")
        shutil.rmtree(VENV)
    begun = time.monotonic()
    say(f"Installing Nightjar's packages into .venv with Python {sys.version.split()[0]} (about a minute) …")
    if not VENV.exists():
        create()
    MARKER.touch()
    STAMP.unlink(missing_ok=True)
    pip: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        run([PYTHON, "-m", "ensurepip"], "pip is missing in .venv and could not be added")
    run([*pip, "install", "--quiet", "--require-hashes", "--requirement", LOCK], "pip could not install the packages")
    MARKER.unlink()
    STAMP.write_text(wanted())
    say(f"Installed in {time.monotonic() - begun:.0f} s.")


def create() -> None:
    """An empty `.venv`; the marker goes in before pip does."""
    VENV.mkdir()
    MARKER.touch()
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV)
        sys.exit(
            f"{sys.executable} cannot make a virtual environment:\n{made.stdout}{made.stderr}\n"
            "On Debian and Ubuntu: apt install python3-venv. Or choose another Python: make PYTHON=python3.12 …"
        )


def build_front_end() -> None:
    """The pages' CSS and JavaScript; the script itself skips when nothing changed."""
    run([PYTHON, ROOT / "frontend" / "build.py"], "the front end could not be built")


def run(command: list[str | Path], failure: str) -> None:
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        sys.exit(f"{failure} (see above); `make setup` tries again")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted; the next `make` goes on from here.")
