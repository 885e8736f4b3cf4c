"""What is known of a resource, in words: a config in AWS's terms becomes a list of facts with their units."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from observability.dashboards.phrases import PHRASES, named, span
from observability.ui.units import megabytes, milliseconds, number, size

ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d*:[^\s\"]+")
NAMES = {"arn", "url", "vpc", "dlq", "ttl", "id", "ids", "kms", "fifo", "http", "https", "aws", "iam", "api", "sha256"}
"""Words of a key that people write in capitals."""
WORDS = {
    "aliases": "Aliases",
    "code_bytes": "Package size, zipped",
    "code_sha256": "Code hash",
    "cors": "CORS",
    "daily_bytes": "Written a day",
    "dead_letter": "Dead letters go to",
    "dead_letters": "Dead letters go to",
    "environment_bytes": "Environment variables, together",
    "ephemeral_mb": "Ephemeral storage",
    "event_invoke": "Asynchronous calls",
    "event_sources": "Event sources",
    "log_level": "Log level of the application",
    "memory_mb": "Memory",
    "recovery": "Point-in-time recovery",
    "unguarded": "Without a dead-letter queue",
    "provisioned": "Provisioned concurrency",
    "role": "Execution role",
    "runtime_version_arn": "Build of the runtime",
    "snap_start": "SnapStart",
    "system_log_level": "Log level of the platform",
    "unzipped": "Package size, unzipped",
    "update_status": "Last update",
    "url": "URL",
}


SHOUTED = re.compile(r"[A-Z]{3,}(_[A-Z]+)*")
SHORT = 12
"""As much of a digest as people compare."""
SAID = {
    ("timezone", "UTC"): "UTC",
    ("tracing", "PassThrough"): "only when the caller traces",
    ("snap_start", "None"): "off",
    ("snap_start", "PublishedVersions"): "for published versions",
}
MOMENTS = ("_at", "last_modified")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known; most have one value."""

    label: str
    values: tuple[str, ...]


def facts(config: Mapping[str, Any], *, without: tuple[str, ...] = ()) -> list[Fact]:
    """Everything in the config that says something, in its order. What is empty says nothing."""
    return list(_facts(config, without, ""))


def _facts(config: Mapping[str, Any], without: tuple[str, ...], before: str) -> Iterator[Fact]:
    for key, value in config.items():
        if key in without or value is None or value in ("", [], {}):
            continue
        if isinstance(value, Mapping) and key not in PHRASES:
            yield from _facts(value, (), f"{before}{label(key)}: ")
        else:
            yield Fact(before + label(key), values(key, value))


def values(key: str, value: Any) -> tuple[str, ...]:
    """Each entry of a list, or the only value there is."""
    if key in PHRASES and isinstance(value, Mapping | list):
        return tuple(PHRASES[key](value))
    return tuple(text(key, each) for each in (value if isinstance(value, list) else [value]))


def label(key: str) -> str:
    """``visibility_timeout_s`` is Visibility timeout; ``dlq_arn`` is DLQ ARN."""
    if key in WORDS:
        return WORDS[key]
    bare = next((key.removesuffix(suffix) for suffix in UNITS if key.endswith(suffix)), key)
    words = [word.upper() if word in NAMES else word for word in bare.split("_") if word]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]]) if words else key


def text(key: str, value: Any) -> str:
    """One value with its unit, which the end of its key tells."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(
            f"{label(name).lower()} {text(name, each)}" for name, each in value.items() if each not in (None, "")
        )
    if isinstance(value, list):
        return ", ".join(text(key, each) for each in value)
    write = next((write for suffix, write in UNITS.items() if key.endswith(suffix)), None)
    if isinstance(value, int | float):
        return write(value) if write else number(value) if abs(value) >= 10_000 else f"{value:g}"
    return moment(value) if key.endswith(MOMENTS) else _words(key, str(value))


def _words(key: str, value: str) -> str:
    """AWS's ``PAY_PER_REQUEST`` and ARNs as people say them."""
    if (key, value) in SAID:
        return SAID[key, value]
    if key == "runtime_version_arn":
        return value.rpartition(":")[2][:SHORT]
    if SHOUTED.fullmatch(value) and value.lower() not in NAMES:
        return value.replace("_", " ").lower()
    return named(value)


def moment(value: object) -> str:
    """A moment as AWS writes it, in UTC; anything else as it is."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{at.day} {at:%b %Y %H:%M} UTC"


UNITS: dict[str, Callable[[float], str]] = {
    "_s": span,
    "_ms": milliseconds,
    "_mb": megabytes,
    "_bytes": size,
}


def mentioned(value: object) -> Iterator[str]:
    """The ARN of every resource that is named anywhere in a config."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from mentioned(each)
    elif isinstance(value, list):
        for each in value:
            yield from mentioned(each)
    elif isinstance(value, str):
        yield from map(whole, ARN.findall(value))


def whole(arn: str) -> str:
    """The function of a version or alias, the table of a stream; any other ARN as it is."""
    if ":lambda:" in arn and ":function:" in arn:
        return ":".join(arn.split(":")[:7])
    return arn.partition("/stream/")[0] if ":dynamodb:" in arn else arn
