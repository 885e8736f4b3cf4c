"""Accounts that we have lost access to: a fact every ten minutes for as long as it lasts.

Nothing else is noticed about them meanwhile (see ``coverage`` and ``expectations``): what we cannot see did not fail.
"""

from datetime import datetime, timedelta

from ingest.noticing import noticed, resource_of
from observability.aws.models import AwsAccount
from observability.aws.problems import SENTENCES
from observability.telemetry.grains import floor
from observability.telemetry.records import FaultKind
from observability.telemetry.store import get_store

EVERY = timedelta(minutes=10)


def is_blind(account: AwsAccount) -> bool:
    """Whether we see nothing of it, though we should."""
    return account.blind_since is not None and account.disconnected_at is None


def notice(*, account: AwsAccount, now: datetime) -> None:
    """Store that the account is blind, once in ten minutes however often this is called."""
    if account.blind_since is None or account.disconnected_at is not None:
        return
    since = f"{account.blind_since.day} {account.blind_since:%b %Y, %H:%M} UTC"
    why = SENTENCES.get(account.trouble) or account.detail
    message = f"Nightjar has had no access to this account since {since}. {why}".rstrip()
    slot = floor(now, EVERY)
    fault = noticed(
        FaultKind.ACCESS_LOST,
        organization_id=account.organization_id,
        resource_id=resource_of(account, now=now),
        about=slot,
        at=max(slot, account.blind_since),
        reason=account.trouble,
        message=message,
    )
    get_store().append([fault], now=now)
