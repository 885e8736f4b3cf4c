"""Install the extension: what to copy where, a fresh key, and whether it works."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from observability.aws.regions import regions
from observability.extension import layers, snippets
from observability.extension.choice import Choice, choose, functions
from observability.extension.reach import doubt
from observability.inventory.models import Resource
from observability.tenants import keys
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role

LATELY = timedelta(minutes=15)
"""A function that sent something in this time has a working extension."""
EAGER = timedelta(minutes=10)
SHOWN = 5


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def install(request: MemberRequest) -> HttpResponseBase:
    """The page for everybody to see; admins may have a key made for it."""
    choice = _choice(request)
    if request.method == "POST":
        return _with_key(request, choice)
    return _page(request, choice)


@role_required(Role.ADMIN)
def _with_key(request: MemberRequest, choice: Choice) -> HttpResponse:
    """Answers with the page itself, not a redirect: the token is never stored, so this is where it can be read."""
    name = f"Extension of {choice.function.name}"[:80] if choice.function else "Extension"
    _, token = keys.issue(organization=request.organization, name=name, created_by=request.user, now=timezone.now())
    return _page(request, choice, token=token, status=201)


@require_GET
def working(request: MemberRequest) -> HttpResponse:
    """A fragment that asks again until the extension has sent something."""
    return render(request, "extension/working.html", _heard(request, _choice(request), timezone.now()))


@require_GET
def layer(request: MemberRequest, architecture: str) -> HttpResponse:
    """The layer as a file, for those who publish it themselves; nothing when it was not built here."""
    file = layers.archive(architecture)
    if architecture not in layers.ARCHITECTURES or not file.exists():
        return HttpResponse(status=204)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return HttpResponse(file.read_bytes(), content_type="application/zip", headers=headers)


def _choice(request: MemberRequest) -> Choice:
    return choose(request.organization, request.GET.dict(), home_region=settings.AWS_HOME_REGION)


def _page(request: MemberRequest, choice: Choice, *, token: str = "", status: int = 200) -> HttpResponse:
    filling = choice.filling(endpoint=settings.PUBLIC_URL, key=token)
    wanted, usual = request.GET.get("way", ""), "image" if choice.is_image else "cli"
    opened = wanted if wanted in {way.key for way in snippets.WAYS} else usual
    context: dict[str, Any] = {
        "title": "Install the extension",
        "nav": "functions",
        "choice": choice,
        "functions": functions(request.organization),
        "regions": regions(),
        "architectures": layers.ARCHITECTURES,
        "filling": filling,
        "ways": [(way, way.texts(filling), way.key == opened) for way in snippets.WAYS],
        "secret": snippets.secret(filling),
        "publishing": snippets.publishing(filling),
        "built": layers.archive(choice.architecture).exists(),
        "doubt": doubt(settings.PUBLIC_URL),
        "token": token,
        "is_admin": request.membership.may(Role.ADMIN),
    }
    return render(request, "extension/install.html", context | _heard(request, choice, timezone.now()), status=status)


def _heard(request: MemberRequest, choice: Choice, now: datetime) -> dict[str, Any]:
    """Who has sent something: the chosen function lately, or whichever since the page was opened."""
    since = min(_moment(request.GET.get("since", "")) or now, now)
    heard: list[Resource] = []
    if choice.function is None:
        mine = request.organization.resources.filter(pushed_at__gte=since)
        heard = list(mine.order_by("-pushed_at")[:SHOWN])
    elif choice.function.pushed_at and choice.function.pushed_at > now - LATELY:
        heard = [choice.function]
    return {
        "choice": choice,
        "since": since,
        "heard": heard,
        "every": "2s" if now - since < EAGER else "15s",
    }


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None
