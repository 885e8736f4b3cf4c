"""Settings of the organization itself: its name, and its end."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from observability.tenants import organizations
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.forms import DeleteForm, NameForm
from observability.tenants.models import Role
from observability.tenants.views.tabs import settings_page


@require_GET
def show(request: MemberRequest) -> HttpResponse:
    return _page(request, NameForm(initial={"name": request.organization.name}), _delete_form(request))


@require_POST
@role_required(Role.OWNER)
def rename(request: MemberRequest) -> HttpResponse:
    form = NameForm(request.POST)
    if not form.is_valid():
        return _page(request, form, _delete_form(request), status=422)
    organizations.rename(
        organization=request.organization, name=form.cleaned_data["name"], actor=request.user, now=timezone.now()
    )
    messages.success(request, "The organization is renamed. Its address stays the same.")
    return redirect("tenants:settings", organization=request.organization.slug)


@require_POST
@role_required(Role.OWNER)
def delete(request: MemberRequest) -> HttpResponse:
    form = DeleteForm(request.POST, expected=request.organization.name)
    if not form.is_valid():
        return _page(request, NameForm(initial={"name": request.organization.name}), form, status=422)
    organizations.archive(organization=request.organization, actor=request.user, now=timezone.now())
    messages.success(request, f"{request.organization.name} is deleted.")
    return redirect("tenants:home")


def _delete_form(request: MemberRequest) -> DeleteForm:
    return DeleteForm(expected=request.organization.name)


def _page(request: MemberRequest, name_form: NameForm, delete_form: DeleteForm, status: int = 200) -> HttpResponse:
    context = settings_page(request, "general", "Settings") | {"form": name_form, "delete_form": delete_form}
    return render(request, "tenants/general.html", context, status=status)
