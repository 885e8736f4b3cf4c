"""Try every action that a connection needs, once: what the role really allows, whatever its template said."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction

from observability.aws import needs, sessions
from observability.aws.connecting import target
from observability.aws.models import AwsAccount
from observability.aws.needs import Need
from observability.aws.problems import AwsError, Trouble
from observability.aws.regions import home
from observability.aws.sessions import Region
from observability.aws.verification import BROKEN_EVERY
from observability.tenants import audit

SETTLING = timedelta(minutes=2)
"""A new policy takes IAM seconds to know everywhere, and CloudFormation makes the optional ones after the role."""


class Permission(StrEnum):
    """As ``AwsAccount.permissions`` keeps it, by action."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


def probe(*, account: AwsAccount, now: datetime) -> dict[str, str]:
    """What each action of the connection's tiers says in one of its regions; a change since last time is on record.

    An action that AWS did not tell about keeps what it said before, and while one is denied, the next look is soon.
    Raises ``AwsError`` when the role is lost.
    """
    aws = sessions.region(target(account), home(account.regions, account.partition))
    before: Mapping[str, str] = account.permissions
    found: dict[str, str] = {}
    for need in needs.of(account.tiers):
        answer = _try(aws, need, account)
        known = before.get(need.action, answer) if answer == Permission.UNKNOWN else answer
        found[need.action] = str(known)
    again = {"check_at": now + BROKEN_EVERY} if Permission.DENIED in found.values() else {}
    with transaction.atomic():
        AwsAccount.objects.filter(pk=account.pk, disconnected_at=None).update(permissions=found, **again)
        _record(account, before, found, now)
    account.permissions = found
    return found


def may_settle(*, account: AwsAccount, now: datetime) -> bool:
    """Whether what was denied may only be too new to be allowed yet, so that it should be tried again soon."""
    young = account.connected_at is not None and now - account.connected_at < SETTLING
    return young and Permission.DENIED in account.permissions.values()


def _try(aws: Region, need: Need, account: AwsAccount) -> Permission:
    if need.probe is None:
        return Permission.UNKNOWN
    service, operation, parameters = need.probe
    try:
        aws.call(service, operation, **_filled(parameters, account, aws.region))
    except AwsError as error:
        if error.trouble in (Trouble.ROLE_GONE, Trouble.ACCOUNT_SUSPENDED):
            raise
        if error.trouble == Trouble.ACCESS_DENIED:
            return Permission.DENIED
        # Whether something is there is only told to those who may look.
        return Permission.ALLOWED if error.trouble == Trouble.NOT_FOUND else Permission.UNKNOWN
    return Permission.ALLOWED


def _filled(value: Any, account: AwsAccount, region: str) -> Any:
    """The parameters of a probe, with the pseudo parameters that resources use as well."""
    if isinstance(value, Mapping):
        return {key: _filled(each, account, region) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, account, region) for each in value]
    if not isinstance(value, str):
        return value
    value = value.replace("${AWS::Partition}", account.partition).replace("${AWS::Region}", region)
    return value.replace("${AWS::AccountId}", account.account_id)


def _record(account: AwsAccount, before: Mapping[str, str], found: Mapping[str, str], now: datetime) -> None:
    changed = {
        f"now_{permission.value}": [
            action for action, said in found.items() if said == permission and before.get(action, said) != said
        ]
        for permission in (Permission.ALLOWED, Permission.DENIED)
    }
    if any(changed.values()):
        audit.record(
            organization=account.organization,
            actor=None,
            action="aws_account.permissions_changed",
            target=str(account),
            detail=changed,
            now=now,
        )
