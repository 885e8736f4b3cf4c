"""What happens in the simulated accounts: invocations by the minute, their log lines, and CloudWatch's count of them.

Lines and figures come from the same invocations, which are the same however often one asks. So a simulation that starts
again and tells its last hours again tells nothing new.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from random import Random
from typing import Any

from demo import traffic
from demo.aws.lines import lines
from demo.catalogue import CATALOGUE, FLEET, Function
from demo.telemetry import Run

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LAG = timedelta(seconds=70)
"""A minute's figures are told when it is over and counted."""

SCHEDULES = {"shop-ledger": 15, "shop-sessions": 5}
"""Function → minutes between its invocations, which begin with the hour."""
MISSES = "shop-ledger"
"""The one whose rule fails to run it once an hour."""
ASYNCHRONOUS = {"shop-notify", "shop-thumbnails", "shop-ledger", "shop-sessions"}
STREAMING = {"shop-stock"}
VERSIONS = {"checkout-api": "1", "shop-orders-api": "3", "shop-invoice": "2"}
"""Function → the published version that its alias ``live`` runs; the others run what was uploaded last."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Where an execution environment writes."""

    account: str
    region: str
    group: str
    name: str


def runs(function: Function, minute: datetime, anchor: datetime) -> list[Run]:
    """The invocations of one function that start in one minute, in order."""
    every = SCHEDULES.get(function.name)
    if every is None:
        return traffic.runs(function, minute, anchor)
    if minute.minute % every or is_missed(function, minute):
        return []
    random = Random(f"{function.name} {minute.isoformat()}")
    duration = min(function.median_ms * random.lognormvariate(0, function.spread), function.timeout_s * 990.0)
    return [Run(function, minute + timedelta(milliseconds=random.randrange(2_000)), duration, False, "", 0)]


def is_missed(function: Function, minute: datetime) -> bool:
    """Whether the rule that should run the function now does not."""
    if function.name != MISSES:
        return False
    slots = 60 // SCHEDULES[MISSES]
    return minute.minute // SCHEDULES[MISSES] == Random(f"missed {minute:%Y-%m-%d %H}").randrange(slots)


def ended(function: Function, start: datetime, end: datetime, anchor: datetime) -> Iterator[Run]:
    """The invocations that ended in ``[start, end)``."""
    minute = (start - timedelta(seconds=function.timeout_s)).replace(second=0, microsecond=0)
    while minute < end:
        yield from (run for run in runs(function, minute, anchor) if start <= end_of(run) < end)
        minute += MINUTE


def end_of(run: Run) -> datetime:
    return run.started_at + timedelta(milliseconds=run.duration_ms)


@lru_cache(maxsize=256)
def environments(function: Function, hour: datetime, anchor: datetime) -> dict[tuple[datetime, int], int]:
    """Which execution environment serves each invocation that starts in an hour; one serves one at a time."""
    busy_until: list[datetime] = []
    places: dict[tuple[datetime, int], int] = {}
    for minute in range(60):
        for run in runs(function, hour + minute * MINUTE, anchor):
            # The report follows two milliseconds after the end, and the next invocation begins after it.
            free = (place for place, until in enumerate(busy_until) if until < run.started_at)
            place = len(busy_until) if run.cold else next(free, len(busy_until))
            busy_until += [run.started_at] * (place + 1 - len(busy_until))
            busy_until[place] = end_of(run) + timedelta(milliseconds=3)
            places[run.started_at, run.number] = place
    return places


def stream(run: Run, anchor: datetime) -> Stream:
    """The log stream that a run writes to, named as Lambda names them; environments last an hour."""
    function, hour = run.function, run.started_at.replace(minute=0, second=0, microsecond=0)
    place = environments(function, hour, anchor)[run.started_at, run.number]
    key = blake2b(f"{function.arn} {hour.isoformat()} {place}".encode(), digest_size=16).hexdigest()
    named = function.name if function.log_group else ""
    name = f"{hour:%Y/%m/%d}/{named}[{version(function)}]{key}"
    return Stream(function.account, function.region, function.logs_to, name)


def version(function: Function) -> str:
    return VERSIONS.get(function.name, "$LATEST")


def log_events(start: datetime, end: datetime, anchor: datetime) -> dict[Stream, list[dict[str, Any]]]:
    """What the fleet's invocations that ended in ``[start, end)`` have written, by log stream, in order of time."""
    found: dict[Stream, list[dict[str, Any]]] = defaultdict(list)
    for function in FLEET:
        for run in ended(function, start, end, anchor):
            told = lines(run, version(function))
            found[stream(run, anchor)] += (
                {"timestamp": int(at.timestamp() * 1000), "message": message} for at, message in told
            )
    for told_there in found.values():
        told_there.sort(key=lambda event: int(event["timestamp"]))
    return found


def figures(start: datetime, end: datetime, anchor: datetime) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """CloudWatch's data of the minutes in ``[start, end)``, by account and region, as PutMetricData takes them."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for function in (*CATALOGUE, *FLEET):
        minute = start
        while minute < end:
            if ran := runs(function, minute, anchor):
                found[function.account, function.region] += data(function, minute, ran)
            minute += MINUTE
    return found


def data(function: Function, minute: datetime, ran: list[Run]) -> Iterator[dict[str, Any]]:
    """What Lambda tells CloudWatch of one minute; an invocation counts in the minute in which it began."""
    durations = [run.duration_ms for run in ran]
    failed = sum(bool(run.failure) for run in ran)
    told: dict[str, list[float]] = {
        "Invocations": [len(ran)],
        "Errors": [failed],
        "Throttles": [0],
        "Duration": durations,
        "ConcurrentExecutions": [1 + int(sum(durations) / 60_000)],
    }
    if function.name in ASYNCHRONOUS:
        told |= {"AsyncEventsReceived": [len(ran)], "AsyncEventAge": [40]}
    if function.name in STREAMING:
        told["IteratorAge"] = [iterator_age_ms(function, minute)]
    if function.warm:
        told["ProvisionedConcurrencyUtilization"] = [min(1.0, told["ConcurrentExecutions"][0] / function.warm)]
    for name, values in told.items():
        yield datum({"FunctionName": function.name}, minute, name, values)


def iterator_age_ms(function: Function, minute: datetime) -> float:
    """How old the last record was that a function read from its stream in a minute."""
    return Random(f"age {function.name} {minute.isoformat()}").lognormvariate(6, 0.5)


def datum(dimensions: Mapping[str, str], minute: datetime, name: str, values: Sequence[float]) -> dict[str, Any]:
    """What one metric was in a minute, as PutMetricData takes it."""
    statistics = {"SampleCount": len(values), "Sum": sum(values), "Minimum": min(values), "Maximum": max(values)}
    whose = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"MetricName": name, "Dimensions": whose, "Timestamp": minute, "StatisticValues": statistics}
