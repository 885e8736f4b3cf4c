"""The samples in ``tests/data/errors``: one error each, in the words of its runtime."""

import json
from pathlib import Path

from ingest.parser import ErrorReport
from ingest.parsers import ERRORS

ROOT = Path(__file__).parents[2] / "data" / "errors"
NAMES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("*/*"))


def load(name: str) -> str | dict[str, object]:
    """A sample as the Telemetry API delivers it: text, or an object in the JSON log format."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if not name.endswith(".json"):
        return text
    decoded: dict[str, object] = json.loads(text)
    return decoded


def read(name: str) -> ErrorReport | None:
    """What the first dialect that knows the sample makes of it."""
    return find(load(name))


def find(line: str | dict[str, object]) -> ErrorReport | None:
    """What the first dialect that knows the line makes of it."""
    for dialect in ERRORS:
        report = dialect.parse(line) if isinstance(line, str) else dialect.parse_json(line)
        if report is not None:
            return report
    return None


def report(name: str) -> ErrorReport:
    """The same where there must be something."""
    found = read(name)
    assert found is not None, name
    return found


def places(found: ErrorReport) -> list[tuple[str, int, str, bool]]:
    """File, line, function and own of each frame."""
    return [(frame.file, frame.line, frame.function, frame.own) for frame in found.frames]
