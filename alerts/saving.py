"""What a function costs a month and what a change would save, at list prices. USD, milliseconds and MB.

Amounts of the window are stretched to a month; where too little of it is known, nobody can tell (None).
"""

from datetime import datetime

from alerts.rule import Estate, Subject
from observability.inventory.runtimes import runtimes
from observability.telemetry.pricing import FREE_STORAGE_MB, Price, price, time_usd

MONTH_DAYS = 30.4
MONTH_S = MONTH_DAYS * 86_400
FEWEST_DAYS = 2.0
"""Known for less, a month cannot be told."""

LEAST_MB, STEP_MB = 128, 64

Usd = tuple[float, float]


def measured_days(subject: Subject, estate: Estate) -> float:
    """For how much of the window something is known of it: since it was first seen, or since its first reading."""
    first = [each.at for readings in subject.points.values() for each in readings if each.value is not None]
    since: datetime = max(estate.window.start, min([subject.first_seen_at, *first]))
    return (estate.now - since).total_seconds() / 86_400


def per_month(amount: float, subject: Subject, estate: Estate) -> float | None:
    """An amount of the window as that of a month."""
    days = measured_days(subject, estate)
    return amount * MONTH_DAYS / days if days >= FEWEST_DAYS else None


def memory_mb(function: Subject) -> int:
    """As configured, or as its reports tell; 0 where neither is known."""
    return int(function.config.get("memory_mb") or function.rollup.memory_mb)


def price_of(function: Subject) -> Price:
    return price(function.region, function.config.get("architecture") or "x86_64")


def time_month(function: Subject, estate: Estate, *, billed_ms: float | None = None) -> float | None:
    """What its running time costs a month, or so much billed time of the window; without requests and storage."""
    billed = function.rollup.billed_ms if billed_ms is None else billed_ms
    return per_month(time_usd(price_of(function), billed_ms=billed, memory_mb=memory_mb(function)), function, estate)


def mean_usd(function: Subject) -> float:
    """The cost of one run, on average."""
    return function.rollup.cost_usd / function.rollup.invocations if function.rollup.invocations else 0.0


def mean_init_ms(function: Subject) -> float:
    rollup = function.rollup
    return rollup.init_ms / rollup.cold_starts if rollup.cold_starts else 0.0


def may_snap(function: Subject) -> bool:
    """Whether AWS offers SnapStart, and it is off: not with images, EFS, a larger /tmp or provisioned concurrency."""
    config = function.config
    runtime = runtimes().get(config.get("runtime") or "")
    return bool(
        runtime
        and runtime.snap_start
        and config.get("snap_start") == "None"
        and config.get("package_type") == "Zip"
        and not config.get("file_systems")
        and not config.get("provisioned")
        and (config.get("ephemeral_mb") or 0) <= FREE_STORAGE_MB
    )


def stepped(mb: float) -> int:
    """The next size of memory that one would set."""
    return max(LEAST_MB, -int(-mb // STEP_MB) * STEP_MB)


VCPU_MB = 1_769
"""So much memory comes with one vCPU. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""


def cpu_share(function: Subject) -> float | None:
    """How much of its CPU a function uses while it runs, 1 is all of it; None where no extension measured it."""
    used, runs = function.total("cpu_total_time"), function.total("extension_invocations")
    rollup, memory = function.rollup, memory_mb(function)
    if used is None or not runs or not rollup.duration_ms or not memory:
        return None
    mean_ms = rollup.duration_ms / rollup.invocations
    return used / runs / (mean_ms * memory / VCPU_MB)
