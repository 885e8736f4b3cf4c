"""How far from usual, as a sentence: "p95 duration is 4.1 s, usually 620 to 940 ms at this hour"."""

from collections.abc import Callable, Mapping
from datetime import datetime

from alerts.watching.judging import Sight
from alerts.watching.series import BY_NAME, DRIVERS, Metric
from observability.ui.units import dollars, megabytes, milliseconds, number, percent

FORMATS: Mapping[str, Callable[[float], str]] = {
    "count": number,
    "ms": milliseconds,
    "mb": megabytes,
    "usd": dollars,
    "pct": lambda value: percent(value / 100),
}
PLURAL = frozenset({"invocations", "throttles", "concurrency", "queue_depth", "table_throttles"})
EACH_STEP = frozenset({"invocations", "throttles", "table_throttles"})
CLEARLY = 1.5
"""From this factor on, another metric of the resource is worth naming as what is behind a change."""


def figure(metric: Metric, value: float) -> str:
    """A value with its unit."""
    return FORMATS[metric.unit](round(value) if metric.unit == "count" else value)


def band(metric: Metric, low: float, high: float) -> str:
    """What is usual, as a range with a dash, or ``at most 3``."""
    least, most = figure(metric, low), figure(metric, high)
    if low <= 0 or least == most:
        return f"at most {most}" if high > 0 else most
    amount, _, unit = least.rpartition(" ")
    same = amount and most.endswith(f" {unit}")
    return f"{amount if same else least}–{most}"


def usual(sight: Sight) -> str:
    """When it is usual: the hour is what the series is compared with."""
    return f"usually {band(sight.metric, sight.low, sight.high)} at this hour"


def headline(metric: Metric, value: float) -> str:
    """``p95 duration is 4.1 s``."""
    verb = "are" if metric.name in PLURAL else "is"
    span = " in 5 minutes" if metric.name in EACH_STEP else ""
    return f"{metric.words} {verb} {figure(metric, value)}{span}"


def reason(sight: Sight) -> str:
    """The sentence, without what may be behind it."""
    return f"{headline(sight.metric, sight.value)}, {usual(sight)}"


def drivers(sight: Sight) -> list[str]:
    """What else of the same resource changed as clearly, likeliest first: ``invocations are 9.1 times as many``."""
    found = []
    for name in DRIVERS.get(sight.metric.name, ()):
        value, expected = sight.beside.get(name, (0.0, 0.0))
        if expected > 0 and value >= CLEARLY * expected and value - expected >= BY_NAME[name].least / 2:
            found.append(f"{BY_NAME[name].words} {times(value / expected, name in PLURAL)}")
    return found


def times(ratio: float, plural: bool = False) -> str:
    told = f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
    return f"{'are' if plural else 'is'} {told} times the usual"


def since(version: str, deployed_at: datetime, began_at: datetime) -> str:
    """``since v42, 12 minutes before``."""
    name = f"v{version}" if version.isdecimal() else version
    minutes = round((began_at - deployed_at).total_seconds() / 60)
    before = "at the same time" if minutes < 1 else f"{minutes} minute{'' if minutes == 1 else 's'} before"
    return f"since {name}, {before}"
