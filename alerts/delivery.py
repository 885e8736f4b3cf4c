"""From the outbox to the outside: claim a notification, send it, record what came of it.

The claim is a lease in the database, so a sender that dies is replaced when its lease runs out. What it had sent but
not recorded is sent once more, under the same id: at least once outside, and receivers can tell a repetition.

A channel carries one message at a time, and one about an incident never overtakes an earlier one.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from alerts import routing
from alerts.channels import NobodyError, addressed
from alerts.message import Message
from alerts.models import TESTS, Channel, DeliveryAttempt, Notification
from alerts.transport import Audience, Transport, TransportError
from alerts.transports import get_transport
from alerts.wording import compose
from observability.tenants import audit

logger = logging.getLogger(__name__)
Status = Notification.Status

LEASE = timedelta(seconds=60)
AT_ONCE = 8
POLL_S = 0.2  # How soon what falls due meanwhile is noticed.

SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""The pauses after each failed try: ten tries in 75 h 35 min, as Standard Webhooks recommends. Jitter comes on top.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""

PATIENT_TRIES = 5
"""So many tries come sooner, 5 s and then doubling, when the receiver says when to come back: it is alive."""

JITTER = 0.1

PER_MINUTE = 5
"""People get at most so many messages per channel and minute; the last of them tells of all that wait."""

MOST_RIDERS = 10_000


@dataclass(frozen=True, slots=True)
class Errand:
    """A claimed notification, and in a storm the ids of the others that its message tells of."""

    notification: Notification
    riders: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything that sending needs, so that it can happen in a thread without a database connection."""

    transport: Transport
    config: dict[str, Any]
    message: Message


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one try."""

    ok: bool
    detail: str
    permanent: bool = False
    retry_after: timedelta | None = None
    reached: frozenset[str] = frozenset()
    took: timedelta = timedelta()


def deliver(*, clock: Callable[[], datetime], patience: timedelta) -> int:
    """Send what is due until nothing is left, taking up nothing new after ``patience``; answers with how many tries.

    Several messages are under way at once, so that one slow receiver does not hold up the others.
    """
    tries, begun = 0, clock()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="delivery") as pool:
        under_way: dict[Future[Result], Errand] = {}
        while True:
            while len(under_way) < AT_ONCE and clock() - begun < patience and (errand := claim(now=clock())):
                under_way[pool.submit(_try, pack(errand, now=clock()))] = errand
                tries += 1
            if not under_way:
                return tries
            done, _ = wait(under_way, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                record(under_way.pop(future), future.result(), now=clock())


def give_up(*, now: datetime) -> None:
    """End the waiting for channels and organizations that are no more, and for messages that no sender survived."""
    waiting = Notification.objects.filter(_unleased(now), status=Status.PENDING, due_at__lte=now)
    switched_off = waiting.filter(channel__enabled=False).exclude(TESTS)
    switched_off.update(status=Status.FAILED, last_error="The channel is switched off.")
    archived = waiting.filter(organization__archived_at__isnull=False)
    archived.update(status=Status.FAILED, last_error="The organization was deleted.")
    deadly = waiting.filter(attempts__gt=len(SCHEDULE) + 1)
    deadly.update(status=Status.FAILED, last_error="Every try to send it was cut off.")


# Claim -------------------------------------------------------------------------------------------
@transaction.atomic
def claim(*, now: datetime) -> Errand | None:
    """Lease the notification that has been due longest, and its channel."""
    resting: list[int] = []
    while notification := _due(now).exclude(channel__in=resting).first():
        room = _room(notification, now)
        if room > 0:
            return _lease(notification, last=room == 1, now=now)
        resting.append(notification.channel_id)
    return None


def _due(now: datetime) -> QuerySet[Notification]:
    """What may be sent now, rows and channels locked; rows that somebody else holds are skipped."""
    free = Q(channel__busy_until=None) | Q(channel__busy_until__lte=now)
    allowed = Q(channel__enabled=True) | TESTS
    return (
        _first_in_line(Notification.objects.filter(status=Status.PENDING, due_at__lte=now))
        .filter(_unleased(now), free, allowed)
        .select_for_update(skip_locked=True, of=("self", "channel"), no_key=True)
        .select_related("channel")
        .order_by("due_at", "created_at", "transition_id", "pk")
    )


def _unleased(now: datetime) -> Q:
    return Q(leased_until=None) | Q(leased_until__lte=now)


def _first_in_line(notifications: QuerySet[Notification]) -> QuerySet[Notification]:
    """Without those that have to wait for an earlier step of the same incident on the same channel."""
    earlier = Notification.objects.filter(
        status=Status.PENDING,
        channel=OuterRef("channel"),
        transition__incident=OuterRef("transition__incident"),
        transition__lt=OuterRef("transition"),
    )
    return notifications.exclude(Exists(earlier))


def _room(notification: Notification, now: datetime) -> int:
    """How many messages the channel may still carry this minute; programs and tests are not limited."""
    if notification.transition_id is None or _audience(notification.channel) is Audience.MACHINE:
        return PER_MINUTE
    sent = Notification.objects.filter(
        channel=notification.channel_id, sent_at__gt=now - timedelta(minutes=1), told_with=None
    ).exclude(transition=None)
    return PER_MINUTE - sent.count()


def _audience(channel: Channel) -> Audience:
    try:
        return get_transport(channel.kind).audience
    except KeyError:
        return Audience.MACHINE


def _lease(notification: Notification, *, last: bool, now: datetime) -> Errand:
    until = now + LEASE
    riders = _riders(notification, now) if last else ()
    Notification.objects.filter(pk__in=riders).update(leased_until=until)
    Notification.objects.filter(pk=notification.pk).update(leased_until=until, attempts=F("attempts") + 1)
    Channel.objects.filter(pk=notification.channel_id).update(busy_until=until)
    notification.leased_until, notification.attempts = until, notification.attempts + 1
    return Errand(notification, riders)


def _riders(notification: Notification, now: datetime) -> tuple[UUID, ...]:
    same = _due(now).filter(channel=notification.channel_id, transition__isnull=False).exclude(pk=notification.pk)
    return tuple(row.pk for row in same[:MOST_RIDERS])


# Send --------------------------------------------------------------------------------------------
def pack(errand: Errand, *, now: datetime) -> Parcel | Result:
    """What is to be sent, or why that could not be made out."""
    channel = errand.notification.channel
    try:
        message = _with_riders(compose(errand.notification, now=now), len(errand.riders))
        return Parcel(get_transport(channel.kind), addressed(channel), message)
    except NobodyError as error:
        return Result(False, str(error))
    except Exception as error:  # One row that cannot be put into words must not stop the others.
        return _mistake(error, errand.notification.pk)


def hand_over(parcel: Parcel) -> Result:
    """One try. Never raises: whatever goes wrong is a result."""
    started = time.monotonic()
    try:
        result = Result(True, parcel.transport.send(parcel.config, parcel.message).detail)
    except TransportError as error:
        pause = None if error.retry_after is None else timedelta(seconds=error.retry_after)
        result = Result(False, str(error), permanent=error.permanent, retry_after=pause, reached=error.reached)
    except Exception as error:  # The shelf runner: a transport's mistake must not stop the others.
        result = _mistake(error, parcel.message.id)
    return replace(result, took=timedelta(seconds=time.monotonic() - started))


def _try(parcel: Parcel | Result) -> Result:
    return hand_over(parcel) if isinstance(parcel, Parcel) else parcel


def _mistake(error: Exception, notification: object) -> Result:
    logger.error("delivery.failed", exc_info=error, extra={"notification": str(notification)})
    return Result(False, f"Nightjar could not send it ({type(error).__name__}).")


def _with_riders(message: Message, riders: int) -> Message:
    """The message, also in the name of those that did not get one of their own."""
    if not riders:
        return message
    others = f"{riders:,} more notification{'' if riders == 1 else 's'}"
    summary = f"{message.summary} This message stands for {others} of the same minute."
    return replace(message, title=f"{message.what}, and {others}", summary=summary)


# Record ------------------------------------------------------------------------------------------
@transaction.atomic
def record(errand: Errand, result: Result, *, now: datetime) -> None:
    """Write down what came of a try, and when to try again. ``now`` is when it was over."""
    notification = errand.notification
    if not Channel.objects.select_for_update(no_key=True).filter(pk=notification.channel_id):
        return  # Deleted meanwhile, with everything that was to be told there.
    DeliveryAttempt.objects.create(
        notification=notification,
        attempted_at=now - result.took,
        ok=result.ok,
        detail=result.detail[:500],
        duration_ms=int(result.took.total_seconds() * 1000),
    )
    if result.ok:
        _sent(errand, now)
    else:
        _failed(errand, result, now)
    _release(notification, result, now)


def _sent(errand: Errand, now: datetime) -> None:
    """It has arrived, so it is sent even if the lease ran out meanwhile."""
    sent = {"status": Status.SENT, "sent_at": now, "leased_until": None, "last_error": ""}
    pending = Notification.objects.filter(status=Status.PENDING)
    pending.filter(pk=errand.notification.pk).update(**sent)
    pending.filter(pk__in=errand.riders).update(**sent, told_with=errand.notification)


def _failed(errand: Errand, result: Result, now: datetime) -> None:
    notification = errand.notification
    mine = Notification.objects.filter(status=Status.PENDING, leased_until=notification.leased_until)
    mine.filter(pk__in=errand.riders).update(leased_until=None)
    outcome: dict[str, Any] = {"leased_until": None, "last_error": result.detail[:500]}
    if result.reached:
        outcome["reached"] = sorted(result.reached)
    again = None if result.permanent else retry_at(notification, result, now=now)
    if again is None:
        mine.filter(pk=notification.pk).update(status=Status.FAILED, **outcome)
    else:
        mine.filter(pk=notification.pk).update(due_at=again, **outcome)


def retry_at(notification: Notification, result: Result, *, now: datetime) -> datetime | None:
    """When to try again after ``notification.attempts`` tries; None when it is time to give up."""
    if notification.attempts > len(SCHEDULE) or notification.is_test:
        return None
    pause = SCHEDULE[notification.attempts - 1]
    if result.retry_after is not None and notification.attempts <= PATIENT_TRIES:
        pause = SCHEDULE[0] * 2 ** (notification.attempts - 1)
    chance = (notification.pk.int >> notification.attempts) % 1_000 / 1_000  # The id is random; its bits are enough.
    return now + max(pause * (1 + JITTER * chance), result.retry_after or timedelta())


def _release(notification: Notification, result: Result, now: datetime) -> None:
    """Let the channel carry the next message, unless the other side asked us to wait or is gone for good."""
    channel = Channel.objects.filter(pk=notification.channel_id)
    channel.filter(busy_until=notification.leased_until).update(
        busy_until=None if result.retry_after is None else now + result.retry_after
    )
    if result.permanent and not notification.is_test:
        _switch_off(notification.channel, result.detail, now)


def _switch_off(channel: Channel, reason: str, now: datetime) -> None:
    """Stop using a channel that is gone for good; only its first failure is told and written down."""
    on = Channel.objects.filter(pk=channel.pk, enabled=True)
    if on.update(enabled=False, disabled_reason=reason[:300]):
        routing.tell_switched_off(channel=channel, now=now)
        detail = {"reason": reason}
        organization = channel.organization
        audit.record(
            organization=organization,
            actor=None,
            action="channel.disabled",
            target=channel.name,
            detail=detail,
            now=now,
        )
