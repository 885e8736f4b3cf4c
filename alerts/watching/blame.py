"""When a function is throttled: who holds the concurrency of its account and region, and what of it lies idle.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

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


class Pools:
    """The pools of an organization; of each region and time everything is read once, however many are throttled."""

    def __init__(self, store: Store, organization_id: int) -> None:
        self.store, self.organization_id = store, organization_id
        self.places: dict[int, tuple[str, str]] | None = None
        self.held: dict[tuple[str, str, datetime], tuple[int, dict[int, Holder]]] = {}

    def sentence(self, resource_id: int, at: datetime) -> str:
        """Who held what around the step that began ``at``; empty where nobody can tell."""
        pool = self.of(resource_id, at)
        return pool.sentence if pool else ""

    def of(self, resource_id: int, at: datetime) -> Pool | None:
        """None for what is no function."""
        place = self._place(resource_id)
        if place is None:
            return None
        account, region = place
        if (account, region, at) not in self.held:
            self.held[account, region, at] = self._read(account, region, at)
        limit, holders = self.held[account, region, at]
        others = (each for key, each in holders.items() if key != resource_id)
        return Pool(limit, sorted(others, key=lambda each: (-each.executions, each.name)), holders[resource_id])

    def _place(self, resource_id: int) -> tuple[str, str] | None:
        if self.places is None:
            rows = self._functions().values_list("pk", "account", "region")
            self.places = {pk: (account, region) for pk, account, region in rows}
        return self.places.get(resource_id)

    def _read(self, account: str, region: str, at: datetime) -> tuple[int, dict[int, Holder]]:
        window = Window(at - STEP, at + 2 * STEP)
        metrics = [CONCURRENT, UTILIZED]
        read = self.store.measured_by_resource(self.organization_id, window, metrics=metrics, step=STEP)
        rows = self._functions().filter(account=account, region=region).only("name", "config")
        return _limit(self.organization_id, account, region), {row.pk: _holder(row, read) for row in rows}

    def _functions(self) -> QuerySet[Resource]:
        return Resource.objects.filter(organization=self.organization_id, type=FUNCTION, gone_at=None)


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


def _limit(organization_id: int, account: str, region: str) -> int:
    rows = Resource.objects.filter(organization=organization_id, type="aws_account", account=account)
    limits: Mapping[str, Any] = {}
    for config in rows.values_list("config", flat=True):
        limits = config.get(region) or {}
    return int(limits.get("concurrency_limit") or DEFAULT_LIMIT)


def _own_reservation(of: Holder) -> str:
    if of.reserved == 0:
        return f"{of.name} has 0 reserved executions, which switches it off; perhaps that was left over."
    return f"{of.name} may run {of.reserved:,} at once, which is what is reserved for it, and had {of.executions:,}."


def _and(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
