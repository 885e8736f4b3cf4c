"""Which failures are the same problem: version 1 of the rule, by name in every fingerprint.

A changed rule gets a new version, so that it never silently splits or merges the incidents that people work on.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence

from observability.telemetry.records import Frame

VERSION = "1"
LONGEST_MESSAGE = 500

# Tried in this order at every position of the message, first match wins. Names starting with ``keep`` protect what
# tells two problems apart; every other match is replaced by its name without the part after ``__``.
REASONS = (
    "Bad|Conflict|Forbidden|Gateway|Gone|Internal|Method|Not|Payload|Payment|Service|Too|Unauthorized|Unprocessable"
)
PATTERNS: Sequence[tuple[str, str]] = (
    (
        "keep__module",
        r"(?:[Nn]o module named|[Cc]annot find (?:module|package)|import module) ['\"][^'\"\n]{1,99}['\"]",
    ),
    ("keep__attribute", r"['\"]\w{1,60}['\"] object has no attribute ['\"]\w{1,60}['\"]"),
    ("keep__property", r"\(reading '\w{1,60}'\)"),
    ("keep__status", r"\b(?:HTTP(?:/\d(?:\.\d)?)?|status(?:[ _-]?code)?)[ :=]{1,3}[1-5]\d\d\b"),
    ("keep__reason", rf"\b[1-5]\d\d(?= (?:{REASONS})\b)"),
    ("keep__exit", r"\bexit(?: status| code)?[ :=]{1,3}\d{1,3}\b"),
    ("url", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s'\"<>]+"),
    ("arn", r"\barn:aws[\w-]*:[^\s'\",;]+"),
    ("email", r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b"),
    ("uuid", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
    ("time", r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"),
    ("time__of_day", r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"),
    ("ip", r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"),
    ("ip__v6", r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4}){1,4}(?![\w:])"),
    ("quoted", r"(?<!\w)'[^'\n]{0,300}'(?!\w)|\"[^\"\n]{0,300}\"|`[^`'\n]{0,300}[`']|“[^”\n]{0,300}”"),
    ("hex__prefixed", r"\b0[xX][0-9a-fA-F]+\b"),
    ("hex", r"\b(?=[0-9a-fA-F]{0,64}\d)(?=[0-9a-fA-F]{0,64}[a-fA-F])[0-9a-fA-F]{8,}\b"),
    ("token", r"\b(?=[A-Za-z_-]{0,64}\d)(?=[\d_-]{0,64}[A-Za-z])[\w-]{16,}\b"),
    ("number", r"(?<![A-Za-z])[+-]?\d[\d_,]*(?:\.\d+)?(?:[eE][+-]?\d+)?|(?<=[A-Za-z][_-])\d+\b"),
)
VARIABLE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in PATTERNS))

# Parts of paths and names that change with every build, although the code is the same.
DEPLOYED_ROOT = re.compile(
    r"^(?:file://|webpack://[^/]*/?)?(?:\./)?/?(?:var/task|var/runtime|var/lang|opt|tmp|app|src)/"
)
BUILD_HASH = re.compile(r"(?<=[.\-_])[0-9a-f]{6,40}(?=[.\-_/]|$)")
QUERY = re.compile(r"\?.*$")
LIBRARY_VERSION = re.compile(r"(?<=[/\-@])v?\d+(?:\.\d+)+(?=/|\.jar|$)|(?<=python)\d+\.\d+")
COMPILER_NUMBER = re.compile(r"(?<=\$)\d+|(?<=__)\d+(?:_\d+)*|(?<=func)\d+(?:\.\d+)*")


def fingerprint(
    *, resource_id: int, kind: str, error_type: str = "", message: str = "", frames: Sequence[Frame] = ()
) -> str:
    """The identity of a problem: stable text, the same for every occurrence whatever data or release it met.

    With stack frames the customer's own functions decide, without them the message with its variable parts taken out.
    """
    where = places(frames)
    parts = [VERSION, resource_id, kind, error_type, where or normalise(message)]
    digest = hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()
    return f"{VERSION}:{digest[:40]}"


def normalise(message: str) -> str:
    """The first line of a message with ``<number>``, ``<uuid>`` and so on in place of what varies between requests."""
    line = next((line for line in message.splitlines() if line.strip()), "")
    return VARIABLE.sub(_placeholder, " ".join(line[: 4 * LONGEST_MESSAGE].split()))[:LONGEST_MESSAGE]


def places(frames: Sequence[Frame]) -> list[str]:
    """``file function`` of the customer's own frames (of all when none is), without lines, releases and recursion."""
    own = [frame for frame in frames if frame.own] or frames
    return list(_without_repeats(f"{_path(frame.file)} {COMPILER_NUMBER.sub('', frame.function)}" for frame in own))


def _placeholder(match: re.Match[str]) -> str:
    name = (match.lastgroup or "").partition("__")[0]
    return match[0] if name == "keep" else f"<{name}>"


def _path(file: str) -> str:
    path = DEPLOYED_ROOT.sub("", QUERY.sub("", file.replace("\\", "/")))
    return BUILD_HASH.sub("", LIBRARY_VERSION.sub("", path))


def _without_repeats(places: Iterable[str]) -> Iterable[str]:
    """Each place once, in order of first appearance: how deep a recursion went says nothing about the cause."""
    return dict.fromkeys(places)
