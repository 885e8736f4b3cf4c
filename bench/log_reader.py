"""One account with functions whose logs are read, and turns of reading them, here or in a process of its own."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.log_server import ACCOUNT, REGION, DirectRegion
from ingest import log_reading
from ingest.collector import Function, Scope
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError
from observability.inventory.models import Resource
from observability.tenants.models import Organization

PATIENCE = timedelta(hours=1)
"""Time stands still within a simulated turn: it ends when nothing is due."""


def connect(organization: Organization, names: Sequence[str], now: datetime) -> AwsAccount:
    """The account as the wizard and the listing would have left it."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
    config = {"memory_mb": 512, "timeout_s": 30, "architecture": "arm64", "runtime": "python3.13"}
    Resource.objects.bulk_create(
        Resource(
            organization=organization, arn=arn + name, name=name, region=REGION, account=ACCOUNT, config=config,
            first_seen_at=now, last_seen_at=now, listed_at=now,
        )
        for name in names
    )  # fmt: skip
    return AwsAccount.objects.create(
        organization=organization, name="bench", account_id=ACCOUNT, role_arn="", external_id=f"bench-{now}",
        regions=[REGION], status=AwsAccount.Status.CONNECTED, created_at=now, connected_at=now,
    )  # fmt: skip


def scope(account: AwsAccount, now: datetime, cursor: Any) -> Scope:
    rows = Resource.objects.filter(organization=account.organization_id, type="lambda_function")
    functions = {row.name: Function(row.pk, row.arn, row.name, row.config, row.pushed_at) for row in rows}
    return Scope(account.organization_id, ACCOUNT, "aws", REGION, now, cursor, functions)


def turn(aws: DirectRegion, account: AwsAccount, now: datetime, cursor: Any) -> Any:
    """One turn at that moment; answers the next one's cursor."""
    read = log_reading.read_due(
        aws=aws, scope=scope(account, now, cursor), account_pk=account.pk, clock=lambda: now, patience=PATIENCE
    )
    return read.cursor


def read(pipe: Any, url: str, account_pk: int) -> None:
    """A turn for each moment that comes through the pipe."""
    aws, account = DirectRegion(url), AwsAccount.objects.get(pk=account_pk)
    cursor: Any = {}
    pipe.send("ready")
    while moment := pipe.recv():
        with suppress(AwsError):  # What is throttled stays due.
            cursor = turn(aws, account, datetime.fromtimestamp(moment, UTC), cursor)
        pipe.send("done")
