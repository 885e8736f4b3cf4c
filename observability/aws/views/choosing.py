"""The first step: which account, which regions, how much; and the end of a connection."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from observability.aws import connecting
from observability.aws.forms import ConnectForm
from observability.aws.views.steps import cost_context, mine, wizard_page
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: MemberRequest) -> HttpResponseBase:
    """The form for everybody to see; only admins may send it."""
    return _start(request) if request.method == "POST" else _page(request, ConnectForm())


@role_required(Role.ADMIN)
def _start(request: MemberRequest) -> HttpResponse:
    form = ConnectForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        connection = connecting.start(
            organization=request.organization,
            name=form.cleaned_data["name"],
            account_id=form.cleaned_data["account_id"],
            regions=form.cleaned_data["regions"],
            tiers=form.tiers_chosen(),
            selection=form.selection(),
            actor=request.user,
            now=timezone.now(),
        )
    except connecting.RefusedError as refusal:
        form.add_error("account_id", str(refusal))
        return _page(request, form, status=422)
    return redirect("aws:role", organization=request.organization.slug, connection_id=connection.pk)


def _page(request: MemberRequest, form: ConnectForm, *, status: int = 200) -> HttpResponse:
    context = wizard_page(request, "connect") | cost_context() | {"form": form}
    return render(request, "aws/connect.html", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def again(request: MemberRequest, connection_id: int) -> HttpResponse:
    """A new link with the old one's choices, and an external id of its own."""
    old, now = mine(request, connection_id), timezone.now()
    try:
        connection = connecting.restart(account=old, actor=request.user, now=now)
    except connecting.RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("aws:verify", organization=request.organization.slug, connection_id=old.pk)
    return redirect("aws:role", organization=request.organization.slug, connection_id=connection.pk)


@require_POST
@role_required(Role.ADMIN)
def disconnect(request: MemberRequest, connection_id: int) -> HttpResponse:
    connection = mine(request, connection_id)
    connecting.disconnect(account=connection, actor=request.user, now=timezone.now())
    messages.success(request, f"{connection.name} is disconnected. You can delete the role in AWS now.")
    return redirect("aws:accounts", organization=request.organization.slug)
