"""Turns the ``organization`` slug of a URL into ``request.organization``, or into a 404."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from observability.tenants.models import Membership

LAST_USED = "organization"  # Session key: where the person was last.


class OrganizationMiddleware:
    """A view under ``/o/<slug:organization>/`` runs only for a member; to others the organization does not exist."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

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
