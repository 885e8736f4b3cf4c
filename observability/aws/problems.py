"""What can go wrong between us and AWS, in words for the people who have to mend it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError


class Trouble(StrEnum):
    """Why a call failed; the code is stored beside what it kept from working."""

    ACCESS_DENIED = "access_denied"
    ROLE_GONE = "role_gone"
    THROTTLED = "throttled"
    REGION_DISABLED = "region_disabled"
    NOT_SUBSCRIBED = "not_subscribed"
    ACCOUNT_SUSPENDED = "account_suspended"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    CLOCK = "clock"
    OWN_CREDENTIALS = "own_credentials"
    WITHOUT_ID = "without_id"
    WRONG_ID = "wrong_id"
    OTHER_ACCOUNT = "other_account"
    OWN_ACCOUNT = "own_account"


SENTENCES: Mapping[str, str] = {
    Trouble.ACCESS_DENIED: "AWS denied this call. Update the role's stack to the current template; if the role already "
    "allows it, a policy of the organization or a permissions boundary forbids it.",
    Trouble.ROLE_GONE: "AWS does not let us assume the role. It was deleted or renamed, or its trust policy does not "
    "name our account and this connection's external ID: create the role again from the template. AWS says the same of "
    "a suspended account.",
    Trouble.THROTTLED: "AWS turns calls away because this account makes more of them than it allows. We slow down and "
    "try again; nothing is lost. If it lasts, find out which tool calls so often, or ask AWS for a higher quota.",
    Trouble.REGION_DISABLED: "This region is not enabled in the account. Enable it there, or take the region off this "
    "connection.",
    Trouble.NOT_SUBSCRIBED: "AWS does not serve this account here: the region is not enabled, or AWS has suspended or "
    "closed the account.",
    Trouble.ACCOUNT_SUSPENDED: "AWS has suspended or closed this account. Its owner must settle that with AWS; "
    "afterwards we go on by ourselves.",
    Trouble.UNREACHABLE: "AWS did not answer, or answered with an error of its own. We try again.",
    Trouble.EXPIRED: "Our temporary credentials for the role ran out early. We take new ones and try again.",
    Trouble.NOT_FOUND: "What we asked for does not exist any more.",
    Trouble.REFUSED: "AWS refused this call for a reason that we did not expect; the detail says which.",
    Trouble.CLOCK: "The clock of the Nightjar server is wrong by more than AWS accepts. Its operator must set it; the "
    "connection itself is fine.",
    Trouble.OWN_CREDENTIALS: "Nightjar itself has no valid AWS credentials. Its operator must set them; the connection "
    "itself is fine.",
    Trouble.WITHOUT_ID: "The role can be assumed without the external ID, so anybody who can reach our account could "
    "have it read. Add the condition sts:ExternalId to the role's trust policy, as in the template.",
    Trouble.WRONG_ID: "The role can be assumed with a wrong external ID. Let the condition sts:ExternalId in its trust "
    "policy be StringEquals with the ID of this connection and no wildcard, as in the template.",
    Trouble.OTHER_ACCOUNT: "The role belongs to another account than this connection says. Connect that account by a "
    "link of its own.",
    Trouble.OWN_ACCOUNT: "This is the account that Nightjar itself runs in, which cannot be connected.",
}

TRANSIENT = frozenset({Trouble.THROTTLED, Trouble.UNREACHABLE, Trouble.EXPIRED})
OURS = frozenset({Trouble.CLOCK, Trouble.OWN_CREDENTIALS})
DETAIL_LENGTH = 300


@dataclass(eq=False)
class AwsError(Exception):
    """A call that failed for good, as far as this try goes. ``action`` is in IAM's words: ``logs:FilterLogEvents``."""

    trouble: Trouble
    action: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.action}: {self.trouble}" + (f" ({self.detail})" if self.detail else "")

    @property
    def told(self) -> str:
        """What AWS answered, and to which call: for people, who have read what the trouble means."""
        return f"{self.action}: {self.detail}" if self.detail else self.action

    @property
    def transient(self) -> bool:
        """Whether trying again, a little later, may help without anybody doing anything."""
        return self.trouble in TRANSIENT

    @property
    def ours(self) -> bool:
        """Whether the customer can do nothing about it: we ourselves are not set up."""
        return self.trouble in OURS


