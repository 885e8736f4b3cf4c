"""Memory of the puller over a great many pulls: the real process, hundreds of accounts, an AWS of canned answers.

Collections are made due as fast as the puller works them off, each account's functions, metrics and logs in turn. The
slope is that of the resident memory once ``--warm-up`` of the pulls is done; ``slope_low`` and ``slope_high`` are
between which two it is with 95 % confidence.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psutil
from django.db.models import Q

from bench.canned_aws import CannedAws
from bench.stack import Stack
from bench.tenant import tenant
from bench.trend import trend
from demo.aws.proxy import root_key
from ingest import schedule
from ingest.models import Collection
from ingest.tasks import collect
from observability.aws.models import AwsAccount
from observability.tenants.models import Organization

MIB = 1024 * 1024
REGION = "eu-west-1"
KINDS = ("lambda_functions", "lambda_metrics", "lambda_logs")
AHEAD = 32
"""So many pulls wait for the puller's threads at most, besides those under way."""

PAUSE_S, SAMPLE_S = 0.1, 1.0
IDLE_S = 120.0
"""Nothing ends for so long: the puller is dead."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pulls", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=300)
    parser.add_argument("--functions", type=int, default=2, help="of each account")
    parser.add_argument("--busy", type=int, default=1, help="accounts whose logs come in full pages")
    parser.add_argument("--warm-up", type=float, default=0.25, help="share of the pulls before memory has settled")
    parser.add_argument("--minutes", type=float, default=90.0, help="stop after so long, however many pulls were made")


@dataclass(slots=True)
class Soak:
    """What happened so far: ``(second, MiB, pulls done)`` once a second."""

    samples: list[tuple[float, float, int]] = field(default_factory=list)
    rung: int = 0
    failed: int = 0
    slow: int = 0

    def settled(self, share: float) -> list[tuple[float, float]]:
        """Hours and MiB after the warm-up."""
        return [(at / 3600, rss) for at, rss, done in self.samples if done >= share * self.samples[-1][2]]


def connect(organization: Organization, accounts: int, now: datetime) -> None:
    """Connected accounts, each with the three collections."""
    made = AwsAccount.objects.bulk_create(
        AwsAccount(
            organization=organization, name=f"Account {number}", account_id=f"{number:012d}",
            role_arn=f"arn:aws:iam::{number:012d}:role/nightjar", external_id=f"soak-{number}", regions=[REGION],
            status=AwsAccount.Status.CONNECTED, created_at=now, connected_at=now,
        )
        for number in range(1, accounts + 1)
    )  # fmt: skip
    Collection.objects.bulk_create(
        Collection(account=account, region=REGION, kind=kind, due_at=now) for account in made for kind in KINDS
    )


def ring(soak: Soak, most: int, now: datetime) -> None:
    """Have those pulled that have waited for longest, as long as not too many are waiting already."""
    lost = Q(leased_until__lte=now)
    soak.slow += Collection.objects.filter(lost).update(leased_until=None)
    room = min(AHEAD - Collection.objects.exclude(leased_until=None).count(), most - soak.rung)
    if room <= 0:
        return
    free = Collection.objects.filter(leased_until=None).order_by("started_at", "pk")
    mine = dict(free.values_list("pk", "failures")[:room])
    soak.failed += sum(failures > 0 for failures in mine.values())
    Collection.objects.filter(pk__in=mine).update(due_at=now, failures=0)
    for collection_id in schedule.claim(now=now, at_once=AHEAD):
        collect.delay(collection_id=collection_id)
        soak.rung += 1


def ticks(seconds: float) -> Iterator[float]:
    """Seconds since the start, every little while."""
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        yield elapsed
        time.sleep(PAUSE_S)


def drive(soak: Soak, puller: psutil.Process, options: argparse.Namespace) -> None:
    """Ring until all pulls are done or time is up, and look at the puller's memory meanwhile."""
    done, moved = 0, 0.0
    for elapsed in ticks(options.minutes * 60):
        ring(soak, options.pulls, datetime.now(UTC))  # noqa: TID251  # A bench is an entry point; it reads the clock.
        before, done = done, soak.rung - Collection.objects.exclude(leased_until=None).count()
        moved = elapsed if done > before else moved
        over = done >= options.pulls or elapsed - moved > IDLE_S
        if over or not soak.samples or elapsed - soak.samples[-1][0] >= SAMPLE_S:
            soak.samples.append((elapsed, puller.memory_info().rss / MIB, done))
        if over:
            break


def run(options: argparse.Namespace) -> dict[str, object]:
    soak, now = Soak(), datetime.now(UTC)  # noqa: TID251  # A bench is an entry point; it reads the clock.
    with CannedAws(functions=options.functions, busy=options.busy) as aws, Stack() as stack:
        os.environ |= {
            "AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": root_key("905418337712"),
            "AWS_SECRET_ACCESS_KEY": "canned", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        connect(tenant("acme", now)[0], options.accounts, now - timedelta(seconds=1))
        stack.start("puller")
        drive(soak, psutil.Process(stack.children["puller"].pid), options)
        calls = aws.calls()
    seconds, _, done = soak.samples[-1]
    slope, low, high = trend(soak.settled(options.warm_up))
    rss = [rss for _, rss, _ in soak.samples]
    return {
        "pulls": done,
        "accounts": options.accounts,
        "failed": soak.failed,
        "lost_leases": soak.slow,
        "max_rss_mib": round(max(rss), 1),
        "settled_rss_mib": round(soak.settled(options.warm_up)[0][1], 1),
        "last_rss_mib": round(rss[-1], 1),
        "slope_mib_per_hour": round(slope, 2),
        "slope_low": round(low, 2),
        "slope_high": round(high, 2),
        "slope_mib_per_100000_pulls": round(slope * seconds / 3600 / max(done, 1) * 100_000, 2),
        "pulls_per_s": round(done / seconds, 1),
        "api_calls": sum(calls.values()),
        "seconds": round(seconds),
    }
