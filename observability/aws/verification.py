"""Prove that a role is the right one and trusts nobody but this connection, again and again.

A role that can be assumed without our external id, or with a wrong one, would let any other customer of ours have it
read. Such a connection is flagged and not used. AWS recommends this check to everybody who is given roles:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
"""

import logging
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from observability.aws import sessions
from observability.aws.connecting import target
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.aws.regions import home
from observability.aws.sessions import Target
from observability.tenants import audit

logger = logging.getLogger(__name__)
Status = AwsAccount.Status

WAITING_EVERY = timedelta(seconds=2)
BROKEN_EVERY = timedelta(minutes=15)
CONNECTED_EVERY = timedelta(hours=23)
SPREAD_MINUTES = 60
"""Accounts that were connected together are not all looked at together for ever."""

LEASE = timedelta(minutes=2)
"""Longer than the task may take; when it dies, another looks after this."""

UNSAFE = frozenset({Trouble.WITHOUT_ID, Trouble.WRONG_ID})
SUSPENDED = Trouble.ACCOUNT_SUSPENDED
PROOF = "get_account_settings"
"""A call that any account that is not suspended answers, be it with a denial."""


def waiting(*, now: datetime) -> QuerySet[AwsAccount]:
    """Connections whose owner is making or mending the role right now, and whose next look is due."""
    never_worked = Q(status=Status.PENDING) | Q(status=Status.UNSAFE)
    return _due(now).filter(never_worked, connected_at=None, expires_at__gt=now)


def established(*, now: datetime) -> QuerySet[AwsAccount]:
    """Connections that worked once, and whose next look is due."""
    return _due(now).exclude(connected_at=None)


def claim(*, account_pk: int, now: datetime) -> AwsAccount | None:
    """The connection, if its look is due and nobody else has taken it."""
    rows = (waiting(now=now) | established(now=now)).filter(pk=account_pk)
    if not rows.update(check_at=now + LEASE):
        return None
    return AwsAccount.objects.select_related("organization").get(pk=account_pk)


def doubt(*, account_pk: int, error: AwsError, now: datetime) -> None:
    """A call failed as if the connection were lost: have it looked at with the next tick, not with the daily look.

    That the account is suspended is only told to who has a session left, so it is kept for the look.
    """
    rows = AwsAccount.objects.filter(pk=account_pk, status=Status.CONNECTED)
    if error.trouble == SUSPENDED:
        rows.update(trouble=error.trouble.value, detail=error.detail)
    rows.filter(check_at__gt=now + LEASE).update(check_at=now)


def doubt_permissions(*, account_pk: int, now: datetime) -> None:
    """A call was denied: have the permissions tried with the next tick, unless they were lately."""
    rows = AwsAccount.objects.filter(pk=account_pk, status=Status.CONNECTED, check_at__gt=now + LEASE)
    rows.exclude(checked_at__gt=now - BROKEN_EVERY).update(check_at=now)


def verify(*, account: AwsAccount, now: datetime) -> bool:
    """Look at the connection and write down what came of it; whether it may be used."""
    if account.disconnected_at is not None or account.is_expired(now):
        return False
    trouble = _look(account)
    status = _status(account, trouble)
    with transaction.atomic():
        as_seen = AwsAccount.objects.filter(
            pk=account.pk, status=account.status, trouble=account.trouble, role_arn=account.role_arn,
            disconnected_at=None,
        )  # fmt: skip
        values = _values(account, status, trouble, now)
        if not as_seen.update(**values):
            return False  # It was changed or disconnected meanwhile, and what we found is about the past.
        if status != account.status:
            detail = {"trouble": trouble.trouble, "detail": trouble.detail} if trouble else {}
            audit.record(
                organization=account.organization,
                actor=None,
                action=f"aws_account.{status.value}",
                target=str(account),
                detail=detail,
                now=now,
            )
    for key, value in values.items():
        setattr(account, key, value)
    logger.info("aws.verified", extra={"account_pk": account.pk, "status": status.value, "trouble": account.trouble})
    return status == Status.CONNECTED


