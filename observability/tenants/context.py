"""What the page frame needs to know about the person: which organizations they can switch between."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from observability.tenants.organizations import active_of


@dataclass(frozen=True, slots=True)
class Choice:
    """An organization that the reader may switch to."""

    name: str
    slug: str
    role: str
    url: str


def organizations(request: HttpRequest) -> dict[str, Any]:
    """``my_organizations``: what the person belongs to, by name; read only if the page draws the switcher."""

    def choices() -> list[Choice]:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return []
        return [
            Choice(
                name=membership.organization.name,
                slug=membership.organization.slug,
                role=membership.get_role_display(),
                url=reverse("dashboards:overview", kwargs={"organization": membership.organization.slug}),
            )
            for membership in active_of(user)
        ]

    return {"my_organizations": SimpleLazyObject(choices)}
