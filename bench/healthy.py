"""How often the anomaly watch cries wolf: a week of functions that are all well.

They are busy by day and on weekdays, bursty, sparse, or run by a clock; each is deployed twice a week, which shifts its
duration and memory a little and starts it cold. Their series are judged by the product's own catalogue and rules, at
the sensitivity that policies have unless somebody changes it. What is told of one function within an hour is one alert.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from alerts.models import Sensitivity
from alerts.routing import SURPRISING
from alerts.watching import judging, surprise
from alerts.watching.frames import Frame
from alerts.watching.judging import Sight
from alerts.watching.series import BY_NAME, STEP, key_of
from alerts.watching.shards import Shard
from alerts.watching.telling import FAR, LASTING, PATIENT
from bench.well import Well, well

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)
TOGETHER = 200
"""Functions that are made and judged at once, so that their numbers fit into memory."""

GAP = timedelta(hours=1)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--functions", type=int, default=1_000)
    parser.add_argument("--weeks", type=int, default=3, help="the last is counted, those before it are learnt from")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threshold", type=float, default=SURPRISING[Sensitivity.MEDIUM])


def run(chosen: argparse.Namespace) -> dict[str, object]:
    random = np.random.default_rng(chosen.seed)
    begun = time.perf_counter()
    told: list[Sight] = []
    series = 0
    for first in range(0, chosen.functions, TOGETHER):
        numbers = well(random, min(TOGETHER, chosen.functions - first), chosen.weeks)
        shard = fresh(numbers)
        series += len(shard.keys)
        told += alerts(judging.judge(shard, list(frames(shard, numbers)), threshold=chosen.threshold), chosen.threshold)
    last = MONDAY + WEEK * (chosen.weeks - 1)
    counted = [sight for sight in told if sight.at >= last]
    first_week = [sight for sight in told if sight.at < MONDAY + WEEK]
    return {
        "functions": chosen.functions,
        "series": series,
        "threshold": chosen.threshold,
        "alerts": len(counted),
        "alerts_per_100_functions_week": round(100 * len(counted) / chosen.functions, 3),
        "first_week_per_100_functions": round(100 * len(first_week) / chosen.functions, 3),
        "seconds": round(time.perf_counter() - begun, 1),
        "worst": [shown(sight) for sight in sorted(counted, key=lambda sight: -sight.surprise)[:10]],
    }


def fresh(numbers: Well) -> Shard:
    """A shard that has seen nothing of these functions yet."""
    functions = next(iter(numbers.values.values())).shape[1]
    metrics = sorted((BY_NAME[name] for name in numbers.values), key=lambda metric: metric.number)
    keys = np.array([key_of(place + 1, metric) for place in range(functions) for metric in metrics], np.int64)
    return Shard(0, keys, surprise.fresh(len(keys)))


def frames(shard: Shard, numbers: Well) -> Iterator[Frame]:
    """The numbers as watching reads them."""
    names = sorted(numbers.values, key=lambda name: BY_NAME[name].number)
    values = np.stack([numbers.values[name] for name in names], axis=2)
    of = np.stack([numbers.of[name] for name in names], axis=2)
    for step in range(len(values)):
        yield Frame(MONDAY + step * STEP, shard.keys, values[step].ravel(), of[step].ravel())


def alerts(sights: Iterable[Sight], threshold: float) -> list[Sight]:
    """The incidents that ``telling`` makes of them, were it not for the budget: what lasts, or is far out."""
    until: dict[int, datetime] = {}
    steps: dict[int, set[datetime]] = {}
    told: dict[tuple[int, datetime], Sight] = {}
    for sight in sights:
        key = sight.resource_id
        if sight.at > until.get(key, MONDAY - GAP - GAP) + GAP:
            if not sight.fresh:
                continue
            steps[key] = set()
        until[key] = sight.at
        steps[key].add(sight.at)
        if len(steps[key]) >= LASTING or (sight.surprise >= FAR * threshold and sight.metric.name not in PATIENT):
            told.setdefault((key, min(steps[key])), sight)
    return list(told.values())


def shown(sight: Sight) -> dict[str, object]:
    return {
        "metric": sight.metric.name,
        "at": sight.at.isoformat(),
        "value": round(sight.value, 2),
        "usual": f"{sight.low:.2f} to {sight.high:.2f}",
        "surprise": round(sight.surprise, 1),
    }
