"""A fragment for the first minutes of an AWS account: what was found in it, and what has been stored of it so far."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.aws.models import AwsAccount
from observability.dashboards.kinds import ACCOUNT, FUNCTION, Kind, kind
from observability.dashboards.resources import shown
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest
from observability.tenants.models import Organization

LINES = 300
"""More are not counted: by then it is plain that they arrive."""
BEFORE = timedelta(hours=1)
"""The first reading of a log looks back so far: what it finds is the first data, not what runs next."""
EAGER = timedelta(minutes=10)
AHEAD = timedelta(minutes=10)
"""Clocks of customers run ahead of ours by this much at most."""


@dataclass(frozen=True, slots=True)
class Found:
    """How many resources of one type the account has."""

    type: str
    kind: Kind
    number: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the account has come. ``lines`` stops at 300."""

    listed: bool
    """Whether every region has been listed once."""
    functions: int
    others: list[Found]
    running: int
    """How many functions ran in the hour before it was connected, or since."""
    invocations: int
    lines: int

    @property
    def done(self) -> bool:
        """Whether there is something to look at."""
        return self.functions > 0 and self.invocations > 0

    @property
    def many_lines(self) -> bool:
        return self.lines >= LINES


@require_GET
def account_progress(request: MemberRequest, connection_id: int) -> HttpResponse:
    now = timezone.now()
    account = get_object_or_404(request.organization.aws_accounts, pk=connection_id)
    since = account.connected_at or account.created_at
    context = {
        "account": account,
        "progress": progress(request.organization, account, since, now),
        "every": "2s" if now - since < EAGER else "15s",
    }
    return render(request, "dashboards/account_progress.html", context)


def progress(organization: Organization, account: AwsAccount, since: datetime, now: datetime) -> Progress:
    mine = shown(organization).filter(account=account.account_id)
    counted = mine.filter(gone_at=None).values_list("type").annotate(number=Count("pk")).order_by("-number", "type")
    found = [Found(type_, kind(type_), number) for type_, number in counted]
    ids = set(mine.filter(type=FUNCTION).values_list("pk", flat=True))
    window, store = Window(since - BEFORE, now + AHEAD), get_store()
    standings = store.by_resource(organization.pk, window) if ids else {}
    ran = [standing.rollup.invocations for resource_id, standing in standings.items() if resource_id in ids]
    lines = store.log_lines(organization.pk, window, limit=LINES, newest_first=True) if ids else []
    whole = organization.resources.filter(type=ACCOUNT, account=account.account_id).first()
    return Progress(
        listed=whole is not None and set(account.regions) <= whole.config.keys(),
        functions=sum(entry.number for entry in found if entry.type == FUNCTION),
        others=[entry for entry in found if entry.type != FUNCTION],
        running=len(ran),
        invocations=sum(ran),
        lines=sum(line.resource_id in ids for line in lines),
    )
