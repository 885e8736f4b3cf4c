"""Connect an account, change what is watched, disconnect.

The external id of a connection is made here, in ``start``, and nowhere else: nobody may choose one, nobody may change
one, and a new link has a new one. That is what keeps one customer from having another customer's role read
(https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
"""

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from observability.aws import sessions
from observability.aws.models import AwsAccount, Tier
from observability.aws.problems import AwsError, sentence
from observability.aws.regions import partitions, regions
from observability.aws.sessions import Target, own_identity
from observability.tenants import audit
from observability.tenants.models import Organization, User

VALID_FOR = timedelta(hours=1)
ACCOUNT_ID = re.compile(r"[0-9]{12}")
ROLE_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::([0-9]{12}):role/[\w+=,.@-]{1,64}", re.ASCII)
PRINCIPAL_ACCOUNT = re.compile(r"(?<!\d)[0-9]{12}(?!\d)")
Status = AwsAccount.Status


class RefusedError(Exception):
    """This cannot be connected, or changed, like that; the text is for the person who asked."""


def start(
    *,
    organization: Organization,
    actor: User | None,
    name: str,
    account_id: str,
    regions: Sequence[str],
    tiers: Collection[str],
    selection: Mapping[str, Any],
    now: datetime,
    role_arn: str = "",
) -> AwsAccount:
    """A connection that waits an hour for its role, by default of the name that we tell. Raises ``RefusedError``."""
    partition = _partition(regions)
    _require_connectable(account_id)
    external_id = secrets.token_urlsafe(32)
    role_arn = role_arn or f"arn:{partition}:iam::{account_id}:role/{role_name(external_id)}"
    _require_role_of(role_arn, account_id, partition)
    connection = AwsAccount(
        organization=organization,
        name=_named(name),
        account_id=account_id,
        partition=partition,
        role_arn=role_arn,
        external_id=external_id,
        tiers=_tiers(tiers),
        regions=list(regions),
        selection=selection,
        created_by=actor,
        created_at=now,
        expires_at=now + VALID_FOR,
        check_at=now,
    )
    with transaction.atomic():
        _end_expired(connection, now)
        _insert(connection)
        detail = {"role": role_arn, "regions": connection.regions, "tiers": connection.tiers}
        _record(connection, actor, "aws_account.added", detail, now)
    return connection


def role_name(external_id: str) -> str:
    """What the role of a connection is called unless its owner chose a name: not a secret, and no other's name."""
    return f"nightjar-{sha256(external_id.encode()).hexdigest()[:8]}"


def change(
    *,
    account: AwsAccount,
    actor: User | None,
    name: str,
    regions: Sequence[str],
    tiers: Collection[str],
    selection: Mapping[str, Any],
    now: datetime,
) -> None:
    """Call it something else, or watch something else; its permissions are looked at again. Raises ``RefusedError``."""
    if _partition(regions) != account.partition:
        raise RefusedError("An account's regions are all in the same part of AWS.")
    wanted = {"name": _named(name), "regions": list(regions), "tiers": _tiers(tiers), "selection": selection}
    with transaction.atomic():
        _lock(account)
        changed = {key: value for key, value in wanted.items() if getattr(account, key) != value}
        if not changed:
            return
        _update(account, changed | {"check_at": now})
        _record(account, actor, "aws_account.changed", changed, now)


def use_role(*, account: AwsAccount, role_arn: str, actor: User | None, now: datetime) -> None:
    """Wait for another role than the one that was predicted, or that has gone. Raises ``RefusedError``."""
    _require_role_of(role_arn, account.account_id, account.partition)
    with transaction.atomic():
        _lock(account)
        if account.status == Status.CONNECTED:
            raise RefusedError("This connection works. Disconnect it before you give it another role.")
        if account.is_expired(now):
            raise RefusedError("This link has expired. Make a new one.")
        if account.role_arn == role_arn:
            return
        sessions.forget(target(account))
        _update(account, {"role_arn": role_arn, "check_at": now})
        _record(account, actor, "aws_account.role_changed", {"role": role_arn}, now)


def look_again(*, account: AwsAccount, actor: User | None, now: datetime) -> None:
    """Somebody changed the role: have it and its permissions looked at now. Raises ``RefusedError``."""
    with transaction.atomic():
        _lock(account)
        if account.is_expired(now):
            raise RefusedError("This link has expired. Make a new one.")
        _update(account, {"check_at": now})
        _record(account, actor, "aws_account.check_asked", {}, now)


