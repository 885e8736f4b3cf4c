"""Code storage: what fills a region's share, how fast, and which published versions nobody would miss.

Every published version of a function counts with its zip, as do layers and ``$LATEST``. What was published tells how
fast it fills: AWS keeps no history of the sum.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Config = Mapping[str, Any]

NEWEST = 3
"""So many of the newest versions are kept in any case: a rollback needs them."""

LOOK_BACK = timedelta(days=30)
"""What was published within so long tells the pace."""

FAR = timedelta(days=5 * 365)
"""Nobody forecasts farther."""


@dataclass(frozen=True, slots=True)
class Version:
    """One published version; ``bytes`` are those of its zip."""

    number: str
    bytes: int
    published_at: datetime


def versions(config: Config) -> list[Version]:
    """The published versions that a function's config names, the newest first."""
    return [
        Version(str(each["version"]), int(each["code_bytes"]), datetime.fromisoformat(each["last_modified"]))
        for each in config.get("versions") or ()
    ]


def prunable(config: Config, *, newest: int = NEWEST) -> list[Version]:
    """Versions behind the newest that no alias, trigger, URL or provisioned concurrency names, the oldest first.

    Whether somebody calls one by its number is not known here, nor whether CloudFront replicates it.
    """
    named = set(_named(config))
    return [version for version in versions(config)[newest:] if version.number not in named][::-1]


def _named(config: Config) -> Iterable[str]:
    for alias in (config.get("aliases") or {}).values():
        yield str(alias["version"])
        yield from map(str, alias.get("weights") or ())
    for key in ("event_sources", "event_invoke", "url", "provisioned"):
        yield from (str(each.get("qualifier")) for each in config.get(key) or ())


def published(configs: Iterable[Config], *, now: datetime) -> int:
    """Bytes of the versions that these functions published within ``LOOK_BACK``."""
    since = now - LOOK_BACK
    return sum(version.bytes for config in configs for version in versions(config) if version.published_at >= since)


def full_at(*, used: int, allowed: int, published: int, now: datetime) -> datetime | None:
    """When the storage is full at the pace of ``published``; None where nothing was, or where it is very far."""
    if used >= allowed:
        return now
    if published <= 0:
        return None
    ahead = (allowed - used) / published * LOOK_BACK.total_seconds()
    return now + timedelta(seconds=ahead) if ahead < FAR.total_seconds() else None
