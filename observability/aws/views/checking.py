"""The other steps: the live check that notices the role by itself, the first data, the alerts."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from observability.aws import checklist, connecting, permissions
from observability.aws.forms import RoleArnForm
from observability.aws.models import AwsAccount
from observability.aws.views.steps import mine, wizard_page
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role

ENDED = (AwsAccount.Status.CONNECTED, AwsAccount.Status.DISCONNECTED)


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: MemberRequest, connection_id: int) -> HttpResponseBase:
    """The check for everybody to see; admins may say which role it is."""
    connection = mine(request, connection_id)
    if request.method == "POST":
        return _use_role(request, connection)
    return _page(request, connection, RoleArnForm())


@role_required(Role.ADMIN)
def _use_role(request: MemberRequest, connection: AwsAccount) -> HttpResponse:
    form = RoleArnForm(request.POST)
    if not form.is_valid():
        return _page(request, connection, form, status=422)
    try:
        connecting.use_role(
            account=connection, role_arn=form.cleaned_data["role_arn"].strip(), actor=request.user, now=timezone.now()
        )
    except connecting.RefusedError as refusal:
        form.add_error("role_arn", str(refusal))
        return _page(request, connection, form, status=422)
    messages.success(request, "Nightjar looks for that role now.")
    return redirect("aws:verify", organization=request.organization.slug, connection_id=connection.pk)


def _page(request: MemberRequest, connection: AwsAccount, form: RoleArnForm, *, status: int = 200) -> HttpResponse:
    context = wizard_page(request, "verify", connection) | _checks(connection)
    may_paste = context["is_admin"] and not context["expired"] and connection.status not in ENDED
    context["role_arn_form"] = form if may_paste else None
    return render(request, "aws/verify.html", context, status=status)


@require_GET
def checks(request: MemberRequest, connection_id: int) -> HttpResponse:
    """A fragment that asks again until everything is proven."""
    connection = mine(request, connection_id)
    context = wizard_page(request, "verify", connection) | _checks(connection)
    return render(request, "aws/checklist.html", context)


def _checks(connection: AwsAccount) -> dict[str, Any]:
    now = timezone.now()
    expired, found = connection.is_expired(now), checklist.permissions(connection)
    tried = found is not None and not permissions.may_settle(account=connection, now=now)
    done = checklist.checks(connection)
    over = connection.status in ENDED and (connection.disconnected_at is not None or tried)
    return {
        "checks": done,
        "failed": any(check.state == checklist.State.FAILED for check in done),
        "permissions": found,
        "expired": expired,
        "polls": not expired and not over,
    }


@require_GET
def first_data(request: MemberRequest, connection_id: int) -> HttpResponse:
    return render(request, "aws/first_data.html", wizard_page(request, "first_data", mine(request, connection_id)))


@require_GET
def alerts(request: MemberRequest, connection_id: int) -> HttpResponse:
    return render(request, "aws/alerts.html", wizard_page(request, "alerts", mine(request, connection_id)))
