"""The overview: is it broken, what changed, what does it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.dashboards import charts
from observability.dashboards.coverage import stored_share
from observability.dashboards.figures import error_rate, figures
from observability.dashboards.kinds import FUNCTION
from observability.dashboards.rows import SORTS, TREND_STEPS, Row, described, ordered, rows, with_releases, with_trends
from observability.dashboards.window import asked
from observability.telemetry.records import Bucket, Window
from observability.telemetry.store import get_store
from observability.tenants.access import MemberRequest
from observability.tenants.models import Organization
from observability.ui.graphics import heat_levels
from observability.ui.range import TimeRange
from observability.ui.treemap import Tile
from observability.ui.units import dollars

SHOWN = 8
TILES = 12
HOTTEST = 0.04
"""The error rate that gets the darkest shade of a heat strip."""
MARKS = 20
OFFERED = ("errors", "slowest", "invocations", "cost")


@dataclass(frozen=True, slots=True)
class Heat:
    """One line of the heat map: how often a function failed, over time."""

    id: int
    name: str
    levels: list[int]
    rate: float | None


@require_GET
def overview(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    time_range, window, previous = asked(request.GET, now)
    organization = request.organization
    table = rows(described(organization.resources.all()), get_store().by_resource(organization.pk, window))
    sort = request.GET.get("sort", "errors")
    context = {
        "title": "Overview",
        "nav": "overview",
        "time_range": time_range,
        "count": len(table),
        "regions": sorted({entry.region for entry in table}),
        "tiles": tiles(table, organization.slug, time_range.query),
        "coverage": stored_share(organization, window),
    }
    context |= activity(organization, time_range, window, previous)
    context |= ranking(organization, table, sort if sort in OFFERED else "errors", time_range, now)
    return render(request, "dashboards/overview.html", context)


def activity(organization: Organization, time_range: TimeRange, window: Window, previous: Window) -> dict[str, Any]:
    """Key figures, and the two charts of all functions together."""
    store = get_store()
    total, buckets = store.total(organization.pk, window), store.series(organization.pk, window, time_range.step)
    watched = organization.resources.filter(type=FUNCTION, first_seen_at__lte=previous.start).exists()
    before = store.total(organization.pk, previous) if watched else None
    watermark = store.watermark(organization.pk)
    newest = watermark.latest_event_at if watermark else None
    deployed = organization.deployments.filter(deployed_at__gte=window.start, deployed_at__lt=window.end)
    marked = charts.marks(deployed.select_related("resource").order_by("-deployed_at")[:MARKS])
    return {
        "total": total,
        "figures": figures(total, before, buckets, window, partial=time_range.live),
        "invocations": charts.chart(buckets, time_range, "count", charts.INVOCATIONS, newest=newest, marked=marked),
        "errors": charts.chart(buckets, time_range, "count", charts.ERRORS, newest=newest, marked=marked),
    }


def ranking(
    organization: Organization, table: Sequence[Row], sort: str, time_range: TimeRange, now: datetime
) -> dict[str, Any]:
    """The first functions by what the reader asked for, and those that failed most as a heat map."""
    window = Window(*time_range.window)
    top, hot = ordered(table, sort)[:SHOWN], ordered(table, "errors")[:SHOWN]
    shown = list(dict.fromkeys(entry.id for entry in top + hot))
    series = get_store().series_by_resource(organization.pk, window, TREND_STEPS * time_range.step, shown)
    return {
        "rows": with_releases(with_trends(top, series, window, partial=time_range.live), organization, now),
        "sort": sort,
        "sorts": {name: SORTS[name][0] for name in OFFERED},
        "heat": heat(hot, series),
    }


def heat(table: Sequence[Row], series: Mapping[int, Sequence[Bucket]]) -> list[Heat]:
    """The error rates of these functions over time, as shades."""
    return [
        Heat(
            entry.id,
            entry.name,
            heat_levels([error_rate(bucket.rollup) for bucket in series.get(entry.id, ())], HOTTEST),
            entry.error_rate,
        )
        for entry in table
    ]


def tiles(table: Sequence[Row], slug: str, query: str) -> list[Tile]:
    """Cost by function; what is too small to see is one tile together."""
    costly = [entry for entry in ordered(table, "cost") if entry.rollup.cost_usd > 0]
    functions_url = reverse("dashboards:functions", kwargs={"organization": slug})
    found = [
        Tile(
            value=entry.rollup.cost_usd,
            label=entry.name,
            text=dollars(entry.rollup.cost_usd),
            url=f"{functions_url}{entry.id}/?{query}",
        )
        for entry in costly[:TILES]
    ]
    rest = sum(entry.rollup.cost_usd for entry in costly[TILES:])
    if rest:
        url = f"{functions_url}?{query}&sort=cost"
        found.append(Tile(label=f"{len(costly) - TILES} more", value=rest, text=dollars(rest), url=url))
    return found
