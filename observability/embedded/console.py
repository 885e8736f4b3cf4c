"""What `make up` tells the person in front of it: one line per step, warnings of the children, nothing else."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOUD = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC)\b")
# Redis about the machine's tuning; Celery's banner; clients that come early or late; pages that do not exist; what is
# tried again and fails for good tells so in the end.
HARMLESS = re.compile(
    r"Memory overcommit|logfile ->|^warning: Not Found: |^error: Service Unavailable: /readyz"
    r"|the database system is (starting up|shutting down|not yet accepting)|stamina\.retry_scheduled$"
)
VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
TAIL_BYTES = 4_000
LONGEST_LOG = 50_000_000


def say(text: str = "") -> None:
    print(text, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print ``what``, and how long it took once it is done."""
    begun = time.monotonic()
    print(f"  {what:<58}", end="", flush=True)
    try:
        yield
    except Exception:
        say("failed")
        raise
    say(f"{time.monotonic() - begun:5.1f} s")


def warning(line: str) -> str:
    """One line's news as a person should see it when it tells of trouble, else an empty string."""
    if line.startswith("{"):
        try:
            entry = json.loads(line)
        except ValueError:
            return ""
        if entry.get("level") not in {"warning", "error", "critical"}:
            return ""
        line = f"{entry['level']}: {entry.get('event', '')}".split("\n", 1)[0]
    elif not LOUD.search(line):
        return ""
    return "" if HARMLESS.search(line) else line


class Repeats:
    """Lets the same news through once a minute, so that one broken thing does not flood the terminal."""

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds
        self.told: dict[str, float] = {}

    def is_news(self, text: str, moment: float) -> bool:
        """Whether this was not told lately, whatever numbers it names."""
        self.told = {known: at for known, at in self.told.items() if moment - at < self.seconds}
        key = VARYING.sub("#", text)
        is_new = key not in self.told
        self.told.setdefault(key, moment)
        return is_new


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log, indented."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


class Follower:
    """Reads what was added to a log since the last look."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset, self.rest = path, 0, ""

    def lines(self) -> list[str]:
        """The whole lines that are new; a log that grew too long starts over, keeping its past beside it."""
        try:
            if self.offset > LONGEST_LOG:
                shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
                os.truncate(self.path, 0)
                self.offset = 0
            with self.path.open("rb") as file:
                file.seek(self.offset)
                added = file.read(1_000_000)
        except OSError:
            return []
        self.offset += len(added)
        *whole, self.rest = (self.rest + added.decode(errors="replace")).split("\n")
        return whole