CODES = {
    "AccessDenied": Trouble.ACCESS_DENIED,
    "AccessDeniedException": Trouble.ACCESS_DENIED,
    "AccessDeniedFault": Trouble.ACCESS_DENIED,
    "AuthorizationError": Trouble.ACCESS_DENIED,
    "AuthorizationErrorException": Trouble.ACCESS_DENIED,
    "Forbidden": Trouble.ACCESS_DENIED,
    "ForbiddenException": Trouble.ACCESS_DENIED,
    "KMSAccessDeniedException": Trouble.ACCESS_DENIED,
    "NotAuthorized": Trouble.ACCESS_DENIED,
    "NotAuthorizedException": Trouble.ACCESS_DENIED,
    "UnauthorizedException": Trouble.ACCESS_DENIED,
    "UnauthorizedOperation": Trouble.ACCESS_DENIED,
    "BandwidthLimitExceeded": Trouble.THROTTLED,
    "EC2ThrottledException": Trouble.THROTTLED,
    "KMSThrottlingException": Trouble.THROTTLED,
    "LimitExceeded": Trouble.THROTTLED,
    "LimitExceededException": Trouble.THROTTLED,
    "PriorRequestNotComplete": Trouble.THROTTLED,
    "ProvisionedThroughputExceeded": Trouble.THROTTLED,
    "ProvisionedThroughputExceededException": Trouble.THROTTLED,
    "RequestLimitExceeded": Trouble.THROTTLED,
    "RequestThrottled": Trouble.THROTTLED,
    "RequestThrottledException": Trouble.THROTTLED,
    "SlowDown": Trouble.THROTTLED,
    "ThrottledException": Trouble.THROTTLED,
    "Throttling": Trouble.THROTTLED,
    "ThrottlingException": Trouble.THROTTLED,
    "TooManyRequests": Trouble.THROTTLED,
    "TooManyRequestsException": Trouble.THROTTLED,
    "PackedPolicyTooLarge": Trouble.OWN_CREDENTIALS,
    "PackedPolicyTooLargeException": Trouble.OWN_CREDENTIALS,
    "ExpiredToken": Trouble.EXPIRED,
    "ExpiredTokenException": Trouble.EXPIRED,
    "TokenRefreshRequired": Trouble.EXPIRED,
    "AuthFailure": Trouble.REGION_DISABLED,
    "InvalidAccessKeyId": Trouble.REGION_DISABLED,
    "InvalidClientTokenId": Trouble.REGION_DISABLED,
    "RegionDisabledException": Trouble.REGION_DISABLED,
    "UnrecognizedClientException": Trouble.REGION_DISABLED,
    "NotSignedUp": Trouble.NOT_SUBSCRIBED,
    "OptInRequired": Trouble.NOT_SUBSCRIBED,
    "SubscriptionRequiredException": Trouble.NOT_SUBSCRIBED,
    "AccountProblem": Trouble.ACCOUNT_SUSPENDED,
    "AccountSuspended": Trouble.ACCOUNT_SUSPENDED,
    "AccountSuspendedException": Trouble.ACCOUNT_SUSPENDED,
    "AllAccessDisabled": Trouble.ACCOUNT_SUSPENDED,
    "Blocked": Trouble.ACCOUNT_SUSPENDED,
    "RequestExpired": Trouble.CLOCK,
    "RequestInTheFuture": Trouble.CLOCK,
    "RequestTimeTooSkewed": Trouble.CLOCK,
    "InternalError": Trouble.UNREACHABLE,
    "InternalFailure": Trouble.UNREACHABLE,
    "InternalServerError": Trouble.UNREACHABLE,
    "RequestTimeout": Trouble.UNREACHABLE,
    "RequestTimeoutException": Trouble.UNREACHABLE,
    "ServiceUnavailable": Trouble.UNREACHABLE,
    "ServiceUnavailableException": Trouble.UNREACHABLE,
}
"""What services call it. A region that the account has not enabled does not know our token; anywhere else that means
that the session is dead. A service that knows of no subscription means one or the other: the region is not enabled,
or the account is suspended. ``sessions`` finds out by asking STS.
"""

