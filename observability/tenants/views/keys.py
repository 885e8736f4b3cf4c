"""Ingest keys: made, shown once, watched, revoked."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from observability.tenants import keys
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.forms import NameForm
from observability.tenants.models import IngestKey, Role
from observability.tenants.views.tabs import settings_page


@require_GET
def show(request: MemberRequest) -> HttpResponse:
    return _page(request, NameForm())


@never_cache
@require_POST
@role_required(Role.ADMIN)
def create(request: MemberRequest) -> HttpResponse:
    """Answers with the page itself, not a redirect: the token is never stored, so this is where it can be read."""
    form = NameForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    key, token = keys.issue(
        organization=request.organization,
        name=form.cleaned_data["name"],
        created_by=request.user,
        now=timezone.now(),
    )
    return _page(request, NameForm(), issued=key, token=token, status=201)


@require_POST
@role_required(Role.ADMIN)
def revoke(request: MemberRequest, key_id: int) -> HttpResponse:
    key = get_object_or_404(
        IngestKey.objects.select_related("organization"), organization=request.organization, pk=key_id
    )
    if keys.revoke(key=key, actor=request.user, now=timezone.now()):
        messages.success(request, f"{key.name} is revoked. It stops working everywhere within five seconds.")
    else:
        messages.info(request, f"{key.name} was revoked before.")
    return redirect("tenants:keys", organization=request.organization.slug)


def _page(
    request: MemberRequest, form: NameForm, *, issued: IngestKey | None = None, token: str = "", status: int = 200
) -> HttpResponse:
    mine = IngestKey.objects.filter(organization=request.organization).select_related("created_by")
    context = settings_page(request, "keys", "Ingest keys") | {
        "working": mine.filter(revoked_at=None).order_by("-created_at"),
        "revoked": mine.exclude(revoked_at=None).order_by("-revoked_at")[:20],
        "form": form,
        "issued": issued,
        "token": token,
        "endpoint": settings.PUBLIC_URL + reverse("ingest:telemetry"),
    }
    return render(request, "tenants/keys.html", context, status=status)
