"""What every settings page shares: its tabs and what the reader may do."""

from observability.tenants.access import MemberRequest
from observability.tenants.models import Role
from observability.ui.tabs import sections

TABS = (
    ("general", "General", "tenants:settings"),
    ("members", "Members", "tenants:members"),
    ("keys", "Ingest keys", "tenants:keys"),
    ("telemetry", "Telemetry", "tenants:telemetry"),
    ("audit", "Audit log", "tenants:audit"),
)


def settings_page(request: MemberRequest, current: str, title: str) -> dict[str, object]:
    """The context of a settings page, to which it adds its own."""
    return {
        "title": title,
        "nav": "settings",
        "tabs": sections(TABS, current, organization=request.organization.slug),
        "is_owner": request.membership.may(Role.OWNER),
        "is_admin": request.membership.may(Role.ADMIN),
    }
