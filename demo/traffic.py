"""When the simulated functions run: a daily rhythm, the same for the same minute however often it is asked."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo.catalogue import BAD_RELEASES, CATALOGUE, FAILURE_SHARES, Function
from demo.failures import FAILURES
from demo.releases import BAD_SHARE, release, slowness
from demo.telemetry import Run, events, own_events

MINUTE = timedelta(minutes=1)
BATCH_EVENTS = 400

Told = list[dict[str, Any]]


def rhythm(at: datetime) -> float:
    """The share of the busiest hour's traffic at this time of day: quiet at 03:30 UTC, busy at 15:30."""
    hours = at.hour + at.minute / 60
    return 0.35 + 0.65 * (0.5 - 0.5 * math.cos((hours - 3.5) / 24 * 2 * math.pi))


def _ending(function: Function, bad: bool, random: Random) -> str:
    if bad and random.random() < BAD_SHARE:
        return BAD_RELEASES[function.name]
    draw = random.random()
    for failure, share in FAILURE_SHARES.get(function.name, {}).items():
        if draw < share:
            return failure
        draw -= share
    return ""


def _duration_ms(function: Function, ending: str, slower: float, random: Random) -> float:
    if ending == "timeout":
        return function.timeout_s * 1000.0
    if ending and (takes_ms := FAILURES[ending].takes_ms):
        return takes_ms + random.uniform(0, 60)
    duration = slower * function.median_ms * random.lognormvariate(0, function.spread)
    return min(duration, function.timeout_s * 990.0)


def runs(function: Function, minute: datetime, anchor: datetime) -> list[Run]:
    """The invocations of one function that start in one minute, in order."""
    random = Random(f"{function.name} {minute.isoformat()}")
    expected = function.per_minute * rhythm(minute)
    count = int(expected) + (random.random() < expected % 1)
    starts = sorted(minute + timedelta(milliseconds=random.randrange(60_000)) for _ in range(count))
    found = []
    for number, start in enumerate(starts):
        bad = release(function, start, anchor)[1]
        ending = _ending(function, bad, random)
        cold = random.random() < function.cold_share
        duration = _duration_ms(function, ending, slowness(function, start, anchor), random)
        found.append(Run(function, start, duration, cold, ending, number))
    return found


def envelope(function: Function, version: str, now: datetime, told: Told) -> dict[str, Any]:
    """One request body of the ingest API."""
    return {
        "schema": 1,
        "function": {
            "arn": function.arn,
            "name": function.name,
            "version": version,
            "memory_mb": function.memory_mb,
            "timeout_s": function.timeout_s,
            "runtime": function.runtime,
            "architecture": function.architecture,
            "init_type": function.init_type,
            "log_group": f"/aws/lambda/{function.name}",
        },
        "extension": {"version": "0.1.0", "init_ms": 11.4, "dropped": 0},
        "sent_at": now.isoformat(),
        "events": told,
    }


def _ended(function: Function, start: datetime, end: datetime, anchor: datetime) -> Iterator[Run]:
    minute = (start - timedelta(seconds=function.timeout_s)).replace(second=0, microsecond=0)
    while minute < end:
        for run in runs(function, minute, anchor):
            if start <= run.started_at + timedelta(milliseconds=run.duration_ms) < end:
                yield run
        minute += MINUTE


def whole(run: Run, version: str) -> Told:
    return events(run, version) + own_events(run)


def told_between(
    start: datetime, end: datetime, now: datetime, anchor: datetime, tell: Callable[[Run, str], Told] = whole
) -> Iterator[dict[str, Any]]:
    """Request bodies for everything that ended in ``[start, end)``, function by function, about 400 events each.

    One body holds one version only, because a version is a property of the execution environment.
    """
    for function in CATALOGUE:
        told: Told = []
        told_version = ""
        for run in _ended(function, start, end, anchor):
            version = release(function, run.started_at, anchor)[0]
            if told and (version != told_version or len(told) > BATCH_EVENTS):
                yield envelope(function, told_version, now, told)
                told = []
            told_version = version
            told += tell(run, version)
        if told:
            yield envelope(function, told_version, now, told)