def _look(account: AwsAccount) -> AwsError | None:
    """What is wrong with the connection. Of the role of a suspended account AWS says no more than that it is gone."""
    trouble = examine(target(account))
    if account.trouble != SUSPENDED:
        return trouble
    if trouble is not None and trouble.trouble == Trouble.ROLE_GONE:
        return AwsError(SUSPENDED, trouble.action, account.detail)
    return trouble or _served(account)


def _served(account: AwsAccount) -> AwsError | None:
    """Whether AWS still says that the account is suspended, though its role can be assumed."""
    try:
        sessions.region(target(account), home(account.regions, account.partition)).call("lambda", PROOF)
    except AwsError as error:
        return error if error.trouble == SUSPENDED else None
    return None


def examine(target: Target) -> AwsError | None:
    """What is wrong with the role; None when it is proven to be right."""
    try:
        _require_account(target, _assume(target, target.external_id))
        _require_refused(target, None, Trouble.WITHOUT_ID)
        _require_refused(target, secrets.token_urlsafe(32), Trouble.WRONG_ID)
        _require_refused(target, target.external_id + "x", Trouble.WRONG_ID)
    except AwsError as error:
        return error
    return None


def _require_account(target: Target, lease: sessions.Lease) -> None:
    found = sessions.identity(lease).account
    if found != target.account:
        detail = f"The role belongs to {found}, and this connection is for {target.account}."
        raise AwsError(Trouble.OTHER_ACCOUNT, "sts:GetCallerIdentity", detail)


def _require_refused(target: Target, external_id: str | None, trouble: Trouble) -> None:
    """Raises ``AwsError`` when the role can be assumed like that, and also when AWS did not say."""
    try:
        _assume(target, external_id)
    except AwsError as error:
        if error.trouble == Trouble.ROLE_GONE:
            return
        raise
    sessions.forget(target)
    raise AwsError(trouble, "sts:AssumeRole")


def _assume(target: Target, external_id: str | None) -> sessions.Lease:
    return sessions.assume(role_arn=target.role_arn, external_id=external_id, session_name=target.organization)


def _status(account: AwsAccount, trouble: AwsError | None) -> AwsAccount.Status:
    if trouble is None:
        return Status.CONNECTED
    if trouble.trouble in UNSAFE:
        return Status.UNSAFE
    if trouble.transient or trouble.ours or account.status == Status.PENDING:
        return Status(account.status)
    return Status.PENDING if account.connected_at is None else Status.NEEDS_ATTENTION


def _values(account: AwsAccount, status: AwsAccount.Status, trouble: AwsError | None, now: datetime) -> dict[str, Any]:
    """What changes in the row. An answer that AWS owes us changes nothing about a connection that works."""
    works = status == Status.CONNECTED
    values: dict[str, Any] = {"status": status, "checked_at": now, "check_at": now + _pause(account, status, trouble)}
    values |= {"trouble": "", "detail": ""}
    if trouble is not None and not works:
        values |= {"trouble": trouble.trouble.value, "detail": trouble.detail}
    if works:
        values |= {"connected_at": account.connected_at or now, "expires_at": None, "blind_since": None}
    elif account.connected_at is not None:
        values["blind_since"] = account.blind_since or now
    return values


def _pause(account: AwsAccount, status: AwsAccount.Status, trouble: AwsError | None) -> timedelta:
    """Until the next look."""
    if trouble is None:
        return CONNECTED_EVERY + timedelta(minutes=account.pk % SPREAD_MINUTES)
    if status != Status.CONNECTED and account.connected_at is None:
        return WAITING_EVERY
    return BROKEN_EVERY


def _due(now: datetime) -> QuerySet[AwsAccount]:
    return AwsAccount.objects.filter(check_at__lte=now, disconnected_at=None, organization__archived_at=None)
