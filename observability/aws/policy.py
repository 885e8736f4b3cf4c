"""The two JSON documents of a role: who may assume it, and what it may then do."""

from collections.abc import Iterable
from typing import Any

from observability.aws.needs import Need

VERSION = "2012-10-17"
PARTITION, ACCOUNT = "${AWS::Partition}", "${AWS::AccountId}"
"""CloudFormation's names for what a connection knows already."""

Document = dict[str, Any]


def by_resource(needs: Iterable[Need]) -> dict[str, list[Need]]:
    """Needs that share a resource share a statement; ``*`` comes last."""
    found: dict[str, list[Need]] = {}
    for need in sorted(needs, key=lambda need: (need.resource == "*", need.resource, need.action)):
        found.setdefault(need.resource, []).append(need)
    return found


def located(resource: str, *, partition: str, account: str) -> str:
    """The resource as it is called in one account."""
    return resource.replace(PARTITION, partition).replace(ACCOUNT, account)


def permissions(needs: Iterable[Need], *, partition: str, account: str) -> Document:
    """The policy that allows ``needs`` in one account."""
    statements = [
        {
            "Effect": "Allow",
            "Action": [need.action for need in rows],
            "Resource": located(resource, partition=partition, account=account),
        }
        for resource, rows in by_resource(needs).items()
    ]
    return {"Version": VERSION, "Statement": statements}


def trust(*, principal: str, external_id: str, partition: str) -> Document:
    """Lets one account assume the role, and only with this connection's external id (AWS: the confused deputy problem).

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{principal}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return {"Version": VERSION, "Statement": [statement]}
