"""Cost: what the month has cost and will, by whatever one asks, what moved it, and what is not in it."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.costs import monitoring
from observability.costs.bill import TITLES
from observability.costs.ledger import month_of
from observability.costs.statement import Statement, foretold, statement, together
from observability.dashboards import cost_charts, cost_rows
from observability.dashboards.charts import marks
from observability.dashboards.cost_changes import Release, changes
from observability.dashboards.cost_rows import BY
from observability.inventory.models import Resource
from observability.telemetry.daily import DAY
from observability.telemetry.pricing import price, prices
from observability.telemetry.records import Window
from observability.tenants.access import MemberRequest
from observability.ui.tabs import Tab
from observability.ui.treemap import Tile
from observability.ui.units import dollars

PER_PAGE = 25
TILES, SMALLEST = 16, 0.04
"""As many tiles at most, each of this share at least."""

KEPT = 400 * DAY
"""Days are kept for so long, unless somebody chose otherwise."""

MONTH_S = 730 * 3_600
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


@require_GET
def cost(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    month, by, tag = asked(request.GET, now)
    told = statement(request.organization, month, now=now)
    context = {"title": "Cost", "nav": "cost", "by": by} | months(month, now)
    if not told.bill.total:
        return render(request, "dashboards/cost_empty.html", context | priced(told))
    changed = changes(request.organization, told)
    context |= figures(told) | charts(told, changed["releases"]) | breakdown(request, told, by, tag) | changed
    return render(request, "dashboards/cost.html", context | ourselves(request, told) | priced(told))


def of_function(request: MemberRequest, resource: Resource) -> dict[str, Any]:
    """The tab of one function's page."""
    now = timezone.now()
    month, _, _ = asked(request.GET, now)
    told = statement(
        request.organization, month, now=now, resources=request.organization.resources.filter(pk=resource.pk)
    )
    changed = changes(request.organization, told, resource.pk)
    context = months(month, now) | figures(told) | charts(told, changed["releases"]) | changed | priced(told)
    return context | {"rows": cost_rows.rows(told, "component"), "of_one": True, "ready_usd": ready(told)}


def ready(told: Statement) -> float:
    """USD a month for what stands ready now, whether it is used or not."""
    end = told.ledger.window.end
    second = Window(end - timedelta(seconds=1), end)
    return MONTH_S * float(told.ledger.stood(second, without=["logs"]).sum())


@require_GET
def cost_csv(request: MemberRequest) -> HttpResponse:
    """Every function's bill of the month, for a spreadsheet."""
    now = timezone.now()
    month, _, _ = asked(request.GET, now)
    told = statement(request.organization, month, now=now)
    name = f"cost-{request.organization.slug}-{month.start:%Y-%m}.csv"
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    csv.writer(response).writerows(exported(told))
    return response


def exported(told: Statement) -> Iterator[list[Any]]:
    yield ["function", "region", "account", "tags", "invocations", *(f"{line}_usd" for line in TITLES), "total_usd"]
    ledger, chosen = told.ledger, told.chosen
    lines = {line: ledger.by_function(line, chosen) for line in TITLES}
    counts, totals = ledger.by_function("invocations", chosen), ledger.totals(chosen)
    for index, function in enumerate(ledger.functions):
        tags = " ".join(f"{key}={value}" for key, value in sorted(function.tags.items()))
        amounts = [f"{lines[line][index]:.6f}" for line in TITLES]
        facts = [_plain(function.name), function.region, function.account, _plain(tags), int(counts[index])]
        yield [*facts, *amounts, f"{totals[index]:.6f}"]
    for account, by_day in sorted(told.asked.items()):
        usd = sum(amount for day, amount in by_day.items() if told.month.start.date() <= day < told.month.end.date())
        yield ["", "", account, "", "", *(f"{usd if line == 'monitoring' else 0:.6f}" for line in TITLES), f"{usd:.6f}"]


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text


def asked(query: Mapping[str, str], now: datetime) -> tuple[Window, str, str]:
    """The month, and what to break it down by. What cannot be read, lies ahead, or is long over is this month."""
    try:
        year, _, number = query.get("month", "").partition("-")
        month = month_of(datetime(int(year), int(number), 1, tzinfo=UTC))
    except (ValueError, OverflowError):
        month = month_of(now)
    by = query.get("by", "function")
    month = month if now - KEPT <= month.start <= now else month_of(now)
    return month, by if by in BY else "function", query.get("tag", "")


