"""The tabs above the pages of alerts."""

from observability.tenants.access import MemberRequest
from observability.tenants.models import Role
from observability.ui.tabs import sections

SECTIONS = (
    ("channels", "Channels", "alerts:channels"),
    ("policies", "Policies", "alerts:policies"),
    ("detectors", "Detectors", "alerts:detectors"),
)


def setup_page(request: MemberRequest, current: str, title: str) -> dict[str, object]:
    """The context that the pages of channels, policies and detectors share."""
    return {
        "title": title,
        "nav": "channels",
        "tabs": sections(SECTIONS, current, organization=request.organization.slug),
        "is_admin": request.membership.may(Role.ADMIN),
    }
