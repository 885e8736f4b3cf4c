"""What moved the cost of a month, in words: functions, days, deployments, and cold starts."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from observability.costs import odd, releases
from observability.costs.drivers import explained
from observability.costs.releases import Effect
from observability.costs.statement import Statement, movers
from observability.dashboards.changes import what
from observability.dashboards.deployments import version_name
from observability.inventory.models import Deployment
from observability.telemetry.records import Window
from observability.tenants.models import Organization

MOVERS, COLD = 8, 6


@dataclass(frozen=True, slots=True)
class Mover:
    """A function whose cost moved from one week to the next, and why."""

    id: int
    name: str
    before: float
    after: float
    why: str

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def size(self) -> float:
        return abs(self.change)


@dataclass(frozen=True, slots=True)
class OddDays:
    """Neighbouring days that stood out, and why."""

    start: date
    end: date
    usd: float
    usual: float
    id: int
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Release:
    """A deployment that changed what a thousand requests cost."""

    deployment: Deployment
    before: float
    after: float
    change: float
    monthly: float

    @property
    def name(self) -> str:
        return version_name(self.deployment.version)

    @property
    def what(self) -> str:
        return what(self.deployment.changes)


@dataclass(frozen=True, slots=True)
class Cold:
    """What starting cold costs a function: USD of it, of which share, how often, and how long once."""

    id: int
    name: str
    usd: float
    share: float
    starts: float
    each_ms: float


def changes(organization: Organization, told: Statement, resource_id: int | None = None) -> dict[str, Any]:
    window = Window(told.month.start, min(told.month.end, told.now))
    found = releases.effects(organization, window, now=told.now, resource_id=resource_id)
    return {
        "movers": moved(told),
        "odd_days": odd_days(told),
        "releases": [release(effect) for effect in found[:MOVERS]],
        "cold": cold(told, most=COLD),
    }


def moved(told: Statement) -> list[Mover]:
    return [
        Mover(each.function.id, each.function.name, each.before.total, each.after.total, explained(each.reasons))
        for each in movers(told, most=MOVERS)
    ]


def odd_days(told: Statement) -> list[OddDays]:
    return [
        OddDays(
            each.start, each.end, each.usd, each.usual, each.function.id, each.function.name, explained(each.reasons)
        )
        for each in odd.odd_days(told)
    ]


def release(effect: Effect) -> Release:
    return Release(effect.deployment, effect.before, effect.after, effect.change, abs(effect.per_month))


def cold(told: Statement, *, most: int) -> list[Cold]:
    """The functions to which initialization costs most. A restored snapshot is a start, too."""
    ledger, chosen = told.ledger, told.chosen
    init, ms, starts = (ledger.by_function(name, chosen) for name in ("init", "init_ms", "cold_starts"))
    totals = ledger.totals(chosen)
    dearest = sorted(range(len(init)), key=lambda i: -init[i])[:most]
    return [
        Cold(
            ledger.functions[i].id, ledger.functions[i].name, float(init[i]), float(init[i] / totals[i]),
            float(starts[i]), float(ms[i] / starts[i]),
        )
        for i in dearest
        if init[i] > 0 and starts[i] > 0
    ]  # fmt: skip
