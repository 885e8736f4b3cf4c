"""Per request: whose session this is and when it was last seen; which organization the URL names."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone

from observability.tenants.models import Membership

LAST_USED = "organization"  # Session key: where the person was last.
SEEN_AT = "seen_at"  # Session key: when the list of sessions last heard of this one.
SEEN_EVERY = 60  # Seconds. allauth's own middleware writes on every request; a live tail asks each second.


class SessionActivityMiddleware:
    """Keeps a person's list of sessions up to date, at the cost of one write a minute."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and request.user.is_authenticated:
            now = int(timezone.now().timestamp())
            if not 0 <= now - request.session.get(SEEN_AT, -SEEN_EVERY) < SEEN_EVERY:
                UserSession.objects.create_from_request(request)
                request.session[SEEN_AT] = now
        return self.get_response(request)


class OrganizationMiddleware:
    """A view under ``/o/<slug:organization>/`` runs only for a member; to others the organization does not exist."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.method == "GET":
            # A log-in or a reload led to the address of a form, where browsers show a page of their own for no body.
            response.content = render_to_string("405.html", {}, request)
        return response

    def process_view(self, request: Any, view: Any, args: list[Any], kwargs: dict[str, Any]) -> HttpResponseBase | None:
        slug = kwargs.pop("organization", None)
        if slug is None:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        membership = (
            Membership.objects.select_related("organization", "user")
            .filter(organization__slug=slug, organization__archived_at=None, user=request.user)
            .first()
        )
        if membership is None:
            raise Http404
        request.membership = membership
        request.organization = membership.organization
        if request.session.get(LAST_USED) != slug:
            request.session[LAST_USED] = slug
        return None