def months(month: Window, now: datetime) -> dict[str, Any]:
    before = month_of(month.start - DAY)
    return {
        "month": month.start,
        "month_key": f"{month.start:%Y-%m}",
        "current": month.start <= now < month.end,
        "earlier": f"{before.start:%Y-%m}" if now - before.start <= KEPT else "",
        "later": f"{month.end:%Y-%m}" if month.end <= now else "",
    }


def figures(told: Statement) -> dict[str, Any]:
    """The key figures of a month."""
    before, after = together(told.before), together(told.after)
    bill, invocations = told.bill, told.ledger.count("invocations", told.chosen)
    return {
        "per_day": bill.total / max(len(told.month_days), 1),
        "bill": bill,
        "forecast": foretold(told) if told.current else None,
        "invocations": invocations,
        "per_thousand": bill.total / invocations * 1_000 if invocations else None,
        "per_thousand_change": _ratio(before.per_thousand, after.per_thousand),
        "week": after.total,
        "week_change": _ratio(before.total, after.total),
        "init_share": bill.init / bill.total if bill.total else None,
    }


def _ratio(before: float | None, after: float | None) -> float | None:
    return after / before - 1 if before and after is not None else None


def charts(told: Statement, released: Sequence[Release]) -> dict[str, Any]:
    dearer = {each.deployment.pk for each in released if each.change > 0}
    return {
        "by_day": cost_charts.by_day(told, marks((each.deployment for each in released), dearer)),
        "ahead": cost_charts.ahead(told, foretold(told)) if told.current else None,
    }


def breakdown(request: MemberRequest, told: Statement, by: str, tag: str) -> dict[str, Any]:
    """The table, and the dearest functions as a map."""
    keys = cost_rows.tag_keys(told)
    tag = tag if tag in dict(keys) else (keys[0][0] if keys else "")
    url = reverse("dashboards:cost", kwargs={"organization": request.organization.slug})
    table = cost_rows.rows(told, by, tag)
    page = Paginator(table, PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    if by == "function":
        shown = cost_rows.with_parts(told, shown, table[0].usd if table else 0.0)
    kept = {"month": f"{told.month.start:%Y-%m}"}
    return {
        "rows": shown,
        "page": page,
        "tag": tag,
        "tag_keys": keys,
        "tabs": [Tab(label, f"{url}?{urlencode(kept | {'by': key})}", key == by) for key, label in BY.items()],
        "tiles": tiles(request, cost_rows.rows(told, "function") if by != "function" else table),
    }


def tiles(request: MemberRequest, table: list[cost_rows.Row]) -> list[Tile]:
    """The dearest functions as a map; what would be too small to hit with a finger is left to the table."""
    url = reverse("dashboards:functions", kwargs={"organization": request.organization.slug})
    total = sum(row.usd for row in table)
    shown = [row for row in table[:TILES] if row.usd >= SMALLEST * total]
    found = [Tile(row.name, row.usd, dollars(row.usd), f"{url}{row.id}/?tab=cost") for row in shown]
    rest = total - sum(row.usd for row in shown)
    if rest >= SMALLEST * total > 0:
        found.append(Tile(f"{len(table) - len(shown)} more", rest, dollars(rest), "#breakdown"))
    return found


def ourselves(request: MemberRequest, told: Statement) -> dict[str, Any]:
    """What Nightjar itself causes: calls with a price, and time of the extension."""
    window = Window(told.month.start, min(told.month.end, told.now))
    held = monitoring.extension(told.ledger, request.organization, window)
    return {
        "asked_usd": told.bill.monitoring,
        "extension_usd": sum(held.values()),
        "extension_functions": len(held),
        "own_usd": told.bill.monitoring + sum(held.values()),
        "own_share": (told.bill.monitoring + sum(held.values())) / told.bill.total if told.bill.total else None,
    }


def priced(told: Statement) -> dict[str, Any]:
    """Where the prices come from, and for which regions there are none."""
    regions = sorted({function.region for function in told.ledger.functions})
    return {
        "prices": prices(),
        "unpriced": [region for region in regions if not price(region).known],
        "logs_known": bool(told.ledger.count("logs", told.chosen)),
    }