SUSPENDED_WORDS = re.compile(r"\baccount\b.{0,40}\b(suspended|blocked|closed|deactivated)\b", re.IGNORECASE)
SKEWED_WORDS = re.compile(r"signature (expired|not yet current)", re.IGNORECASE)
MISSING = re.compile(r"NotFound(Exception|Fault)?$|^NoSuch|DoesNotExist(Exception)?$|NonExistent|NotExist$")
DENIED_ACTION = re.compile(r"not authorized to perform: ?([\w-]+:\w+)")


def sentence(trouble: str) -> str:
    """What it means and what the customer can do about it."""
    return SENTENCES.get(trouble, "")


def classify(error: Exception, *, action: str) -> AwsError:
    """What botocore raised for a call with a role's credentials, in our words."""
    if isinstance(error, ClientError):
        return _answered(error, action)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return AwsError(Trouble.OWN_CREDENTIALS, action, _cut(str(error)))
    if isinstance(error, ConnectionError | HTTPClientError | ResponseParserError):
        return AwsError(Trouble.UNREACHABLE, action, type(error).__name__)
    if isinstance(error, BotoCoreError):
        return AwsError(Trouble.REFUSED, action, _cut(str(error)))
    raise error


def classify_assume(error: Exception) -> AwsError:
    """The same for taking a role, signed with our own credentials: a denial means that it is not ours to take."""
    found = classify(error, action="sts:AssumeRole")
    theirs = {Trouble.ACCESS_DENIED: Trouble.ROLE_GONE, Trouble.NOT_FOUND: Trouble.ROLE_GONE}
    own = dict.fromkeys((Trouble.EXPIRED, Trouble.REGION_DISABLED, Trouble.NOT_SUBSCRIBED), Trouble.OWN_CREDENTIALS)
    return AwsError((theirs | own).get(found.trouble, found.trouble), "sts:AssumeRole", found.detail)


def _answered(error: ClientError, action: str) -> AwsError:
    answer: Mapping[str, Mapping[str, object]] = error.response
    code, message = str(answer.get("Error", {}).get("Code", "")), str(answer.get("Error", {}).get("Message", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    trouble = _trouble(code.removeprefix("Client."), message, status if isinstance(status, int) else 0)
    named = DENIED_ACTION.search(message)
    if trouble == Trouble.ACCESS_DENIED and named:
        action = named[1]
    return AwsError(trouble, action, _cut(f"{code}: {message}"))


def _trouble(code: str, message: str, status: int) -> Trouble:
    """By words where services disagree about the code, then by code, then by status."""
    checks = (
        (Trouble.ACCOUNT_SUSPENDED, SUSPENDED_WORDS.search(message)),
        (Trouble.CLOCK, SKEWED_WORDS.search(message)),
        (Trouble.THROTTLED, message.startswith("Rate exceeded")),
        (CODES.get(code, Trouble.REFUSED), code in CODES),
        (Trouble.NOT_FOUND, MISSING.search(code) or status == 404),
        (Trouble.THROTTLED, status == 429),
        (Trouble.ACCESS_DENIED, status == 403),
        (Trouble.UNREACHABLE, status >= 500),
    )
    return next((trouble for trouble, applies in checks if applies), Trouble.REFUSED)


def _cut(text: str) -> str:
    return text if len(text) <= DETAIL_LENGTH else text[: DETAIL_LENGTH - 1] + "…"
