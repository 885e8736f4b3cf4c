"""What is proven of a connection, as a list to tick off: derived from what the last look at it has left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from observability.aws.models import AwsAccount
from observability.aws.needs import Need, of
from observability.aws.problems import Trouble, sentence

CHECKS = (
    ("The role is there and lets Nightjar in", "Looking for {role}"),
    ("It belongs to account {account}", ""),
    ("Without the external ID, AWS refuses", ""),
    ("With a wrong external ID, AWS refuses", ""),
)
"""In the order in which they are made: the label, and what is said while one waits."""

FAILING = {Trouble.OTHER_ACCOUNT: 1, Trouble.OWN_ACCOUNT: 1, Trouble.WITHOUT_ID: 2, Trouble.WRONG_ID: 3}
"""Which check a trouble fails; any other fails the first one."""


class State(StrEnum):
    OK = "ok"
    FAILED = "failed"
    WAITING = "waiting"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list."""

    label: str
    state: State
    note: str = ""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the last probe said of the actions that this connection wants."""

    wanted: int
    allowed: int
    denied: Sequence[Need]

    @property
    def unknown(self) -> int:
        return self.wanted - self.allowed - len(self.denied)


def checks(connection: AwsAccount) -> list[Check]:
    """The proofs in their order: those before the failing one hold, those after it come later."""
    reached = _reached(connection)
    role = connection.role_arn.rpartition("/")[2]
    found = []
    for number, (label, waiting) in enumerate(CHECKS):
        words = label.format(account=connection.account_id)
        if number == reached:
            found.append(_failing(connection, words, waiting.format(role=role)))
        else:
            found.append(Check(words, State.OK if number < reached else State.LATER))
    return found


def permissions(connection: AwsAccount) -> Permissions | None:
    """None before the first probe."""
    if not connection.permissions:
        return None
    wanted = of(connection.tiers)
    said = [(need, connection.permissions.get(need.action)) for need in wanted]
    return Permissions(
        wanted=len(wanted),
        allowed=sum(answer == "allowed" for _, answer in said),
        denied=[need for need, answer in said if answer == "denied"],
    )


def _reached(connection: AwsAccount) -> int:
    """How many checks hold."""
    if connection.status == AwsAccount.Status.CONNECTED:
        return len(CHECKS)
    if connection.status == AwsAccount.Status.NEEDS_ATTENTION and connection.blind_since is None:
        return len(CHECKS)
    return next((number for trouble, number in FAILING.items() if trouble == connection.trouble), 0)


def _failing(connection: AwsAccount, label: str, waiting: str) -> Check:
    normal = connection.trouble in ("", Trouble.ROLE_GONE)  # Before the role is made, AWS denies it like any other.
    if connection.status == AwsAccount.Status.PENDING and normal:
        return Check(label, State.WAITING, waiting)
    return Check(label, State.FAILED, sentence(connection.trouble))
