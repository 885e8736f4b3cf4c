"""What every page's shell shows: theme, navigation, and the reader's organizations."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the main navigation. ``key`` is a page's ``nav``; ``shortcut`` is the second key of ``g …``."""

    key: str
    label: str
    icon: str
    view: str
    shortcut: str = ""
    count_view: str = ""


MAIN = (
    Place("overview", "Overview", "layout-dashboard", "dashboards:overview", "o"),
    Place("incidents", "Incidents", "siren", "alerts:incidents", "i", "alerts:incident_count"),
    Place("insights", "Insights", "lightbulb", "alerts:insights", "n", "alerts:insight_count"),
    Place("functions", "Functions", "square-function", "dashboards:functions", "f"),
    Place("resources", "Resources", "boxes", "dashboards:resources", "r"),
    Place("packages", "Packages", "package", "dashboards:packages", "p"),
    Place("cost", "Cost", "circle-dollar-sign", "dashboards:cost", "c"),
    Place("logs", "Logs", "text-search", "dashboards:logs", "l"),
)
SET_UP = (
    Place("channels", "Alerts", "bell", "alerts:channels"),
    Place("aws", "AWS accounts", "cloud", "aws:accounts", "a"),
    Place("settings", "Settings", "settings", "tenants:settings", "s"),
)
SEARCH = (Place("search", "Search", "search", "dashboards:search"),)


KEYBOARD_MAP = (
    (("/",), "Search everything (also Ctrl K)"),
    (("g", "o"), "Go to the overview"),
    (("g", "i"), "Go to incidents"),
    (("g", "n"), "Go to insights"),
    (("g", "f"), "Go to functions"),
    (("g", "r"), "Go to resources"),
    (("g", "p"), "Go to packages"),
    (("g", "c"), "Go to cost"),
    (("g", "l"), "Go to logs"),
    (("g", "a"), "Go to AWS accounts"),
    (("g", "s"), "Go to settings"),
    (("j", "k"), "Next, previous row"),
    (("Enter",), "Open the row"),
    (("a",), "Acknowledge the incident"),
    (("e",), "Resolve the incident"),
    (("m",), "Mute the incident"),
    (("n", "p"), "Newer, older event"),
    (("t",), "Choose the time range"),
    (("1", "6"), "First to last preset range"),
    (("?",), "This help"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A place inside one organization. ``count_url`` answers with a small fragment: how many wait there."""

    place: Place
    url: str
    count_url: str = ""


def shell(request: HttpRequest) -> dict[str, object]:
    """Context of ``ui/base.html``. Anonymous readers and people of no organization get an empty navigation."""
    theme = request.COOKIES.get("theme", "")
    organization = getattr(request, "organization", None)
    user = getattr(request, "user", None)
    context: dict[str, object] = {
        "theme": theme if theme in THEMES else "",
        "organization": organization,
        "membership": getattr(request, "membership", None),
        "nav_main": _links(MAIN, organization),
        "nav_set_up": _links(SET_UP, organization),
        "search": _links(SEARCH, organization),
        "keyboard_map": KEYBOARD_MAP,
    }
    if user is not None and user.is_authenticated:
        # Lazy, so that a page which never draws the switcher never asks for it.
        context["my_organizations"] = SimpleLazyObject(lambda: _mine(user.organizations.order_by("name")))
    return context


@dataclass(frozen=True, slots=True)
class Choice:
    """An organization that the reader may switch to."""

    name: str
    slug: str
    url: str


def _mine(organizations: Iterable[Any]) -> list[Choice]:
    return [Choice(each.name, each.slug, _url("dashboards:overview", each.slug)) for each in organizations]


def _links(places: Iterable[Place], organization: object) -> list[Link]:
    slug = getattr(organization, "slug", "")
    return [Link(place, _url(place.view, slug), _url(place.count_view, slug)) for place in places] if slug else []


def _url(view: str, slug: str) -> str:
    return reverse(view, kwargs={"organization": slug}) if view else ""
