"""How far from usual, as a sentence: "p95 duration is 4.1 s, usually 620 to 940 ms at this hour"."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.models import Anomaly
from alerts.text import shorten
from alerts.watching.judging import Sight
from alerts.watching.series import BY_NAME, DRIVERS, Metric
from observability.ui.units import NOTHING, dollars, megabytes, milliseconds, number, percent

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
    """What is usual, as a range with a dash, or ``at most 3``, or ``none``."""
    least, most = figure(metric, low), figure(metric, high)
    if most == figure(metric, 0):
        return "none"
    if low <= 0 or least == figure(metric, 0) or least == most:
        return f"at most {most}"
    amount, _, unit = least.rpartition(" ")
    same = amount and most.endswith(f" {unit}")
    return f"{amount if same else least}{NOTHING}{most}"


def usual(sight: Sight) -> str:
    """When it is usual: the hour is what the series is compared with, and the day of the week where it matters."""
    day = f" on {sight.at:%A}s" if sight.by_day else ""
    return f"usually {band(sight.metric, sight.low, sight.high)}{day} at this hour"


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
    name = f"v{version}" if version.isdecimal() else shorten(version, 30)
    minutes = round((began_at - deployed_at).total_seconds() / 60)
    before = "at the same time" if minutes < 1 else f"{minutes} minute{'' if minutes == 1 else 's'} before"
    return f"since {name}, {before}"


def sentence(sight: Sight, told: Mapping[str, Any]) -> str:
    """The reason with what ``Surroundings.of`` told of it."""
    deployment, behind = told.get("deployment"), told.get("drivers")
    parts = [reason(sight)]
    if deployment:
        parts.append(deployment["since"])
    if behind:
        parts.append(f"while {' and '.join(behind[:2])}")
    blame = told.get("blame")
    return _capital(", ".join(parts)) + "." + (f" {blame}" if blame else "")


# What became odd together ------------------------------------------------------------------------
def title(row: Anomaly, name: str) -> str:
    """``p95 duration of checkout is 4.1 s, usually 620 to 940 ms``, with a dash for the range."""
    metric = BY_NAME.get(row.metric)
    if metric is None:
        return f"{name} is not as usual"
    verb = "are" if metric.name in PLURAL else "is"
    span = " in 5 minutes" if metric.name in EACH_STEP else ""
    told = f"{metric.words} of {name} {verb} {figure(metric, row.value)}{span}"
    return f"{_capital(told)}, usually {band(metric, row.low, row.high)}"


def title_of_many(rows: Sequence[Anomaly], names: Mapping[int, str]) -> str:
    """``12 resources became unusual at once, among them checkout and payments``."""
    told = _named(rows, names)
    return f"{len(names):,} resources became unusual at once, among them {' and '.join(told[:2])}"


def reasons(rows: Sequence[Anomaly]) -> str:
    """The reasons of one resource, the leader's first; of more than three the number of the rest."""
    told = " ".join(row.reason for row in rows[:3])
    more = len(rows) - 3
    if more < 1:
        return told
    return f"{told} {more} more metric{' is' if more == 1 else 's are'} unusual as well."


def reason_of_many(rows: Sequence[Anomaly], names: Mapping[int, str]) -> str:
    told = _named(rows, names)
    more = len(names) - len(told[:5])
    listed = f"{', '.join(told[:5])} and {more:,} more" if more else _and(told)
    words = Counter(BY_NAME[row.metric].words for row in rows if row.metric in BY_NAME)
    commonest = " and ".join(name for name, _ in words.most_common(2))
    return (
        f"At the same time, {commonest} went far from usual in {listed}. "
        "What they share is the first place to look: a deployment, a database, a network, AWS itself."
    )


def _and(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _named(rows: Sequence[Anomaly], names: Mapping[int, str]) -> list[str]:
    """Every resource once, the most unusual first."""
    strongest = sorted(rows, key=lambda row: -row.surprise)
    return list(dict.fromkeys(names[row.resource_id] for row in strongest))


NEXT: Mapping[str, str] = {
    "invocations": "Look at who calls it: the event sources, and the functions before it.",
    "errors": "Open the errors of this time, and compare with the last deployment.",
    "duration_p50": "Open the slowest invocations of this time, and see what they waited for.",
    "duration_p95": "Open the slowest invocations of this time, and see what they waited for.",
    "memory": "Look for payloads that grew, or for something that is kept between invocations.",
    "cold_starts": "Look for a deployment, or for calls that arrive at once; provisioned concurrency keeps some warm.",
    "cost": "See which of invocations, duration and memory grew.",
    "throttles": "Raise or reserve concurrency, or slow down whoever calls it.",
    "concurrency": "See whether it is called more often or takes longer than usual.",
    "iterator_age": "See whether the function fails or is slow; more parallel batches for each shard help.",
    "queue_depth": "See whether the consumer fails, is slow or is throttled.",
    "queue_age": "See whether the consumer fails, is slow or is throttled.",
    "api_latency": "See which function behind the API is slow.",
    "api_errors": "Open the errors of the functions behind the API.",
    "stream_age": "See whether the consumers fail or are slow; more shards help.",
    "failed_executions": "Open the failed executions, and the errors of the functions that they call.",
    "table_throttles": "Raise the capacity of the table, or look for a key that everybody reads or writes.",
}


def next_step(row: Anomaly, *, many: bool) -> str:
    if many:
        return "Look for what they share. Nightjar shows deployments and incidents on the same charts."
    return NEXT.get(row.metric, "")


def _capital(text: str) -> str:
    """A sentence's first letter, but ``p95`` stays as it is written."""
    return text if text.startswith("p95") else text[:1].upper() + text[1:]
