"""Packages: how full every function's is, the layers that they share, and the storage that all of them fill."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.aws.archives import sentence
from observability.aws.models import AwsAccount, Tier
from observability.dashboards import code_storage, layers, package_rows
from observability.dashboards.functions import named
from observability.dashboards.package_rows import SORTS, SOURCES, ZIPPED, Row
from observability.inventory.models import Layer, Resource
from observability.tenants.access import MemberRequest
from observability.tenants.models import Organization
from observability.ui.tabs import Tab

PER_PAGE = 50
VIEWS = {"functions": "Functions", "layers": "Layers", "storage": "Code storage"}
ASKED = ("q", "region", "source", "layer", "sort")
NARROWING = ("q", "region", "source", "layer")
NEARLY = 0.8
"""From this share on a package is worth a look; incidents begin there, too, unless somebody tuned them."""

SOON = 10
"""As many deployments ahead one looks."""

COLUMNS = (
    ("full", "Full", ""),
    ("size", "Unzipped", "num max-sm:hidden"),
    ("zipped", "Zipped", "num max-md:hidden"),
    ("", "Layers", "num max-lg:hidden"),
    ("growth", "Growth", "max-lg:hidden"),
    ("soonest", "Limit reached", "max-sm:hidden"),
    ("", "Known from", "max-xl:hidden"),
)
"""The sort that a heading offers, the heading, and where it is hidden for want of room."""


@require_GET
def packages(request: MemberRequest) -> HttpResponse:
    view = request.GET.get("view", "functions")
    view = view if view in VIEWS else "functions"
    content = {"functions": listing, "layers": layer_list, "storage": storage}[view](request)
    tabs = [Tab(label, f"{url(request)}?view={key}", key == view) for key, label in VIEWS.items()]
    context = {"title": "Packages", "nav": "packages", "tabs": tabs, "view": view}
    return render(request, f"dashboards/packages_{view}.html", context | content)


def url(request: MemberRequest) -> str:
    return reverse("dashboards:packages", kwargs={"organization": request.organization.slug})


def listing(request: MemberRequest) -> dict[str, Any]:
    """Functions by how full they are, narrowed by name, region, where the figure comes from, and layer."""
    organization = request.organization
    asked = {key: request.GET.get(key, "") for key in ASKED}
    found = package_rows.functions(named(organization.resources.all(), asked["q"]))
    table = package_rows.rows(found, package_rows.histories(organization.pk))
    facets = {
        "region": Counter(row.region for row in table).most_common(),
        "source": [(key, SOURCES[key], number) for key, number in Counter(row.source for row in table).most_common()],
    }
    shown = [row for row in table if _fits(row, asked)]
    sort = asked["sort"] or "full"
    page = Paginator(package_rows.ordered(shown, sort), PER_PAGE).get_page(request.GET.get("page"))
    return {
        "rows": list(page.object_list),
        "page": page,
        "facets": facets,
        "asked": asked,
        "sort": sort,
        "sorts": SORTS,
        "columns": COLUMNS,
        "narrowed": any(asked[key] for key in NARROWING),
        "kept": urlencode({key: asked[key] for key in NARROWING if asked[key]}),
        "figures": figures(table),
        "tells": tells(organization, table),
    }


def _fits(row: Row, asked: dict[str, str]) -> bool:
    return (
        asked["region"] in ("", row.region)
        and asked["source"] in ("", row.source)
        and (not asked["layer"] or asked["layer"] in row.layers)
    )


def figures(table: Sequence[Row]) -> dict[str, Any]:
    """What one wants to know first, over all that were found."""
    known = [row for row in table if row.gauge]
    return {
        "fullest": max(known, key=lambda row: row.share or 0, default=None),
        "nearly": sum((row.share or 0) >= NEARLY for row in known),
        "soon": sum(row.left is not None and row.left <= SOON for row in known),
        "known": len(known),
        "all": len(table),
    }


def tells(organization: Organization, table: Iterable[Row]) -> dict[str, Any]:
    """What would tell more where only the size of the zip is known."""
    blind = [row for row in table if row.source == ZIPPED]
    problems = Counter(sentence(row.problem) for row in blind if row.problem)
    return {
        "blind": len(blind),
        "images": sum(row.image for row in blind),
        "problems": problems.most_common(3),
    } | (granted(connected(organization)) if blind else {})


def tells_of(resource: Resource) -> dict[str, Any]:
    """The same for one function, by the connection of its own account."""
    accounts = AwsAccount.objects.filter(organization=resource.organization_id, account_id=resource.account)
    return {"blind": 1} | granted(accounts.filter(disconnected_at=None, connected_at__isnull=False))


def connected(organization: Organization) -> QuerySet[AwsAccount]:
    return organization.aws_accounts.filter(disconnected_at=None, connected_at__isnull=False)


def granted(accounts: QuerySet[AwsAccount]) -> dict[str, bool]:
    """Whether there is a connection, and one that may look into packages. One query."""
    tiers = list(accounts.values_list("tiers", flat=True))
    return {"connected": bool(tiers), "granted": any(Tier.SIZES in each for each in tiers)}


def layer_list(request: MemberRequest) -> dict[str, Any]:
    """Every version of a layer that a function carries."""
    organization = request.organization
    found = package_rows.functions(organization.resources.all())
    known = Layer.objects.filter(organization=organization).defer("folders")
    accounts = organization.resources.values_list("account", flat=True).distinct()
    uses = layers.uses(found, known, accounts)
    page = Paginator(uses, PER_PAGE).get_page(request.GET.get("page"))
    return {"uses": list(page.object_list), "page": page, "functions": len(found), "packages_url": url(request)}


def storage(request: MemberRequest) -> dict[str, Any]:
    """What every region stores of code."""
    return {"stores": code_storage.stores(request.organization, now=timezone.now())}
