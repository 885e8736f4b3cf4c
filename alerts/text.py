"""Text from telemetry, made safe to put in front of a person in any medium. Escaping is each transport's own task."""

import re

ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])")
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # Control characters, except tab and line feed.
    "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"  # Zero-width and bidirectional controls.
    "\U000e0000-\U000e007f"  # Tags, which hide text from people.
    "\ud800-\udfff\ufff0-\ufffb\ufffe\uffff]"  # No characters at all; XML and UTF-8 refuse them.
)


def line(text: str, limit: int) -> str:
    """One visible line of at most ``limit`` characters, without control characters or tricks of direction."""
    plain = INVISIBLE.sub("", ANSI.sub("", text[: limit * 20].replace("\r", " ")))
    return shorten(" ".join(plain.split()), limit)


def block(text: str, lines: int, limit: int) -> str:
    """Up to ``lines`` lines of at most ``limit`` characters each, indentation kept."""
    plain = INVISIBLE.sub("", ANSI.sub("", text.replace("\r\n", "\n").replace("\t", "    ")))
    return "\n".join(shorten(row.rstrip(), limit) for row in plain.splitlines()[:lines]).strip("\n")


def shorten(text: str, limit: int) -> str:
    """The text, or as much of it as fits before an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def duration(seconds: float) -> str:
    """A length of time as people say it: ``45 s``, ``12 min``, ``1 h 52 min``, ``3 d 4 h``."""
    total = max(0, int(seconds))
    days, hours, minutes = total // 86_400, total % 86_400 // 3_600, total % 3_600 // 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{total} s"
