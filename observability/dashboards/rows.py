"""Functions as table rows: what is known about each, and how it did in the window."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet

from observability.dashboards.deployments import version_name
from observability.dashboards.figures import cold_rate, error_rate
from observability.inventory.models import Resource
from observability.telemetry.records import Bucket, Rollup, Standing, Window
from observability.tenants.models import Organization

TREND_STEPS = 3
"""Sparklines and heat strips need a third of a chart's points."""
RECENT = timedelta(days=1)
IDLE = Standing(Rollup(), None)


@dataclass(frozen=True, slots=True)
class Release:
    """A deployment that is recent enough to be the reason for whatever happens."""

    name: str
    at: datetime


class Function(NamedTuple):
    """What a row needs to know about a function; reading whole models of a thousand costs more than all else."""

    id: int
    name: str
    region: str
    config: dict[str, Any]


def described(resources: QuerySet[Resource]) -> list[Function]:
    """Those of the resources that are functions."""
    found = resources.filter(type="lambda_function").values_list("pk", "name", "region", "config")
    return [Function(*values) for values in found]


@dataclass(slots=True)
class Row:
    """One function in one window. Rates are shares from 0 to 1; None where nothing ran."""

    id: int
    name: str
    region: str
    runtime: str
    rollup: Rollup
    error_rate: float | None
    p95_ms: float | None
    of_timeout: float | None
    of_memory: float | None
    cold_rate: float | None
    trend: list[int] = field(default_factory=list)
    release: Release | None = None

    @property
    def alarming(self) -> str:
        """The pill that its error rate deserves."""
        rate = self.error_rate or 0
        return "crit" if rate > 0.005 else "warn" if rate > 0.002 else ""


def row(function: Function, standing: Standing) -> Row:
    rollup, p95 = standing.rollup, standing.p95_ms
    timeout_s, memory_mb = function.config.get("timeout_s"), function.config.get("memory_mb")
    return Row(
        id=function.id,
        name=function.name,
        region=function.region,
        runtime=function.config.get("runtime", ""),
        rollup=rollup,
        error_rate=error_rate(rollup),
        p95_ms=p95,
        of_timeout=min(1.0, p95 / (timeout_s * 1000)) if p95 and timeout_s else None,
        of_memory=min(1.0, rollup.max_memory_mb / memory_mb) if rollup.max_memory_mb and memory_mb else None,
        cold_rate=cold_rate(rollup),
    )


def rows(functions: Iterable[Function], standings: Mapping[int, Standing]) -> list[Row]:
    """One row per function, whether it ran or not."""
    return [row(function, standings.get(function.id) or IDLE) for function in functions]


SORTS = {
    "errors": ("Most errors", lambda r: (r.rollup.errors, r.rollup.invocations)),
    "slowest": ("Slowest", lambda r: r.p95_ms or 0),
    "invocations": ("Most used", lambda r: r.rollup.invocations),
    "cost": ("Costliest", lambda r: r.rollup.cost_usd),
    "rate": ("Error rate", lambda r: r.error_rate or 0),
    "timeout": ("Closest to timeout", lambda r: r.of_timeout or 0),
    "memory": ("Fullest memory", lambda r: r.of_memory or 0),
    "cold": ("Most cold starts", lambda r: r.cold_rate or 0),
}


def ordered(table: Iterable[Row], sort: str) -> list[Row]:
    """Largest first by the named column, or by name."""
    by_name = sorted(table, key=lambda r: r.name)
    return sorted(by_name, key=SORTS[sort][1], reverse=True) if sort in SORTS else by_name


def with_trends(
    table: Sequence[Row], series: Mapping[int, Sequence[Bucket]], window: Window, *, partial: bool
) -> Sequence[Row]:
    """The same rows, each with its invocations over time.

    A first bucket that begins before the window, and a last one that is still filling (``partial``), are left out:
    a part of a bucket looks like a fall.
    """
    for entry in table:
        buckets = series.get(entry.id, ())
        whole = [bucket.rollup.invocations for bucket in buckets if bucket.start >= window.start]
        entry.trend = whole[:-1] if partial else whole
    return table


def with_releases(table: Sequence[Row], organization: Organization, now: datetime) -> Sequence[Row]:
    """The same rows, each with its latest deployment where that is less than a day old."""
    recent = organization.deployments.filter(
        resource_id__in=[entry.id for entry in table], deployed_at__gte=now - RECENT, deployed_at__lte=now
    )
    latest = {deployment.resource_id: deployment for deployment in recent.order_by("deployed_at")}
    for entry in table:
        if entry.id in latest:
            entry.release = Release(version_name(latest[entry.id].version), latest[entry.id].deployed_at)
    return table