def restart(*, account: AwsAccount, actor: User | None, now: datetime) -> AwsAccount:
    """A new link instead of this one: a new connection with the same choices and an external id of its own.

    Raises ``RefusedError``.
    """
    with transaction.atomic():
        _lock(account, even_disconnected=True)
        if account.status == Status.CONNECTED:
            raise RefusedError("This account is connected; it needs no new link.")
        if account.disconnected_at is None:
            disconnect(account=account, actor=actor, now=now)
        return start(
            organization=account.organization,
            actor=actor,
            name=account.name,
            account_id=account.account_id,
            regions=account.regions,
            tiers=account.tiers,
            selection=account.selection,
            now=now,
        )


def disconnect(*, account: AwsAccount, actor: User | None, now: datetime) -> bool:
    """Stop using the role, for good; what was collected stays. False if it was disconnected before."""
    end = {"status": Status.DISCONNECTED, "disconnected_at": now, "check_at": None, "blind_since": None}
    with transaction.atomic():
        if not AwsAccount.objects.filter(pk=account.pk, disconnected_at=None).update(**end):
            return False
        _record(account, actor, "aws_account.disconnected", {}, now)
    for key, value in end.items():
        setattr(account, key, value)
    sessions.forget(target(account))
    return True


def target(account: AwsAccount) -> Target:
    """The connection as ``sessions`` needs to know it."""
    return Target(
        account=account.account_id,
        partition=account.partition,
        role_arn=account.role_arn,
        external_id=account.external_id,
        organization=account.organization.slug,
        tiers=frozenset(account.tiers),
    )


def _partition(codes: Sequence[str]) -> str:
    """The part of AWS that these regions are in, which must be ours: no role can be assumed across."""
    known = {region.code for region in regions()}
    if not codes or not known.issuperset(codes) or len(set(codes)) != len(codes):
        raise RefusedError("Choose at least one of the regions that there are.")
    mine, theirs = partitions([settings.AWS_HOME_REGION]), partitions(codes)
    if len(theirs) > 1:
        raise RefusedError("An account's regions are all in the same part of AWS.")
    if mine and mine != theirs:
        raise RefusedError(
            f"This Nightjar runs in the part of AWS that is called {mine.pop()}, and can only connect accounts of that."
        )
    return theirs.pop()


def _require_connectable(account_id: str) -> None:
    if not ACCOUNT_ID.fullmatch(account_id):
        raise RefusedError("An AWS account ID has 12 digits.")
    if account_id == _own_account():
        raise RefusedError("This is the account that Nightjar itself runs in, which cannot be connected.")


def _own_account() -> str:
    named = PRINCIPAL_ACCOUNT.search(settings.AWS_PRINCIPAL)
    if named:
        return named[0]
    try:
        return own_identity().account
    except AwsError as error:
        raise RefusedError(sentence(error.trouble)) from None


def _require_role_of(role_arn: str, account_id: str, partition: str) -> None:
    """A plain role: no other service's ARN, no path, no wildcard, of this account and this part of AWS."""
    found = ROLE_ARN.fullmatch(role_arn)
    if found is None:
        raise RefusedError(f"The ARN of a role looks like arn:{partition}:iam::{account_id}:role/name, without a path.")
    if found[2] != account_id:
        raise RefusedError(f"This role belongs to account {found[2]}, but this connection is for {account_id}.")
    if found[1] != partition:
        raise RefusedError(f"This role is in {found[1]}, but the regions of this connection are in {partition}.")


def _named(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= 80:
        raise RefusedError("A name has 1 to 80 characters.")
    return name


def _tiers(tiers: Collection[str]) -> list[str]:
    if not set(Tier.values).issuperset(tiers):
        raise RefusedError("There is no such tier of permissions.")
    return [tier for tier in Tier.values if tier == Tier.BASE or tier in tiers]


def _end_expired(connection: AwsAccount, now: datetime) -> None:
    """Links to the same account that nobody waits for any more make room."""
    waiting = connection.organization.aws_accounts.filter(status=Status.PENDING, disconnected_at=None)
    for stale in waiting.filter(account_id=connection.account_id, expires_at__lte=now):
        disconnect(account=stale, actor=connection.created_by, now=now)


def _insert(connection: AwsAccount) -> None:
    try:
        with transaction.atomic():
            connection.save(force_insert=True)
    except IntegrityError:
        raise RefusedError(f"Account {connection.account_id} is connected already, or waits for its role.") from None


def _lock(account: AwsAccount, *, even_disconnected: bool = False) -> None:
    account.refresh_from_db(from_queryset=AwsAccount.objects.select_for_update())
    if account.disconnected_at is not None and not even_disconnected:
        raise RefusedError("This account is not connected any more.")


def _update(account: AwsAccount, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        setattr(account, key, value)
    account.save(update_fields=[*values])


def _record(account: AwsAccount, actor: User | None, action: str, detail: Mapping[str, Any], now: datetime) -> None:
    audit.record(
        organization=account.organization, actor=actor, action=action, target=str(account), detail=detail, now=now
    )
