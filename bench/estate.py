"""A large estate for the pages bench: many functions with rollups of every grain, and some raw rows to drill into.

Rollups are made by the database itself from a few shapes of sketches, because millions of rows would take the
ordinary way minutes. They are what the ordinary way stores: a row per function and minute of the last day, per hour
and per day of all of it, and the sums over all functions under ``resource_id`` 0.
"""

from datetime import datetime, timedelta
from random import Random

import numpy as np
from django.db import connection

from bench.tenant import tenant
from demo.catalogue import CATALOGUE
from demo.traffic import told_between
from ingest.collector import is_granted
from ingest.collectors import COLLECTORS
from ingest.models import Collection, LogGroup
from observability.aws import needs
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry import packing
from observability.telemetry.models import Coverage
from observability.telemetry.sketch import bucket
from observability.tenants.models import Organization

SHAPES = 64
REGIONS = ["eu-west-1", "us-east-1", "eu-central-1"]
COLUMNS = (
    "organization_id, resource_id, start, invocations, errors, timeouts, out_of_memory, cold_starts, throttles, "
    "billed_ms, cost_usd, duration_ms, init_ms, max_memory_mb, memory_mb, durations"
)
FILL = """
INSERT INTO {table} ({columns})
SELECT {organization}, r.id, s.start, k.n * {scale}, CASE WHEN r.id %% 9 = 0 THEN 1 ELSE 0 END, 0, 0,
       CASE WHEN k.i %% 4 = 0 THEN 1 ELSE 0 END, 0, k.n * {scale} * 130, k.n * {scale} * 2e-6, k.n * {scale} * 120.0,
       0, 120 + k.i, 512, k.durations
FROM {resources} r
CROSS JOIN generate_series(%s::timestamptz, %s::timestamptz, %s::interval) AS s(start)
JOIN bench_sketch k ON k.i = (r.id + extract(epoch FROM s.start)::bigint / {seconds}) %% {shapes}
"""


def sketches(random: Random) -> list[tuple[int, int, bytes]]:
    """(number, invocations, packed sketch) of some typical minutes and hours: about twenty buckets each."""
    found = []
    for number in range(SHAPES):
        median, count = random.lognormvariate(5, 0.8), random.randint(20, 60)
        durations = [bucket(median * random.lognormvariate(0, 0.4)) for _ in range(count)]
        unique, counts = np.unique(np.array(durations, np.int64), return_counts=True)
        columns = packing.Sketches(np.zeros(len(unique), np.int64), unique, counts.astype(np.int64))
        found.append((number, count, packing.pack(columns, 1)[0]))
    return found


def functions(organization: Organization, count: int, now: datetime) -> None:
    """That many functions, named after the demo's."""
    Resource.objects.bulk_create(
        Resource(
            organization=organization,
            arn=f"{template.arn}-{number}",
            name=f"{template.name}-{number}",
            region=template.region,
            account="441022190087",
            config={"runtime": template.runtime, "memory_mb": template.memory_mb, "timeout_s": template.timeout_s},
            first_seen_at=now,
            last_seen_at=now,
        )
        for number in range(count)
        for template in [CATALOGUE[number % len(CATALOGUE)]]
    )


def rollups(organization: Organization, count: int, days: int, now: datetime) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hour, minute = now.replace(minute=0, second=0, microsecond=0), now.replace(second=0, microsecond=0)
    grains = (
        ("telemetry_rollup_day", midnight - timedelta(days=days), midnight, "1 day", 86400),
        ("telemetry_rollup_hour", midnight - timedelta(days=days), hour, "1 hour", 3600),
        ("telemetry_rollup_minute", minute - timedelta(hours=25), minute, "1 minute", 60),
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bench_sketch (i int PRIMARY KEY, n int, durations bytea)")
        cursor.executemany("INSERT INTO bench_sketch VALUES (%s, %s, %s)", sketches(Random(7)))
        for table, start, end, step, seconds in grains:
            for resources, scale in (
                (f"(SELECT id FROM inventory_resource WHERE organization_id = {organization.pk})", 1),
                ("(SELECT 0::bigint AS id)", count),
            ):
                statement = FILL.format(
                    table=table, columns=COLUMNS, organization=organization.pk, resources=resources, scale=scale,
                    seconds=seconds, shapes=SHAPES,
                )  # fmt: skip
                cursor.execute(statement, [start, end, step])
        cursor.execute("ANALYZE")


def pulled(organization: Organization, now: datetime) -> AwsAccount:
    """The same functions, as an AWS account that is read: queues that feed them, log groups, a day of coverage."""
    functions = list(organization.resources.order_by("pk"))
    account = AwsAccount.objects.create(
        organization=organization, name="production", account_id=functions[0].account, regions=REGIONS,
        role_arn=f"arn:aws:iam::{functions[0].account}:role/nightjar", external_id="bench", tiers=["base"],
        status=AwsAccount.Status.CONNECTED, created_at=now, connected_at=now, checked_at=now,
        permissions={need.action: "allowed" for need in needs.of(["base"])},
    )  # fmt: skip
    queues = [
        Resource(
            organization=organization, type="sqs_queue", name=function.name,
            arn=f"arn:aws:sqs:{function.region}:{function.account}:{function.name}",
            region=function.region, account=function.account, first_seen_at=now, last_seen_at=now,
            listed_at=now, config={"visibility_timeout_s": 30, "dead_letter": "", "tags": {"team": "bench"}},
        )
        for function in functions
    ]  # fmt: skip
    for function, queue in zip(functions, queues, strict=True):
        function.config["event_sources"] = [{"source": queue.arn, "qualifier": "$LATEST", "batch_size": 10}]
        function.listed_at = now
    Resource.objects.bulk_create(queues)
    Resource.objects.bulk_update(functions, ["config", "listed_at"], batch_size=500)
    Collection.objects.bulk_create(
        Collection(account=account, region=region, kind=collector.kind, due_at=now, succeeded_at=now)
        for region in REGIONS
        for collector in COLLECTORS
        if is_granted(collector, account.tiers)
    )
    LogGroup.objects.bulk_create(
        LogGroup(
            account=account, resource=function, region=function.region, name=f"/aws/lambda/{function.name}", due_at=now,
            read_until=now - timedelta(seconds=function.pk % 90), swept_until=now,
        )
        for function in functions
    )  # fmt: skip
    hour = now.replace(minute=0, second=0, microsecond=0)
    Coverage.objects.bulk_create(
        Coverage(
            organization=organization, resource=function, hour=hour - timedelta(hours=back), reported=1000,
            seen=1000 - (function.pk + back) % 7 // 6 * 40, cause="throttled" if (function.pk + back) % 7 == 6 else "",
        )
        for function in functions
        for back in range(1, 25)
    )  # fmt: skip
    return account


def estate(count: int, days: int, now: datetime) -> tuple[Organization, str]:
    """The organization and the token of its ingest key."""
    organization, token = tenant("acme", now)
    functions(organization, count, now)
    rollups(organization, count, days, now)
    return organization, token


def recent(now: datetime) -> list[dict[str, object]]:
    """Bodies with half an hour of the demo's traffic, failures included, for the drill-downs."""
    return list(told_between(now - timedelta(minutes=30), now, now, now))
