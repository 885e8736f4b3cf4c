"""The second step: the ways to create the role, and every permission with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from observability.aws.models import AwsAccount, Tier
from observability.aws.needs import Need, needs
from observability.aws.policy import located
from observability.aws.problems import AwsError, sentence
from observability.aws.role import FILE, Role, of_connection, stack_set
from observability.aws.sessions import own_identity
from observability.aws.views.steps import cost_context, mine, wizard_page
from observability.tenants.access import MemberRequest
from observability.ui.tabs import Tab

WAYS = (
    ("click", "One click"),
    ("template", "Template"),
    ("cli", "Command"),
    ("terraform", "Terraform"),
    ("json", "JSON"),
    ("stacksets", "Many accounts"),
)


@dataclass(frozen=True, slots=True)
class Granted:
    """A tier as the table of permissions shows it."""

    label: str
    granted: bool
    needs: list[Need]


@require_GET
def role(request: MemberRequest, connection_id: int) -> HttpResponse:
    connection = mine(request, connection_id)
    principal, trouble = _principal()
    way = _way(request.GET.get("way", ""))
    context = wizard_page(request, "role", connection) | cost_context() | {
        "expired": connection.is_expired(timezone.now()),
        "own_trouble": trouble,
        "ways": [Tab(label, f"?way={key}", key == way) for key, label in WAYS if key != "click" or _one_click()],
        "way_template": f"aws/way_{way}.html",
        "tiers": list(_tiers(connection)),
        "actions": len(needs()),
    }  # fmt: skip
    if principal:
        context |= _role_context(request, of_connection(connection, principal=principal), principal, way)
    return render(request, "aws/role.html", context)


@require_GET
def template(request: MemberRequest, connection_id: int) -> HttpResponse:
    """The template as a file, its parameters filled in; 404 while our own account is not known."""
    connection = mine(request, connection_id)
    principal, trouble = _principal()
    if not principal:
        raise Http404(trouble)
    text = of_connection(connection, principal=principal).template()
    headers = {"Content-Disposition": f'attachment; filename="{FILE}"'}
    return HttpResponse(text, content_type="application/yaml", headers=headers)


def _role_context(request: MemberRequest, role: Role, principal: str, way: str) -> dict[str, Any]:
    context: dict[str, Any] = {"role": role}
    if way == "json":
        context["policies"] = [(f"{name}.json", text) for name, text in role.policies().items()]
    if way == "stacksets":
        waiting = request.organization.aws_accounts.filter(
            status=AwsAccount.Status.PENDING, partition=role.partition, expires_at__gt=timezone.now()
        )
        others = [of_connection(each, principal=principal) for each in waiting.order_by("created_at")]
        context["roles"] = [role, *(other for other in others if other != role)]
        context["stack_set"] = stack_set(context["roles"])
    return context


def _principal() -> tuple[str, str]:
    """The account that roles trust, or why it is not known."""
    if settings.AWS_PRINCIPAL:
        return settings.AWS_PRINCIPAL, ""
    try:
        return own_identity().account, ""
    except AwsError as error:
        return "", sentence(error.trouble)


def _way(wanted: str) -> str:
    known = [key for key, _ in WAYS if key != "click" or _one_click()]
    return wanted if wanted in known else known[0]


def _one_click() -> bool:
    return bool(settings.ROLE_TEMPLATE_URL)


def _tiers(connection: AwsAccount) -> Iterator[Granted]:
    where = {"partition": connection.partition, "account": connection.account_id}
    for tier in Tier:
        granted = tier == Tier.BASE or tier.value in connection.tiers
        rows = [replace(need, resource=located(need.resource, **where)) for need in needs() if need.tier == tier.value]
        yield Granted(str(tier.label), granted, rows)
