"""What every page about one account shares: its name, how it is doing, and its tabs."""

from datetime import datetime, timedelta

from django.urls import reverse

from observability.aws.models import AwsAccount
from observability.aws.standing import denied, standing
from observability.tenants.access import MemberRequest
from observability.tenants.models import Role
from observability.ui.tabs import Tab

TABS = (
    ("health", "Health", "aws:account"),
    ("collection", "Collection", "collection:account"),
    ("permissions", "Permissions", "aws:permissions"),
    ("settings", "Settings", "aws:settings"),
)
READ = (AwsAccount.Status.CONNECTED, AwsAccount.Status.NEEDS_ATTENTION)
FRESH = timedelta(hours=1)
"""So long after it was connected, an account's first data is of interest."""


def account_page(request: MemberRequest, account: AwsAccount, current: str, now: datetime) -> dict[str, object]:
    """Context of ``aws/account_base.html``."""
    arguments = {"organization": request.organization.slug, "connection_id": account.pk}
    return {
        "title": account.name,
        "nav": "aws",
        "account": account,
        "standing": standing(account, now),
        "tabs": [Tab(label, reverse(view, kwargs=arguments), key == current) for key, label, view in TABS],
        "fresh": account.connected_at is not None and now - account.connected_at < FRESH,
        "over": account.disconnected_at is not None,
        "denied": denied(account) if account.status in READ else (),
        "is_admin": request.membership.may(Role.ADMIN),
    }
