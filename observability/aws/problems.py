"""What can go wrong between us and AWS, in words for the people who have to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """Why a call failed; the code is stored beside what it kept from working."""

    ACCESS_DENIED = "access_denied"
    ROLE_GONE = "role_gone"
    THROTTLED = "throttled"
    REGION_DISABLED = "region_disabled"
    ACCOUNT_SUSPENDED = "account_suspended"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"
    REFUSED = "refused"


@dataclass(frozen=True)
class AwsError(Exception):
    """A call that failed for good, as far as this try goes. ``action`` is in IAM's words: ``logs:FilterLogEvents``."""

    trouble: Trouble
    action: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.action}: {self.trouble}" + (f" ({self.detail})" if self.detail else "")

    @property
    def transient(self) -> bool:
        """Whether trying again, a little later, may help without anybody doing anything."""
        return self.trouble in {Trouble.THROTTLED, Trouble.UNREACHABLE, Trouble.EXPIRED}
