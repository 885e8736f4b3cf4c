"""The inventory: everything that was found in the AWS accounts, and what is no longer there."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from observability.dashboards.facts import facts
from observability.dashboards.functions import named
from observability.dashboards.kinds import HIDDEN, HIGHLIGHTS, Kind, kind
from observability.inventory.models import Resource
from observability.tenants.access import MemberRequest
from observability.tenants.models import Organization
from observability.ui.tabs import Tab

PER_PAGE = 50
NARROWING = ("type", "region", "account")


class Group(NamedTuple):
    """How many resources are alike in all that the list can be narrowed by."""

    type: str
    region: str
    account: str
    there: bool
    number: int

    def fits(self, asked: Mapping[str, str]) -> bool:
        return all(asked[key] in ("", getattr(self, key)) for key in NARROWING)


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource in the list."""

    resource: Resource
    kind: Kind
    summary: str

    @property
    def seen_at(self) -> datetime:
        """When anybody last told of it: AWS's listing, or its own telemetry."""
        resource = self.resource
        return max(resource.last_seen_at, resource.listed_at or resource.last_seen_at)


@require_GET
def resources(request: MemberRequest) -> HttpResponse:
    asked = {key: request.GET.get(key, "") for key in ("q", "state", *NARROWING)}
    gone = asked["state"] == "deleted"
    found = named(shown(request.organization), asked["q"])
    groups = grouped(found)
    here = [group for group in groups if group.there is not gone]
    narrow = {key: asked[key] for key in NARROWING if asked[key]}
    listed = found.filter(gone_at__isnull=not gone, **narrow).order_by("-gone_at" if gone else "name", "name", "pk")
    paginator = Paginator(listed, PER_PAGE)
    paginator.count = sum(group.number for group in here if group.fits(asked))  # One query less.
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "title": "Resources",
        "nav": "resources",
        "entries": [Entry(resource, kind(resource.type), summary(resource)) for resource in page.object_list],
        "page": page,
        "asked": asked,
        "gone": gone,
        "tabs": tabs(request, asked, groups, gone=gone),
        "facets": facets(here),
        "narrowed": bool(asked["q"] or narrow),
        "kept": urlencode({key: value for key, value in asked.items() if value}),
    }
    return render(request, "dashboards/resources.html", context)


def shown(organization: Organization) -> QuerySet[Resource]:
    """Those that belong in the inventory."""
    return organization.resources.exclude(type__in=HIDDEN)


def grouped(found: QuerySet[Resource]) -> list[Group]:
    there = ExpressionWrapper(Q(gone_at=None), output_field=BooleanField())
    counted = found.annotate(there=there).values_list(*NARROWING, "there").annotate(number=Count("pk")).order_by()
    return [Group(*row) for row in counted]


def facets(groups: Iterable[Group]) -> dict[str, list[tuple[str, str, int]]]:
    """The choices of each select: value, what it is called, and how many have it."""
    totals: dict[str, Counter[str]] = {key: Counter() for key in NARROWING}
    for group in groups:
        for key in NARROWING:
            totals[key][getattr(group, key)] += group.number
    return {
        key: [(value, kind(value).many if key == "type" else value, number) for value, number in counter.most_common()]
        for key, counter in totals.items()
    }


def tabs(request: MemberRequest, asked: Mapping[str, str], groups: Sequence[Group], *, gone: bool) -> list[Tab]:
    """What is there, and what was deleted."""
    url = reverse("dashboards:resources", kwargs={"organization": request.organization.slug})
    kept = {key: value for key, value in asked.items() if value and key != "state"}
    counts: Counter[bool] = Counter()
    for group in groups:
        counts[group.there] += group.number if group.fits(asked) else 0
    return [
        Tab("Existing", f"{url}?{urlencode(kept)}" if kept else url, not gone, counts[True]),
        Tab("Deleted", f"{url}?{urlencode(kept | {'state': 'deleted'})}", gone, counts[False]),
    ]


def summary(resource: Resource) -> str:
    """A few of its facts in one line."""
    first = HIGHLIGHTS.get(resource.type, ())
    told = facts({key: resource.config[key] for key in first if key in resource.config})
    return ", ".join(f"{fact.label} {fact.values[0]}" for fact in told)
