"""What we notice about an account ourselves, as facts: no run tells of it, so it is told like a fault of a run."""

import hashlib
from datetime import datetime

from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry.records import Fault, FaultKind


def noticed(
    kind: FaultKind, *, organization_id: int, resource_id: int, about: object, at: datetime, reason: str, message: str
) -> Fault:
    """A fault that is stored once, however often it is noticed: ``about`` and ``at`` are the same each time."""
    identity = repr((kind.value, organization_id, resource_id, about)).encode()
    return Fault(
        organization_id=organization_id,
        resource_id=resource_id,
        day=at.date(),
        event_id=hashlib.blake2b(identity, digest_size=16).digest(),
        at=at,
        request_id="",
        version="",
        kind=kind,
        type=reason,
        message=message,
    )


def resource_of(account: AwsAccount, *, now: datetime) -> int:
    """The id of the resource that stands for the account as a whole, made when it is missing, and named like it."""
    arn = f"arn:{account.partition}:iam::{account.account_id}:root"
    fields = {"type": "aws_account", "region": "global", "account": account.account_id}
    resource, _ = Resource.objects.get_or_create(
        organization_id=account.organization_id,
        arn=arn,
        defaults=fields | {"name": account.name, "first_seen_at": now, "last_seen_at": now},
    )
    if resource.name != account.name:
        Resource.objects.filter(pk=resource.pk).update(name=account.name)
    return resource.pk
