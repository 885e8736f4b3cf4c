"""How a function was configured over time, as far as that costs: from what it is now, back through its deployments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from observability.costs.bill import Charge, Configuration, Period, kept_ready, snapshot
from observability.telemetry.pricing import FREE_STORAGE_MB, pays_for_snapshots
from observability.telemetry.records import Window

KEYS = ("memory_mb", "architecture", "ephemeral_mb", "runtime", "provisioned", "snap_start")
"""What of a configuration costs; a deployment that changed none of these changed no price."""

SNAPSHOTS_OF = "PublishedVersions"


@dataclass(frozen=True, slots=True)
class Change:
    """A deployment that changed what costs: ``{key: [before, after]}``."""

    at: datetime
    changes: Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a bill sees it. ``config`` is what it is now, ``changes`` are those since some moment."""

    id: int
    name: str
    region: str
    account: str
    config: Mapping[str, Any]
    first_seen_at: datetime
    gone_at: datetime | None = None
    changes: Sequence[Change] = field(default=())

    @property
    def tags(self) -> Mapping[str, str]:
        return self.config.get("tags") or {}


def configuration(region: str, config: Mapping[str, Any]) -> Configuration:
    """What of a configuration, as the inventory has it, costs."""
    return Configuration(
        region=region,
        memory_mb=int(config.get("memory_mb") or 0),
        architecture=config.get("architecture") or "x86_64",
        ephemeral_mb=int(config.get("ephemeral_mb") or FREE_STORAGE_MB),
        runtime=config.get("runtime") or "",
        concurrency=sum(int(each["requested"]) for each in config.get("provisioned") or ()),
    )


State = tuple[Mapping[str, Any], datetime, datetime]


def states(function: Function, window: Window) -> list[State]:
    """Each configuration with when it held, in order of time, from when the function is known until it was gone."""
    end = min(function.gone_at or window.end, window.end)
    start = max(function.first_seen_at, window.start)
    config = dict(function.config)
    found: list[State] = []
    for change in sorted(function.changes, key=lambda change: change.at, reverse=True):
        if start < change.at < end:
            found.append((dict(config), change.at, end))
            end = change.at
        config |= {key: change.changes[key][0] for key in KEYS if key in change.changes and change.at > start}
    if start < end:
        found.append((config, start, end))
    return found[::-1]


def periods(function: Function, window: Window) -> list[Period]:
    return [Period(configuration(function.region, config), *times) for config, *times in states(function, window)]


def charges(function: Function, window: Window) -> list[Charge]:
    """What it cost whether it ran or not. Of what was switched on before the window only the rest counts."""
    return [*kept_ready(periods(function, window)), *_snapshots(function, window)]


def _snapshots(function: Function, window: Window) -> Iterable[Charge]:
    """Of the versions that have one now: of those deleted meanwhile nobody knows any more."""
    until = min(function.gone_at or window.end, window.end)
    for published in _published(function):
        yield snapshot(configuration(function.region, function.config), published_at=published, until=until)


def _published(function: Function) -> list[datetime]:
    """When; as long as nobody has told of single versions, one for whoever has SnapStart switched on."""
    config = function.config
    if "snapshots" in config:
        return [datetime.fromisoformat(moment) for moment in config["snapshots"]]
    changed = config.get("last_modified")
    one = datetime.fromisoformat(changed) if changed else function.first_seen_at
    return [one] if restores(config) else []


def restores(config: Mapping[str, Any]) -> bool:
    """Whether its environments come out of snapshots, and AWS takes money for that."""
    return config.get("snap_start") == SNAPSHOTS_OF and pays_for_snapshots(config.get("runtime") or "")


def costs_anyway(function: Function) -> bool:
    """Whether it may have charges that stand: most functions do not, and need no look at their history."""
    config = function.config
    return bool(config.get("provisioned") or config.get("snapshots") or function.changes or restores(config))
