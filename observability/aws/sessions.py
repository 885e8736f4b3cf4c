"""The only door to AWS: roles are assumed here, for no more than we need; calls are budgeted, counted and tried again.

There is one botocore session per process and one client per service and region, shared by all targets: a client signs
with the credentials of whoever the call at hand is for, and with none when nobody said. A client or a session per
tenant would cost megabytes each.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from secrets import SystemRandom
from typing import Any, Protocol, TypeVar

import stamina
from botocore.config import Config
from botocore.credentials import create_credential_resolver
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from django.conf import settings

from observability.aws import paging, policy, quotas, usage
from observability.aws.leases import Lease, Leases, Target
from observability.aws.problems import AwsError, Trouble, classify, classify_assume

__all__ = [
    "Identity",
    "Lease",
    "Region",
    "RoleRegion",
    "Target",
    "assume",
    "identity",
    "own_call",
    "own_identity",
    "region",
]

T = TypeVar("T")
Left = Callable[[], float]
CONNECT_S, READ_S, WHOLE_S = 3, 8, 20
TURN_S = 0.5  # How long taking a role may wait for its turn.
LAST_START_S = WHOLE_S - CONNECT_S - READ_S - TURN_S
"""A try that begins no later than this ends within ``WHOLE_S``."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 4.0
LIFE_S = 3_600  # The most that AWS lets a role of ours have a role of somebody else's.
CLIENTS = 256
HOME = "home"
IAM_NAMES = {"stepfunctions": "states", "apigatewayv2": "apigateway", "resourcegroupstaggingapi": "tag"}


class Region(Protocol):
    """One region of one account, as collectors see it. Every method raises ``AwsError`` and nothing else."""

    target: Target
    region: str

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call, such as ``call("lambda", "list_functions", MaxItems=50)``, within the budget of its family."""

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The pages of a listing, to the last one: also past empty pages that have a token."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who AWS says that a caller is."""

    account: str
    arn: str


@dataclass
class RoleRegion:
    """``Region`` over a role that we assume. One call holds its thread for 20 seconds at most."""

    target: Target
    region: str

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return _persist(lambda left_s: self._try(service, operation, parameters, left_s))

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        turn = _turning(service, operation, self.region)
        token: dict[str, Any] = {}
        while True:
            page = self.call(service, operation, **parameters | token)
            yield page
            previous, token = token, turn(page)
            if not token:
                return
            if token == previous:
                raise AwsError(Trouble.REFUSED, _action(service, operation, self.region), "The listing repeats itself.")

    def _try(self, service: str, operation: str, parameters: Mapping[str, Any], left_s: Left) -> dict[str, Any]:
        lease = _leases.of(self.target)
        if not left_s():
            raise AwsError(Trouble.UNREACHABLE, "sts:AssumeRole", "AWS took too long to let us have the role.")
        client = _client(service, self.region)
        family = quotas.family(service, operation)
        budget = {"account": self.target.account, "region": self.region, "family": family}
        quotas.take(**budget, patience_s=left_s())
        usage.count(account=self.target.account, family=family, metrics=_metrics(parameters))
        try:
            with _signed_by(lease):
                answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except (BotoCoreError, ClientError) as error:
            problem = classify(error, action=_action(service, operation, self.region))
            if problem.trouble == Trouble.THROTTLED:
                quotas.slow_down(**budget)
                usage.count_throttled(account=self.target.account, family=family)
            raise self._judged(problem, lease) from None
        return answer

    def _judged(self, problem: AwsError, lease: Lease) -> AwsError:
        """Several troubles get the same answer; what STS says of the session and of the role tells them apart."""
        if problem.trouble == Trouble.NOT_SUBSCRIBED:
            return self._unsubscribed(problem)
        dead = problem.trouble == Trouble.REGION_DISABLED and _is_dead(lease)
        if dead or problem.trouble == Trouble.EXPIRED:
            _leases.forget(self.target, lease)
            return AwsError(Trouble.EXPIRED, problem.action, problem.detail)
        return problem

    def _unsubscribed(self, problem: AwsError) -> AwsError:
        """A region that is not enabled; or the account is suspended, and then nobody may take a role there any more.

        The session is kept: whoever has none is only told that the role is gone.
        """
        try:
            _assume_target(self.target)
        except AwsError as error:
            if error.trouble != Trouble.ROLE_GONE:
                return error
            return AwsError(Trouble.ACCOUNT_SUSPENDED, error.action, problem.detail)
        return AwsError(Trouble.REGION_DISABLED, problem.action, problem.detail)


