"""Are metrics and logs complete, and AWS's quotas kept, when a third of AWS's answers is a refusal?

The product's own collections read simulated accounts twice: undisturbed, which makes the fewest calls possible, and
through a proxy that throttles, fails and hangs. Time is simulated in so far as pauses are skipped: whatever waits
within a run (for a budget, before another try, for an answer that does not come) really waits.
"""

import argparse
import os
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore import xform_name
from django.conf import settings
from django.db import connection, connections

from bench.cloud import REGION, ROLE, Cloud, Estate, Told
from bench.faults import Faults
from bench.stack import Stack
from bench.tenant import tenant
from demo.aws.server import environment
from ingest import pipeline, schedule
from ingest.models import Collection
from observability.aws import quotas
from observability.aws.models import AwsAccount
from observability.tenants.models import Organization

THREADS = 8
"""Of one puller."""

TICK = timedelta(seconds=10)
AFTER = timedelta(minutes=22)
"""For so long reading goes on when nothing happens any more: late metrics are waited for for 20 minutes."""

ALLOWED = {"FilterLogEvents": 5, "log_descriptions": 10, "GetMetricData": 50, "ListMetrics": 25, "lambda_reads": 15}
"""Calls per second, account and region, as AWS has it outside of the largest regions."""

SERVICES = {"tag": "resourcegroupstaggingapi", "states": "stepfunctions"}
STATISTICS = {
    "Invocations": ("Sum",),
    "Errors": ("Sum",),
    "Duration": ("Average", "Maximum"),
    "ConcurrentExecutions": ("Maximum",),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=int, default=60, help="for so long functions run, in simulated time")
    parser.add_argument("--accounts", type=int, default=2)
    parser.add_argument("--functions", type=int, default=2, help="of each account")
    parser.add_argument("--throttle", default="30%", help="share of calls that are throttled")
    parser.add_argument("--fail", default="5%", help="share of calls that are answered 500 or 503")
    parser.add_argument("--hang", default="1%", help="share of calls that are not answered at all")
    parser.add_argument("--seed", type=int, default=7)


