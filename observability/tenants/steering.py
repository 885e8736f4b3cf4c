"""What an organization asks of its extensions: to send the log lines of some invocations only, or nothing for a while.

They learn it from the answer to what they send. Whatever is asked, a pause ends by itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db import transaction

from observability.tenants import audit
from observability.tenants.models import Organization, User

LONGEST_PAUSE = timedelta(hours=1)
ALL = 100
"""Percent of the invocations whose lines are sent."""


@dataclass(frozen=True, slots=True)
class Steering:
    """``sampling`` is None as long as nobody ever chose less than everything: then nothing has to be said."""

    sampling: int | None = None
    paused_until: datetime | None = None

    def paused_s(self, now: datetime) -> int:
        """For how many seconds from now on nothing is wanted."""
        left = self.paused_until - now if self.paused_until else timedelta()
        return max(0, ceil(min(left, LONGEST_PAUSE).total_seconds()))


NOTHING = Steering()


def of(organization: Organization) -> Steering:
    return Steering(organization.log_sampling, organization.paused_until)


def sample(*, organization: Organization, percent: int, actor: User, now: datetime) -> None:
    """Ask for the log lines of so many percent of the invocations. What else they tell is always sent.

    Once asked for less, everything has to be asked for as well: environments remember.
    """
    with transaction.atomic():
        locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        before = locked.log_sampling or ALL
        if percent == before:
            return
        Organization.objects.filter(pk=locked.pk).update(log_sampling=percent)
        audit.record(
            organization=locked, actor=actor, action="logs.sampled", target=f"{percent} %", detail={"from": before},
            now=now,
        )  # fmt: skip


def pause(*, organization: Organization, length: timedelta, actor: User, now: datetime) -> None:
    """Ask for silence from now on, for an hour at most; a length of zero ends it."""
    until = now + min(length, LONGEST_PAUSE)
    with transaction.atomic():
        locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        lasts = locked.paused_until is not None and locked.paused_until > now
        if not length and not lasts:
            return
        start = locked.paused_from if lasts else now
        Organization.objects.filter(pk=locked.pk).update(paused_from=start, paused_until=until)
        action, target = ("telemetry.paused", f"until {until:%H:%M} UTC") if length else ("telemetry.resumed", "")
        audit.record(organization=locked, actor=actor, action=action, target=target, now=now)