def region(target: Target, name: str) -> Region:
    """The way into one region of a connection."""
    return RoleRegion(target, name)


def assume(*, role_arn: str, external_id: str | None, session_name: str) -> Lease:
    """Take the role anew, only to learn whether and whose: the session may do nothing else.

    Raises ``AwsError``; ``ROLE_GONE`` says that AWS refused.
    """
    return _persist(lambda left_s: _assume(role_arn, external_id, session_name, policy.powerless(), left_s()))


def identity(lease: Lease) -> Identity:
    """Whose credentials these are. Raises ``AwsError``."""
    return _persist(lambda _: _identity(lease))


def own_identity() -> Identity:
    """Who we are, before we take any role. Raises ``AwsError``."""
    return _own_identity(settings.AWS_ENDPOINT_URL)


def own_call(service: str, operation: str, *, region: str, **parameters: Any) -> dict[str, Any]:
    """One call as ourselves, in our own account. Raises ``AwsError``."""
    try:
        with _signed_by(_own_credentials()):
            answer: dict[str, Any] = getattr(_client(service, region), operation)(**parameters)
    except (BotoCoreError, ClientError) as error:
        raise classify(error, action=_action(service, operation, region)) from None
    return answer


def forget(target: Target | None = None) -> None:
    """Drop what this process remembers about one target, or about everything."""
    if target is not None:
        _leases.forget(target)
        return
    _leases.clear()
    _own_identity.cache_clear()
    with _lock:
        _clients.clear()
        _found_credentials.cache_clear()


class _Persistence:
    """Whether to try again, and after how long: at random up to a limit that doubles, and never past the end."""

    def __init__(self) -> None:
        self._last_start = time.monotonic() + LAST_START_S
        self._failures = 0
        self._expired = False

    def left_s(self) -> float:
        return max(0.0, self._last_start - time.monotonic())

    def __call__(self, error: Exception) -> bool | float:
        if not isinstance(error, AwsError) or not error.transient or isinstance(error, quotas.SpentError):
            return False
        if error.trouble == Trouble.EXPIRED:
            first, self._expired = not self._expired, True
            return 0.001 if first and self.left_s() else False
        wait = SystemRandom().uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**self._failures))
        self._failures += 1
        return max(wait, 0.001) if wait < self.left_s() else False


def _persist(attempt: Callable[[Left], T]) -> T:
    """What ``attempt`` returns, tried again as long as that may help; it can ask how long it may wait for its turn."""
    persistence = _Persistence()
    for trial in stamina.retry_context(on=persistence, attempts=None, timeout=WHOLE_S):
        with trial:
            return attempt(persistence.left_s)
    raise AssertionError("stamina ends with a result or an error")


def _assume(role_arn: str, external_id: str | None, session_name: str, most: str, patience_s: float) -> Lease:
    """A session that may do no more than the policy ``most`` says, which AWS is told with every role we take."""
    given = {"Policy": most} if external_id is None else {"Policy": most, "ExternalId": external_id}
    name = re.sub(r"[^\w+=,.@-]", "-", session_name, flags=re.ASCII)[:64].ljust(2, "-")
    quotas.take(account=HOME, region=settings.AWS_HOME_REGION, family="sts", patience_s=patience_s)
    try:
        with _signed_by(_own_credentials()):
            sts = _client("sts", settings.AWS_HOME_REGION)
            answer = sts.assume_role(RoleArn=role_arn, RoleSessionName=name, DurationSeconds=LIFE_S, **given)
    except (BotoCoreError, ClientError) as error:
        raise classify_assume(error) from None
    made = answer["Credentials"]
    return Lease(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], life_s=_life_s(answer))


def _life_s(answer: Mapping[str, Any]) -> float:
    """How long AWS lets the credentials live, by AWS's own clock: ours may be wrong."""
    sent_at = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if sent_at is None:
        return LIFE_S
    life = answer["Credentials"]["Expiration"] - parsedate_to_datetime(sent_at)
    return float(life.total_seconds()) - 1  # The header tells whole seconds, rounded down.


