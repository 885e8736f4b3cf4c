"""When a function is throttled: who holds the concurrency of its account and region, and what of it lies idle.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.watching.series import FUNCTION, STEP
from observability.inventory.models import Resource
from observability.telemetry.records import Reading, Window
from observability.telemetry.store import Store

CONCURRENT = ("ConcurrentExecutions", "Maximum")
UTILIZED = ("ProvisionedConcurrencyUtilization", "Maximum")
SHOWN = 3
LEAST_SHARE = 0.1
"""Who holds less of the limit than this is not to blame."""

DEFAULT_LIMIT = 1000
"""Of an account and region that nobody raised or lowered, where AWS was not asked."""

IDLE = 0.5
"""What uses less than this of its reservation could give some of it back."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A function and the most executions that it had at once; ``idle`` is what it keeps from others unused."""

    name: str
    executions: int
    reserved: int | None = None
    provisioned: int = 0
    idle: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """The concurrency of one account and region at a time, those who hold most of it first."""

    limit: int
    holders: Sequence[Holder]
    of: Holder

    @property
    def sentence(self) -> str:
        """Why the function got none, in a sentence or two; empty where nothing is known of anybody."""
        if self.of.reserved is not None:
            return _own_reservation(self.of)
        told = [each for each in self.holders if each.executions >= LEAST_SHARE * self.limit][:SHOWN]
        if not told:
            return self._idle()
        parts = [f"{each.name} held {each.executions:,}" for each in told]
        return f"Of {self.limit:,} concurrent executions in the region, {_and(parts)}. {self._idle()}".rstrip()

    def _idle(self) -> str:
        idle = sorted((each for each in self.holders if each.idle), key=lambda each: -each.idle)[:SHOWN]
        parts = [f"{each.idle:,} for {each.name}" for each in idle]
        return f"Reserved or provisioned and not used were {_and(parts)}." if parts else ""


def pool(store: Store, organization_id: int, resource_id: int, at: datetime) -> Pool | None:
    """Who held what around the step that began ``at``; None for what is no function."""
    throttled = Resource.objects.filter(organization=organization_id, pk=resource_id, type=FUNCTION).first()
    if throttled is None:
        return None
    rows = Resource.objects.filter(
        organization=organization_id, type=FUNCTION, gone_at=None, account=throttled.account, region=throttled.region
    )
    window = Window(at - STEP, at + 2 * STEP)
    read = store.measured_by_resource(organization_id, window, metrics=[CONCURRENT, UTILIZED], step=STEP)
    holders = [_holder(row, read) for row in rows.only("name", "config")]
    mine = next((each for each in holders if each.name == throttled.name), Holder(throttled.name, 0))
    others = sorted((each for each in holders if each is not mine), key=lambda each: (-each.executions, each.name))
    return Pool(_limit(organization_id, throttled), others, mine)


def _holder(row: Resource, read: Mapping[tuple[str, str], Mapping[int, Sequence[Reading]]]) -> Holder:
    executions = int(_peak(read.get(CONCURRENT, {}).get(row.pk)) or 0)
    reserved = row.config.get("reserved_concurrency")
    provisioned = sum(int(each.get("requested") or 0) for each in row.config.get("provisioned") or ())
    used = _peak(read.get(UTILIZED, {}).get(row.pk))
    idle = max(0, reserved - executions) if reserved and executions < IDLE * reserved else 0
    if provisioned and used is not None and used < IDLE:
        idle = max(idle, round(provisioned * (1 - used)))
    return Holder(row.name, executions, reserved, provisioned, idle)


def _peak(readings: Sequence[Reading] | None) -> float | None:
    return max((each.value for each in readings or () if each.value is not None), default=None)


def _limit(organization_id: int, resource: Resource) -> int:
    account = Resource.objects.filter(organization=organization_id, type="aws_account", account=resource.account)
    limits: Mapping[str, Any] = {}
    for config in account.values_list("config", flat=True):
        limits = config.get(resource.region) or {}
    return int(limits.get("concurrency_limit") or DEFAULT_LIMIT)


def _own_reservation(of: Holder) -> str:
    if of.reserved == 0:
        return f"{of.name} has 0 reserved executions, which switches it off; perhaps that was left over."
    return f"{of.name} may run {of.reserved:,} at once, which is what is reserved for it, and had {of.executions:,}."


def _and(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
