"""The only door to AWS: roles are assumed here, calls are budgeted, counted and tried again here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Target:
    """A role that we may assume: all that a call needs to know of a connection. Plain, so that stages can pass it."""

    account: str
    partition: str
    role_arn: str
    external_id: str
    organization: str
    """The organization's slug: the session's name in the customer's CloudTrail."""


class Region(Protocol):
    """One region of one account, as collectors see it. Every method raises ``AwsError`` and nothing else."""

    target: Target
    region: str

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call, such as ``call("lambda", "list_functions", MaxItems=50)``, within the budget of its family."""

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The pages of a listing, to the last one: also past empty pages that have a token."""
