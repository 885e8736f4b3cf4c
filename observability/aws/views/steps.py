"""What the five steps of connecting an account have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse

from observability.aws import costs
from observability.aws.models import AwsAccount
from observability.tenants.access import MemberRequest
from observability.tenants.models import Role

STEPS = (
    ("connect", "Choose what to watch"),
    ("role", "Create the role"),
    ("verify", "Check"),
    ("first_data", "First data"),
    ("alerts", "Alerts"),
)
LEADS = {
    "connect": "One role that only reads, and nothing installed in your account.",
    "role": "This role is all that Nightjar gets. You can read every permission below, and why it is there.",
    "verify": "Nightjar looks for the role every two seconds, and proves that nobody else could use it.",
    "first_data": "What Nightjar has found and stored so far.",
    "alerts": "What happens from now on.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step; without ``url`` it cannot be opened yet."""

    number: int
    label: str
    url: str
    current: bool
    done: bool


def mine(request: MemberRequest, connection_id: int) -> AwsAccount:
    """The organization's own connection, or 404."""
    rows = AwsAccount.objects.select_related("organization")
    return get_object_or_404(rows, organization=request.organization, pk=connection_id)


def wizard_page(request: MemberRequest, current: str, connection: AwsAccount | None = None) -> dict[str, Any]:
    """Context of ``aws/wizard.html``."""
    title = dict(STEPS)[current] if current != "connect" else "Connect an AWS account"
    return {
        "title": title,
        "nav": "aws",
        "heading": f"Connect {connection.name}" if connection else "Connect an AWS account",
        "lead": LEADS[current],
        "connection": connection,
        "steps": list(_steps(request, current, connection)),
        "is_admin": request.membership.may(Role.ADMIN),
    }


def cost_context() -> dict[str, Any]:
    """Context of ``aws/costs.html``."""
    return {
        "estimates": costs.estimates(),
        "metrics_an_hour": costs.metrics_an_hour(),
        "others_an_hour": costs.others_an_hour(),
    }


def _steps(request: MemberRequest, current: str, connection: AwsAccount | None) -> Iterator[Step]:
    connected = connection is not None and connection.connected_at is not None
    done = {"connect"} if connection else set()
    done |= {"role", "verify"} if connected else set()
    done |= {"first_data"} if current == "alerts" else set()
    open_ = {"role", "verify"} if connection else set()
    open_ |= {"first_data", "alerts"} if connected else set()
    for number, (key, label) in enumerate(STEPS, start=1):
        arguments = {"organization": request.organization.slug}
        if connection and key != "connect":
            arguments["connection_id"] = str(connection.pk)
        url = reverse(f"aws:{key}", kwargs=arguments) if key in open_ else ""
        yield Step(number, label, url, current=key == current, done=key in done and key != current)
