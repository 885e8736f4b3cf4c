"""How a connection is doing, in one word and one sentence, for every page that names it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from observability.aws.models import AwsAccount
from observability.aws.needs import Need, of
from observability.aws.problems import Trouble, sentence

ALLOWED, DENIED, UNKNOWN = "allowed", "denied", "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """``icon`` is a Lucide name, ``css`` the colour of the pill; ``sentence`` says what to do, if anything.

    ``role_helps`` says that it takes the role to be made again, or mended.
    """

    word: str
    icon: str
    css: str = ""
    sentence: str = ""
    role_helps: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """One action that the connection wants, and what the last probe said of it."""

    need: Need
    answer: str


def grants(account: AwsAccount) -> list[Grant]:
    """Those that are denied first, then those that nobody knows of."""
    found = [Grant(need, account.permissions.get(need.action, UNKNOWN)) for need in of(account.tiers)]
    return sorted(found, key=lambda grant: (DENIED, UNKNOWN, ALLOWED).index(grant.answer))


def denied(account: AwsAccount) -> Sequence[Need]:
    return [grant.need for grant in grants(account) if grant.answer == DENIED]


def standing(account: AwsAccount, now: datetime) -> Standing:
    """The worst that is known of it."""
    told = sentence(account.trouble)
    if account.status == AwsAccount.Status.DISCONNECTED:
        return Standing("Disconnected", "unplug", sentence="Nothing is read any more. What was stored stays.")
    if account.status == AwsAccount.Status.UNSAFE:
        return Standing("Unsafe", "shield-alert", "pill-crit", told, role_helps=True)
    if account.is_expired(now):
        return Standing("Link expired", "timer-off", "pill-warn", "No role was found within an hour. Start again.")
    if account.status == AwsAccount.Status.PENDING:
        return Standing("Waiting for the role", "clock", sentence=told)
    if account.blind_since is not None:
        return Standing("No access", "eye-off", "pill-crit", told, role_helps=account.trouble == Trouble.ROLE_GONE)
    return _connected(account, told)


def _connected(account: AwsAccount, told: str) -> Standing:
    lacking = len(denied(account))
    if lacking:
        words = "One permission is" if lacking == 1 else f"{lacking} permissions are"
        return Standing("Permissions missing", "key-round", "pill-warn", f"{words} denied. Update the role's stack.")
    if account.status == AwsAccount.Status.NEEDS_ATTENTION:
        return Standing("Needs attention", "triangle-alert", "pill-warn", told)
    return Standing("Connected", "circle-check", "pill-ok")
