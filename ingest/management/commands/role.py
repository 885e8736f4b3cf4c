"""Write down what connected accounts must allow: the role's template, and the list that pages and probes read."""

from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.collector import Permission
from ingest.collectors import COLLECTORS
from observability.aws import needs, stack
from observability.aws.models import Tier
from observability.aws.needs import Need

LOG_GROUPS = "arn:${AWS::Partition}:logs:*:${AWS::AccountId}:log-group:*"
OPTIONAL = (
    Need(
        action="logs:PutSubscriptionFilter",
        why="Has the log lines of a function sent to Nightjar as they are written.",
        without="Log lines are read every few seconds instead, which needs no permission to change anything.",
        resource=LOG_GROUPS,
        tier=Tier.SUBSCRIPTION.value,
    ),
    Need(
        action="logs:DeleteSubscriptionFilter",
        why="Takes those filters away again, when a function is no longer watched or the account is disconnected.",
        without="Filters that Nightjar made stay behind until somebody removes them.",
        resource=LOG_GROUPS,
        tier=Tier.SUBSCRIPTION.value,
    ),
)
"""What changes something. No collector can name it: none of it is needed to collect."""


class Command(BaseCommand):
    help = "Write observability/aws/role.yaml and permissions.json from the permissions of the collectors."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = needed()
        needs.PERMISSIONS.write_text(needs.text(rows))
        stack.TEMPLATE.write_text(stack.render(rows))
        needs.needs.cache_clear()
        self.stdout.write(f"{len(rows)} actions of {len(COLLECTORS)} collectors written to {stack.TEMPLATE.parent}.")


def needed() -> list[Need]:
    """Every action once, however many collectors need it, ordered by tier and name."""
    merged: dict[str, Need] = {}
    for collector in COLLECTORS:
        for permission in collector.permissions:
            need = _need(permission, collector.kind)
            before = merged.get(need.action)
            merged[need.action] = _shared(before, need) if before else need
    tiers = list(Tier.values)
    return sorted([*merged.values(), *OPTIONAL], key=lambda need: (tiers.index(need.tier), need.action))


def _need(permission: Permission, kind: str) -> Need:
    return Need(
        action=permission.action,
        why=permission.why,
        without=permission.without,
        resource=permission.resource,
        wild=permission.wild,
        tier=permission.tier,
        collectors=(kind,),
        probe=permission.probe,
    )


def _shared(first: Need, second: Need) -> Need:
    """One need for two collectors; a reason that they share is said once."""
    if (first.resource, first.tier) != (second.resource, second.tier):
        raise CommandError(f"{first.action} is wanted for different resources or tiers: {first} and {second}.")
    return replace(
        first,
        why=_both(first.why, second.why),
        without=_both(first.without, second.without),
        collectors=(*first.collectors, *second.collectors),
    )


def _both(first: str, second: str) -> str:
    return first if second in first else f"{first} {second}"
