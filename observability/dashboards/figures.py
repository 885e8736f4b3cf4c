"""The key figures on top of a page: a value, where it went, and whether that is good."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from observability.telemetry.records import Bucket, Rollup
from observability.telemetry.sketch import quantile

Reading = Callable[[Rollup], float | None]


def error_rate(rollup: Rollup) -> float | None:
    return rollup.errors / rollup.invocations if rollup.invocations else None


def cold_rate(rollup: Rollup) -> float | None:
    return rollup.cold_starts / rollup.invocations if rollup.invocations else None


def p95_ms(rollup: Rollup) -> float | None:
    return quantile(rollup.durations, 0.95)


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure. ``unit`` names the filter that formats it; ``change`` is relative to the window before."""

    label: str
    unit: str
    value: float | None
    trend: Sequence[float]
    colour: str
    change: float | None
    better: str
    hint: str
    query: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How one figure is read from a rollup; ``query`` narrows the list of invocations that the figure links to."""

    label: str
    unit: str
    read: Reading
    colour: str
    better: str
    query: str = ""


KINDS = (
    Kind("Invocations", "num", lambda r: r.invocations, "c1", ""),
    Kind("Error rate", "pct", error_rate, "err", "down", "outcome=failed"),
    Kind("p95 duration", "ms", p95_ms, "c3", "down", "sort=slowest"),
    Kind("Cold starts", "pct", cold_rate, "c2", "down", "cold=1"),
    Kind("Timeouts", "num", lambda r: r.timeouts, "warn", "down", "outcome=timeout"),
    Kind("Estimated cost", "usd", lambda r: r.cost_usd, "ok", "down"),
)


def figures(now: Rollup, before: Rollup, buckets: Sequence[Bucket]) -> list[Figure]:
    """The six figures of a page, with a trend over its buckets."""
    return [
        Figure(
            label=kind.label,
            unit=kind.unit,
            value=kind.read(now),
            trend=[kind.read(bucket.rollup) or 0.0 for bucket in buckets],
            colour=kind.colour,
            change=change(kind.read(now), kind.read(before)),
            better=kind.better,
            hint=hint(kind.label, now),
            query=kind.query,
        )
        for kind in KINDS
    ]


def change(now: float | None, before: float | None) -> float | None:
    """The relative change, or None where there is nothing to compare with."""
    return (now - before) / before if now is not None and before else None


def hint(label: str, rollup: Rollup) -> str:
    """A few words beside a figure."""
    return {
        "Error rate": f"{rollup.errors:,} failed",
        "Cold starts": f"{rollup.cold_starts:,} of {rollup.invocations:,}",
        "Timeouts": f"{rollup.out_of_memory:,} out of memory",
    }.get(label, "")
