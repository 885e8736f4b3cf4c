"""The tabs above the pages of alerts."""

from dataclasses import dataclass

from django.urls import reverse

from observability.tenants.access import MemberRequest
from observability.tenants.models import Role

SECTIONS = (("channels", "Channels", "alerts:channels"), ("policies", "Policies", "alerts:policies"))


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab, as ``ui/tabs.html`` shows it."""

    label: str
    url: str
    current: bool
    count: int = 0


def setup_page(request: MemberRequest, current: str, title: str) -> dict[str, object]:
    """The context that the pages of channels and policies share."""
    slug = request.organization.slug
    return {
        "title": title,
        "nav": "channels",
        "tabs": [
            Tab(label, reverse(view, kwargs={"organization": slug}), key == current) for key, label, view in SECTIONS
        ],
        "is_admin": request.membership.may(Role.ADMIN),
    }
