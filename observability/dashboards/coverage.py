"""Coverage: of what AWS says ran, how much is stored here, and why the rest is not."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.aws.models import AwsAccount
from observability.dashboards.window import asked
from observability.inventory.models import Resource
from observability.telemetry import coverage as ledger
from observability.telemetry.records import Window
from observability.tenants.access import MemberRequest
from observability.tenants.models import Organization
from observability.ui.graphics import heat_levels
from observability.ui.range import TimeRange

PER_PAGE = 50
HOUR = timedelta(hours=1)
WORST = 0.2
"""The share of missing invocations that gets the darkest shade."""


@dataclass(frozen=True, slots=True)
class Line:
    """One function: what is missing of it, and in which hours."""

    resource: Resource
    summary: ledger.Summary
    levels: Sequence[int]

    @property
    def share(self) -> float | None:
        return cautious(self.summary)


@require_GET
def coverage(request: MemberRequest) -> HttpResponse:
    time_range, window, _ = asked(request.GET, timezone.now())
    organization, hours, size = request.organization, whole_hours(window), cell(time_range)
    found = ledger.by_resource(organization.pk, hours)
    page = Paginator(list(found.items()), PER_PAGE).get_page(request.GET.get("page"))
    total = together(found.values())
    context = {
        "title": "Coverage",
        "nav": "coverage",
        "time_range": time_range,
        "total": total,
        "share": cautious(total),
        "whole": sum(1 for summary in found.values() if not summary.missing),
        "functions": len(found),
        "chart": chart(ledger.by_hour(organization.pk, hours), hours, size, partial=time_range.live),
        "page": page,
        "lines": lines(organization, list(page.object_list), hours, size),
        "pulled": pulled(organization).exists(),
    }
    return render(request, "dashboards/coverage.html", context)


def pulled(organization: Organization) -> QuerySet[AwsAccount]:
    """The accounts that AWS's own numbers come from."""
    return organization.aws_accounts.filter(connected_at__isnull=False, disconnected_at=None)


def stored_share(organization: Organization, window: Window) -> float | None:
    """Coverage in one number, for one query; None where no account is pulled, or nothing ran."""
    hours = whole_hours(window)
    rows = organization.coverage.filter(Exists(pulled(organization)), hour__gte=hours.start, hour__lt=hours.end)
    total = rows.aggregate(reported_=Coalesce(Sum("reported"), 0), missing=Coalesce(Sum(ledger.MISSING), 0))
    return cautious(ledger.Summary(total["reported_"], total["missing"]))


def whole_hours(window: Window) -> Window:
    """The ledger counts by the hour: the hours that lie in the window, if only in part."""
    start = window.start.replace(minute=0, second=0, microsecond=0)
    return Window(start, window.end)


def together(found: Iterable[ledger.Summary]) -> ledger.Summary:
    """Coverage of all of them as one, what is missing for the most frequent reason first."""
    reported, missing, causes = 0, Counter[str](), Counter[str]()
    for summary in found:
        reported += summary.reported
        for gap in summary.gaps:
            missing[gap.cause] += gap.missing
            causes[gap.cause] += 1
    gaps = [ledger.Gap(cause, number, causes[cause]) for cause, number in missing.most_common()]
    return ledger.Summary(reported, missing.total(), gaps)


def cautious(summary: ledger.Summary) -> float | None:
    """The share that is stored; never rounded up to all of it while something is missing."""
    share = summary.share
    return share if share is None or not summary.missing else min(share, 0.999)


def cell(time_range: TimeRange) -> timedelta:
    """How much time one bar, and one cell of a strip, stands for: whole hours."""
    return max(HOUR, time_range.step)


def chart(hours: Iterable[ledger.Hour], window: Window, size: timedelta, *, partial: bool) -> dict[str, Any]:
    """Reported by AWS, and what is missing of it, over time; hours without a reckoning are gaps."""
    reported: dict[int, int] = {}
    missing: dict[int, int] = {}
    for hour in hours:
        number = (hour.start - window.start) // size
        reported[number] = reported.get(number, 0) + hour.reported
        missing[number] = missing.get(number, 0) + hour.missing
    cells = range(count(window, size))
    return {
        "t0": int(window.start.timestamp()),
        "dt": int(size.total_seconds()),
        "fmt": "count",
        "partial": partial,
        "series": [
            {"l": "Reported by AWS", "c": "c1", "k": "bar", "y": [reported.get(number) for number in cells]},
            {"l": "Missing here", "c": "err", "k": "bar", "y": [missing.get(number) for number in cells]},
        ],
        "marks": [],
        "lines": [],
    }


def count(window: Window, size: timedelta) -> int:
    return -(-(window.end - window.start) // size)


def lines(
    organization: Organization, found: Sequence[tuple[int, ledger.Summary]], window: Window, size: timedelta
) -> list[Line]:
    """The functions of one page with their strips."""
    ids = [resource_id for resource_id, _ in found]
    resources, strips = organization.resources.in_bulk(ids), missing_shares(organization, ids, window, size)
    return [
        Line(resources[resource_id], summary, heat_levels(strips[resource_id], WORST)) for resource_id, summary in found
    ]


def missing_shares(
    organization: Organization, resource_ids: Sequence[int], window: Window, size: timedelta
) -> Mapping[int, Sequence[float]]:
    """Per function and cell the share that is missing; where nothing ran, nothing is."""
    rows = organization.coverage.filter(resource__in=resource_ids, hour__gte=window.start, hour__lt=window.end)
    sums = {resource_id: [[0, 0] for _ in range(count(window, size))] for resource_id in resource_ids}
    for resource_id, hour, reported, seen in rows.values_list("resource", "hour", "reported", "seen"):
        both = sums[resource_id][(hour - window.start) // size]
        both[0] += reported
        both[1] += max(0, reported - seen)
    return {
        resource_id: [missing / reported if reported else 0.0 for reported, missing in cells]
        for resource_id, cells in sums.items()
    }
