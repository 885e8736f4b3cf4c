"""Ends what an earlier run left behind when it was killed before it could clean up."""

import contextlib
import signal
from pathlib import Path

from observability.embedded import records

DATA_SERVERS = {"redis", "postgres"}
SECONDS = 10


def end(folder: Path) -> int:
    """Stop every recorded process that still runs, the data servers last; returns how many there were."""
    notes = sorted((folder / "run").glob("*.pid"), key=lambda path: path.stem in DATA_SERVERS)
    found = 0
    for path in notes:
        record = records.read(path)
        if path.stem == "up" or record is None:
            continue
        found += record.is_running()
        how = signal.SIGINT if path.stem == "postgres" else signal.SIGTERM
        records.end(record, how, SECONDS, str(folder))
        path.unlink(missing_ok=True)
    return found + end_postmaster(folder / "postgres")


def end_postmaster(data: Path) -> int:
    """Stop a PostgreSQL that serves ``data`` without our record, or remove the note of one that is long gone.

    PostgreSQL itself refuses to start while the noted pid belongs to anybody, as after a restart of a container.
    """
    note = data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(note.read_text().split()[0])
        if serves(pid, data):
            records.end(records.Record(pid, records.started(pid)), signal.SIGINT, SECONDS, str(data.parent))
            return 1
        if records.started(pid):
            note.unlink()
    return 0


def serves(pid: int, data: Path) -> bool:
    """Whether ``pid`` works in ``data``, as only its PostgreSQL does."""
    with contextlib.suppress(OSError):
        return (records.PROC / str(pid) / "cwd").readlink() == data
    return False
