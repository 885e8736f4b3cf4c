"""Roles taken on loan: each is kept for most of its life and renewed by one thread, while others go on with the old."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from observability.aws.problems import AwsError, Trouble

RENEW_AT = 0.8
AGAIN_S = 30
"""A renewal that failed while the old lease is good is tried again after this."""

PATIENCE_S = 11
"""How long a thread waits for another one to take the same role."""

CAPACITY = 5_000


@dataclass(frozen=True, slots=True)
class Target:
    """A role that we may assume: all that a call needs to know of a connection. Plain, so that stages can pass it."""

    account: str
    partition: str
    role_arn: str
    external_id: str = field(repr=False)
    organization: str
    """The organization's slug: the session's name in the customer's CloudTrail."""
    tiers: frozenset[str] = frozenset()
    """What the session may do besides the base, and nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Temporary credentials, as botocore's signers read them, and for how many seconds they are good."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    life_s: float

    def get_frozen_credentials(self) -> "Lease":
        return self


@dataclass(slots=True)
class _Held:
    """Times are monotonic, so that a wrong or adjusted clock neither shortens nor stretches a lease."""

    lease: Lease | None = None
    renew_at: float = 0.0
    ends_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Leases:
    """One lease per target. ``assume`` makes a new one, or raises ``AwsError``."""

    def __init__(self, assume: Callable[[Target], Lease], clock: Callable[[], float] = time.monotonic) -> None:
        self._assume = assume
        self._clock = clock
        self._held: OrderedDict[Target, _Held] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, target: Target) -> Lease:
        """The lease to sign with now. Raises ``AwsError`` when there is none to be had."""
        held = self._find(target)
        lease, now = held.lease, self._clock()
        if lease is not None and now < held.renew_at:
            return lease
        good = lease is not None and now < held.ends_at
        if not held.lock.acquire(blocking=not good, timeout=-1 if good else PATIENCE_S):
            if lease is not None and good:
                return lease
            raise AwsError(Trouble.UNREACHABLE, "sts:AssumeRole", "AWS has not answered another call for this role.")
        try:
            return self._renew(target, held, lease)
        finally:
            held.lock.release()

    def forget(self, target: Target, lease: Lease | None = None) -> None:
        """Assume ``target`` anew next time; with ``lease``, only if that is the one still held."""
        with self._lock:
            held = self._held.get(target)
            if held is not None and lease in (None, held.lease):
                del self._held[target]

    def clear(self) -> None:
        with self._lock:
            self._held.clear()

    def _find(self, target: Target) -> _Held:
        with self._lock:
            held = self._held.setdefault(target, _Held())
            self._held.move_to_end(target)
            if len(self._held) > CAPACITY:
                self._held.popitem(last=False)
            return held

    def _renew(self, target: Target, held: _Held, old: Lease | None) -> Lease:
        """Runs in one thread per target at a time; the caller holds the lock."""
        if held.lease is not None and held.lease is not old:
            return held.lease  # Another thread was first.
        asked_at = self._clock()
        try:
            new = self._assume(target)
        except AwsError as error:
            if old is None or asked_at >= held.ends_at or not (error.transient or error.ours):
                held.lease = None
                raise
            held.renew_at = asked_at + AGAIN_S
            return old
        held.lease, held.renew_at = new, asked_at + new.life_s * RENEW_AT
        held.ends_at = asked_at + new.life_s
        return new