def _identity(caller: Any) -> Identity:
    try:
        with _signed_by(caller):
            answer = _client("sts", settings.AWS_HOME_REGION).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise classify(error, action="sts:GetCallerIdentity") from None
    return Identity(answer["Account"], answer["Arn"])


@cache
def _own_identity(endpoint: str) -> Identity:
    try:
        return _persist(lambda _: _identity(_own_credentials()))
    except AwsError as error:
        if error.trouble in (Trouble.THROTTLED, Trouble.UNREACHABLE, Trouble.CLOCK):
            raise
        raise AwsError(Trouble.OWN_CREDENTIALS, error.action, error.detail) from None


def _is_dead(lease: Lease) -> bool:
    """Whether STS does not know the lease either. Raises ``AwsError`` when it does not say."""
    try:
        _identity(lease)
    except AwsError as error:
        if error.transient and error.trouble != Trouble.EXPIRED:
            raise
        return True
    return False


def _assume_target(target: Target) -> Lease:
    most = policy.session(target.tiers)
    return _assume(target.role_arn, target.external_id, target.organization, most, TURN_S)


class _Caller:
    """What clients are given as credentials: those of whoever the call at hand is for."""

    method = "nightjar"

    def load_credentials(self) -> "_Caller":
        return self

    def get_frozen_credentials(self) -> Any:
        return _signer.get().get_frozen_credentials()

    def get_deferred_property(self, name: str) -> Callable[[], None]:
        return lambda: None


_signer: ContextVar[Any] = ContextVar("signer")
_leases = Leases(_assume_target)
_clients: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
_lock = threading.RLock()  # botocore's sessions are not safe to share while they make clients.


@contextmanager
def _signed_by(credentials: Any) -> Iterator[None]:
    token = _signer.set(credentials)
    try:
        yield
    finally:
        _signer.reset(token)


@cache
def _session() -> Session:
    """The one session, whose clients sign for whoever calls."""
    session = Session()
    session.register_component("credential_provider", _Caller())
    return session


@cache
def _found_credentials() -> Any:
    """Our own, which renew themselves where they have to; None when there are none."""
    return create_credential_resolver(_session()).load_credentials()


def _own_credentials() -> Any:
    with _lock:
        own = _found_credentials()
        if own is None:
            _found_credentials.cache_clear()
            raise AwsError(Trouble.OWN_CREDENTIALS, "sts:AssumeRole", "There are no AWS credentials on this server.")
    return own


def _client(service: str, region: str) -> Any:
    key = (service, region, settings.AWS_ENDPOINT_URL)
    with _lock:
        if key not in _clients:
            _clients[key] = _session().create_client(
                service, region_name=region, endpoint_url=settings.AWS_ENDPOINT_URL or None, config=CONFIG
            )
            if len(_clients) > CLIENTS:
                _clients.popitem(last=False)
        _clients.move_to_end(key)
        return _clients[key]


CONFIG = Config(
    connect_timeout=CONNECT_S,
    read_timeout=READ_S,
    retries={"total_max_attempts": 1},
    user_agent_extra="nightjar",
    account_id_endpoint_mode="disabled",
    ignore_configured_endpoint_urls=True,
)


def _action(service: str, operation: str, region: str) -> str:
    """The call in IAM's words."""
    if service.startswith("apigateway"):
        return "apigateway:GET"
    api_name = _client(service, region).meta.method_to_api_mapping[operation]
    return f"{IAM_NAMES.get(service, service)}:{api_name}"


def _metrics(parameters: Mapping[str, Any]) -> int:
    """How many metrics a GetMetricData asks for."""
    return sum("MetricStat" in query for query in parameters.get("MetricDataQueries", ()))


def _turning(service: str, operation: str, region: str) -> paging.Turn:
    """How to turn the pages of a listing."""
    with _lock:
        client = _client(service, region)
        api_name = client.meta.method_to_api_mapping[operation]
        known: dict[str, Any] = {}
        if client.can_paginate(operation):
            known = _session().get_component("data_loader").load_service_model(service, "paginators-1")["pagination"]
    return paging.turning(known.get(api_name), client.meta.service_model.operation_model(api_name).input_shape)
