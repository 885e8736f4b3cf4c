"""What every settings page shares: its tabs and what the reader may do."""

from dataclasses import dataclass

from django.urls import reverse

from observability.tenants.access import MemberRequest
from observability.tenants.models import Role

TABS = (
    ("general", "General", "tenants:settings"),
    ("members", "Members", "tenants:members"),
    ("keys", "Ingest keys", "tenants:keys"),
    ("audit", "Audit log", "tenants:audit"),
)


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool


def settings_page(request: MemberRequest, current: str, title: str) -> dict[str, object]:
    """The context of a settings page, to which it adds its own."""
    slug = request.organization.slug
    return {
        "title": title,
        "nav": "settings",
        "tabs": [Tab(label, reverse(view, kwargs={"organization": slug}), key == current) for key, label, view in TABS],
        "is_owner": request.membership.may(Role.OWNER),
        "is_admin": request.membership.may(Role.ADMIN),
    }
