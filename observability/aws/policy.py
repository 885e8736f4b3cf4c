"""The JSON documents of a role: who may assume it, what it may then do, and what we take of that."""

import json
from collections.abc import Collection, Iterable
from typing import Any

from observability.aws.needs import Need, of

VERSION = "2012-10-17"
PARTITION, ACCOUNT = "${AWS::Partition}", "${AWS::AccountId}"
"""CloudFormation's names for what a connection knows already."""

Document = dict[str, Any]

LONGEST_SESSION = 2_048
"""So many characters AWS allows a session's policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
"""


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


def session(tiers: Collection[str]) -> str:
    """What a session with these tiers may do at most, whatever its role allows besides: ADR 15.

    It names actions and no resources, to which the role's own policies narrow them.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
    """
    return _sole_statement("Allow", sorted(need.action for need in of(tiers)))


def powerless() -> str:
    """The same for a session that is only to say whose it is, which AWS lets everybody do."""
    return _sole_statement("Deny", "*")


def _sole_statement(effect: str, action: str | list[str]) -> str:
    document = {"Version": VERSION, "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]}
    return json.dumps(document, separators=(",", ":"))
