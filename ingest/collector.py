"""The contract of a collector: one AWS service, in one region of one account. ``fetch`` is dumb, ``transform`` is pure.

What was denied or throttled raises ``AwsError``: absent is not empty. Only a listing that names its type in
``Harvest.complete`` may mark resources gone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from observability.aws.sessions import Region
from observability.inventory.contents import Measured, MeasuredLayer
from observability.telemetry.records import Point


@dataclass(frozen=True, slots=True)
class Permission:
    """One action that a collector needs: why, what is lost without it, and why it cannot be narrower."""

    action: str
    """``service:Action``, as IAM spells it."""
    why: str
    without: str
    probe: tuple[str, str, Mapping[str, Any]]
    """A harmless call that tells whether it is allowed: service, operation, parameters.

    In it ``${AWS::Partition}``, ``${AWS::Region}`` and ``${AWS::AccountId}`` are filled in; asking for what does not
    exist is fine.
    """
    resource: str = "*"
    """The narrowest that AWS allows, with ``${AWS::Partition}`` where an ARN begins."""
    wild: str = ""
    """Why ``*``, where it is that."""
    tier: str = "base"


@dataclass(frozen=True, slots=True)
class Function:
    """A function that we know and watch."""

    resource_id: int
    arn: str
    name: str
    config: Mapping[str, Any]
    pushed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A resource around functions, such as a queue, that we know and watch."""

    resource_id: int
    type: str
    arn: str
    name: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to collect, and what is known already.

    ``time_is_up`` says that a run has taken long enough: what can wait should be left to the next one.
    ``functions`` are those of this region that are watched, by name; ``neighbours``, the other resources that are, are
    only told to who measures them.
    """

    organization_id: int
    account: str
    partition: str
    region: str
    now: datetime
    cursor: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    neighbours: Sequence[Neighbour] = ()
    time_is_up: Callable[[], bool] = field(default=lambda: False, compare=False)


@dataclass(frozen=True, slots=True)
class Found:
    """One resource as AWS describes it now. ``config`` is JSON-ready and holds no secret of the customer's."""

    type: str
    arn: str
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    """None when they are not known, which is not the same as none."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one run brought. ``complete`` names the types listed to the end, ``cursor`` is for the next run.

    ``since`` is when that listing began, where it took several runs.

    ``active`` are the names of functions that ran since the last one: their logs are worth reading.
    ``lacking`` are actions that were denied without which the run could do, as IAM spells them. ``more`` says that the
    run was cut short: the next one, which goes on from the cursor, should come at once.

    ``packages`` are measurements of deployment packages, each with the id of its function's resource; ``layers`` are
    those of layers' versions.
    """

    found: Sequence[Found] = ()
    complete: frozenset[str] = frozenset()
    points: Sequence[Point] = ()
    cursor: Mapping[str, Any] = field(default_factory=dict)
    active: frozenset[str] = frozenset()
    lacking: tuple[str, ...] = ()
    more: bool = False
    since: datetime | None = None
    packages: Sequence[tuple[int, Measured]] = ()
    layers: Sequence[MeasuredLayer] = ()


class Collector(Protocol):
    """One AWS service. ``kind`` is stored in collections; never rename it."""

    kind: str
    title: str
    every: timedelta
    permissions: tuple[Permission, ...]

    def fetch(self, aws: Region, scope: Scope) -> Any:
        """AWS's answers as they are; no shaping. Raises ``AwsError``."""

    def transform(self, raw: Any, scope: Scope) -> Harvest:
        """What the answers say, in our words. Required fields by ``[]``, so that surprising data fails loudly."""


def is_granted(collector: Collector, tiers: Collection[str]) -> bool:
    """Whether a connection with these tiers lets the collector do anything."""
    needed = {permission.tier for permission in collector.permissions}
    return not needed or not needed.isdisjoint({"base", *tiers})