@dataclass(slots=True)
class Clock:
    """Runs as fast as any, but can be put forward."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead  # noqa: TID251  # A bench is an entry point; it reads the clock.

    def put(self, moment: datetime) -> None:
        self.ahead += moment - self.now()


@dataclass(slots=True)
class Runs:
    """How long each run of a collection took, and how many ended with an error."""

    held_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    count: int = 0

    def make(self, collection_id: int, clock: Callable[[], datetime]) -> None:
        kind = Collection.objects.get(pk=collection_id).kind
        began = time.monotonic()
        pipeline.collect(collection_id=collection_id, clock=clock)
        self.held_s[kind] = max(self.held_s[kind], time.monotonic() - began)
        self.count += 1
        connections.close_all()


def share(text: str) -> float:
    return float(text.rstrip("%")) / 100


def connect(organization: Organization, estate: Estate) -> None:
    AwsAccount.objects.bulk_create(
        AwsAccount(
            organization=organization, name=account, account_id=account, role_arn=f"arn:aws:iam::{account}:role/{ROLE}",
            external_id=f"{organization.slug}-{account}", regions=[REGION], status=AwsAccount.Status.CONNECTED,
            created_at=estate.start, connected_at=estate.start,
        )
        for account in estate.account_ids()
    )  # fmt: skip


def live(estate: Estate, organization: Organization, url: str) -> Runs:
    """Read from the start until everything must have come, as beat, worker and puller would."""
    settings.AWS_ENDPOINT_URL = url
    clock, runs = Clock(), Runs()
    clock.put(estate.start)
    connect(organization, estate)
    with ThreadPoolExecutor(THREADS) as pool:
        while (now := clock.now()) < estate.end + AFTER:
            schedule.plan(now=now)
            claimed = schedule.claim(now=now, at_once=THREADS)
            for done in [pool.submit(runs.make, collection_id, clock.now) for collection_id in claimed]:
                done.result()
            if not claimed:
                clock.put(now + TICK)
    AwsAccount.objects.filter(organization=organization).update(disconnected_at=clock.now())
    return runs


def rows(sql: str, organization: Organization) -> Counter[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [organization.pk])
        return Counter(cursor.fetchall())


def points(estate: Estate) -> Counter[tuple[Any, ...]]:
    """What must be stored of the metrics of every function."""
    return Counter(
        (account, name, metric, statistic, at, value)
        for account in estate.account_ids()
        for name in estate.names()
        for metric, value, at in estate.figures()
        for statistic in STATISTICS[metric]
    )


def invocations(estate: Estate) -> Counter[tuple[Any, ...]]:
    return Counter(
        (account, name, f"{number:08x}-49c9-448d-89b8-7ca3e6dc66aa")
        for account in estate.account_ids()
        for name in estate.names()
        for number, _ in estate.runs()
    )


def kept(estate: Estate, organization: Organization) -> dict[str, int]:
    """What is stored, held against what happened."""
    resource = "JOIN inventory_resource r ON r.id = f.resource_id WHERE f.organization_id = %s"
    found = rows(f"SELECT account, name, request_id FROM telemetry_invocation f {resource}", organization)
    figures = rows(
        f"SELECT account, name, metric, statistic, at, value FROM telemetry_point f {resource} "
        "AND r.type = 'lambda_function'",
        organization,
    )
    wanted, runs = points(estate), invocations(estate)
    return {
        "points": wanted.total(),
        "missing_points": (wanted - figures).total(),
        "invocations": runs.total(),
        "missed": (runs - found).total(),
        "duplicates": (found - runs).total() + (figures - wanted).total(),
    }


def family(action: str) -> str:
    service, _, operation = action.partition(":")
    return quotas.family(SERVICES.get(service, service), xform_name(operation))


def peaks(told: Told) -> list[dict[str, object]]:
    """The most calls that any account's region got within a second, by family."""
    times: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for at, account, region, action in told.made:
        times[account, region, family(action)].append(at)
    most: Counter[str] = Counter()
    for (_, _, name), made in times.items():
        made.sort()
        within = max(place + 1 - bisect_left(made, at - 1) for place, at in enumerate(made))
        most[name] = max(most[name], within)
    return [{"family": name, "per_s": most[name], "quota": quota} for name, quota in ALLOWED.items()]


def run(options: argparse.Namespace) -> dict[str, object]:
    now = datetime.now(UTC)  # noqa: TID251  # A bench is an entry point; it reads the clock.
    start = (now - timedelta(minutes=options.minutes) - AFTER).replace(second=0, microsecond=0)
    estate = Estate(options.accounts, options.functions, start, options.minutes)
    faults = Faults(
        seed=options.seed, throttled=share(options.throttle), failing=share(options.fail), hanging=share(options.hang)
    )
    with Stack(), Cloud(estate, faults) as cloud:
        os.environ |= environment(cloud.url)
        clean, spoilt = tenant("clean", now)[0], tenant("spoilt", now)[0]
        live(estate, clean, cloud.url)
        began = time.monotonic()
        runs = live(estate, spoilt, cloud.spoilt_url)
        seconds = time.monotonic() - began
        undisturbed, found = kept(estate, clean), kept(estate, spoilt)
        least, told = len(cloud.told(spoilt=False).made), cloud.told(spoilt=True)
    highest = peaks(told)
    return {
        **found,
        "missing_undisturbed": undisturbed["missing_points"] + undisturbed["missed"],
        "calls": len(told.made),
        "least_calls": least,
        "calls_ratio": round(len(told.made) / least, 3),
        "calls_per_answer": round(len(told.made) / (len(told.made) - told.spoilt.total()), 3),
        **dict(told.spoilt),
        "longest_hold_s": round(max(runs.held_s.values()), 1),
        "over_quota": sum(row["per_s"] > row["quota"] for row in highest),  # type: ignore[operator]
        "peaks": highest,
        "holds": [{"kind": kind, "longest_s": round(held, 1)} for kind, held in sorted(runs.held_s.items())],
        "runs": runs.count,
        "simulated_min": round((estate.minutes * timedelta(minutes=1) + AFTER) / timedelta(minutes=1)),
        "seconds": round(seconds, 1),
    }
