"""One tick of the anomaly watch over many series: memory loaded from PostgreSQL, a step judged, memory stored.

Shard by shard, as the worker does it. The limit is what PostgreSQL needs to read and write as many bytes as they are.
"""

import argparse
import time
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection, transaction

from alerts.models import Sensitivity, SeriesShard
from alerts.routing import SURPRISING
from alerts.watching import judging, shards, surprise
from alerts.watching.frames import Frame
from alerts.watching.series import BY_NUMBER, FUNCTION, STEP, key_of
from bench.stack import Stack
from bench.tenant import tenant

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
METRICS = [metric for metric in BY_NUMBER.values() if FUNCTION in metric.types]
WARM = 6


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--ticks", type=int, default=3, help="the fastest is told")


def run(chosen: argparse.Namespace) -> dict[str, object]:
    with Stack():
        organization, _ = tenant("acme", MONDAY)
        keys = np.array([key_of(1 + n // len(METRICS), METRICS[n % len(METRICS)]) for n in range(chosen.series)])
        ticks = [tick(organization.pk, keys, MONDAY + n * STEP) for n in range(1 + chosen.ticks)][1:]
        best = min(ticks, key=lambda spent: sum(spent.values()))
        rows = SeriesShard.objects.count()
        limit_s = copied()
    return {
        "series": chosen.series,
        "tick_s": round(sum(best.values()), 3),
        **{name: round(seconds, 3) for name, seconds in best.items()},
        "limit_s": round(limit_s, 3),
        "us_per_series": round(1e6 * sum(best.values()) / chosen.series, 2),
        "shards": rows,
        "mib": round(chosen.series * surprise.STATE.itemsize / 2**20, 1),
    }


def tick(organization_id: int, keys: shards.Keys, at: datetime) -> dict[str, float]:
    """Seconds spent on each part of one tick; the first makes the shards and lets them learn a little."""
    spent: dict[str, float] = dict.fromkeys(("load_s", "judge_s", "store_s"), 0.0)
    random = np.random.default_rng(at.day * 1_000 + at.minute)
    frame = Frame(at, keys, random.gamma(2.0, 50.0, len(keys)), np.full(len(keys), 100.0))
    with transaction.atomic():
        begun = time.perf_counter()
        for number, joining in shards.plan(organization_id, keys):
            shard = shards.load(organization_id, number)
            shard.add(joining)
            loaded = time.perf_counter()
            warm = [Frame(at - n * timedelta(hours=5), keys, frame.values, frame.of) for n in range(WARM, 0, -1)]
            steps = [*warm, frame] if len(joining) else [frame]
            judging.judge(shard, steps, threshold=SURPRISING[Sensitivity.MEDIUM])
            judged = time.perf_counter()
            shards.store(organization_id, shard)
            stored = time.perf_counter()
            spent["load_s"] += loaded - begun
            spent["judge_s"] += judged - loaded
            spent["store_s"] += stored - judged
            begun = stored
    committed = time.perf_counter()
    spent["store_s"] += committed - begun
    return spent


def copied() -> float:
    """Seconds to read all memory and to write it again, with nothing done in between."""
    begun = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM alerts_seriesshard")
        for (pk,) in cursor.fetchall():
            cursor.execute("SELECT states FROM alerts_seriesshard WHERE id = %s", [pk])
            row = cursor.fetchone()
            if row:
                cursor.execute("UPDATE alerts_seriesshard SET states = %s WHERE id = %s", [bytes(row[0]), pk])
    return time.perf_counter() - begun
