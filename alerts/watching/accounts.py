"""Many resources of one account at once are one problem: of the account, and not of each of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from alerts.watching.frames import Estate
from alerts.watching.judging import Sight
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource


def crowded(sights: Iterable[Sight], estate: Estate, together: float) -> Mapping[str, list[Sight]]:
    """The accounts in which so many resources became odd in the same step, with what was seen there."""
    by_account: dict[str, list[Sight]] = {}
    for sight in sights:
        by_account.setdefault(estate[sight.resource_id].account, []).append(sight)
    return {
        account: found
        for account, found in by_account.items()
        if len({sight.resource_id for sight in found}) >= together
    }


def resource_of(organization_id: int, account: str, estate: Estate, *, now: datetime) -> int:
    """The id of the resource that stands for the account as a whole, made when there is none yet."""
    arn = next((each.arn for each in estate.values() if each.account == account), "arn:aws:")
    partition = arn.split(":")[1]
    connected = AwsAccount.objects.filter(organization=organization_id, account_id=account, disconnected_at=None)
    name = connected.values_list("name", flat=True).first() or f"Account {account}"
    resource, _ = Resource.objects.get_or_create(
        organization_id=organization_id,
        arn=f"arn:{partition}:iam::{account}:root",
        defaults={
            "type": "aws_account", "name": name, "region": "global", "account": account,
            "first_seen_at": now, "last_seen_at": now,
        },
    )  # fmt: skip
    return resource.pk
