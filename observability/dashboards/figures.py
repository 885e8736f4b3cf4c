"""The key figures on top of a page: a value, where it went, and whether that is good."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from observability.telemetry.records import Bucket, Rollup, Window
from observability.telemetry.sketch import quantile

Reading = Callable[[Rollup], float | None]

TREND_POINTS = 32
MONTH = timedelta(days=30)


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
    Kind("p95 duration", "ms", p95_ms, "c3", "down", "slow=1"),
    Kind("Cold starts", "pct", cold_rate, "c2", "down", "cold=1"),
    Kind("Timeouts", "num", lambda r: r.timeouts, "warn", "down", "outcome=timeout"),
    Kind("Estimated cost", "usd", lambda r: r.cost_usd, "ok", "down"),
)


def figures(
    now: Rollup, before: Rollup | None, buckets: Sequence[Bucket], window: Window, *, partial: bool = False
) -> list[Figure]:
    """The six figures of a window, with a trend over its buckets.

    ``before`` is the window of the same length before, None where it was not watched from its beginning.
    ``partial`` says that the last bucket is still filling: as a point of a trend it would look like a fall.
    """
    points = merged(buckets[:-1] if partial else buckets, TREND_POINTS)
    return [
        Figure(
            label=kind.label,
            unit=kind.unit,
            value=kind.read(now),
            trend=[value for value in map(kind.read, points) if value is not None],
            colour=kind.colour,
            change=change(kind.read(now), kind.read(before)) if before else None,
            better=kind.better,
            hint=hint(kind.label, now, window),
            query=kind.query,
        )
        for kind in KINDS
    ]


def merged(buckets: Sequence[Bucket], points: int) -> list[Rollup]:
    """At most ``points`` rollups, each of equally many neighbouring buckets (the last perhaps of fewer).

    A rate or a quantile must be read from these: the mean of the buckets' own would give a quiet one too much weight.
    """
    size = max(1, -(-len(buckets) // points))
    found = []
    for start in range(0, len(buckets), size):
        together = Rollup()
        for bucket in buckets[start : start + size]:
            together.merge(bucket.rollup)
        found.append(together)
    return found


def change(now: float | None, before: float | None) -> float | None:
    """The relative change, or None where there is nothing to compare with."""
    return (now - before) / before if now is not None and before else None


def hint(label: str, rollup: Rollup, window: Window) -> str:
    """A few words beside a figure."""
    return {
        "Error rate": f"{rollup.errors:,} failed",
        "Cold starts": f"{rollup.cold_starts:,} of {rollup.invocations:,}",
        "Timeouts": f"{rollup.out_of_memory:,} out of memory",
        "Estimated cost": monthly(rollup.cost_usd, window),
    }.get(label, "")


def monthly(cost_usd: float, window: Window) -> str:
    """What a month at this pace costs; nothing for windows that are too short to tell, or long enough to see."""
    length = window.end - window.start
    if not cost_usd or not timedelta(hours=1) <= length < MONTH - timedelta(days=2):
        return ""
    cost = cost_usd * (MONTH / length)
    return f"\N{ALMOST EQUAL TO} ${cost:,.0f} a month" if cost >= 10 else f"\N{ALMOST EQUAL TO} ${cost:,.2f} a month"
