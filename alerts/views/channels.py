"""Channels: whom they reach, what was delivered, and a button to try each out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alerts import administration
from alerts.channels import readable_config_of
from alerts.forms import ChannelForm, initial
from alerts.models import TESTS, Channel, Notification, Policy
from alerts.transport import Rotating, Transport
from alerts.transports import TRANSPORTS
from alerts.views.tabs import setup_page
from observability.tenants.access import MemberRequest, role_required
from observability.tenants.models import Role

LOG = 30


@require_GET
def channels(request: MemberRequest) -> HttpResponse:
    found = list(Channel.objects.filter(organization=request.organization).order_by("name"))
    latest = _latest(request, found)
    policies = Policy.objects.filter(organization=request.organization).prefetch_related("channels")
    unused = administration.unused(found, policies)
    rows = [
        {
            "channel": channel,
            "transport": administration.known(channel.kind),
            "where": administration.where(channel),
            "last": latest.get(channel.pk),
            "unused": channel.pk in unused,
        }
        for channel in found
    ]
    context = setup_page(request, "channels", "Channels") | {"rows": rows, "transports": TRANSPORTS}
    return render(request, "alerts/channels.html", context)


def _latest(request: MemberRequest, found: Sequence[Channel]) -> dict[int, Notification]:
    """The newest notification of each channel."""
    rows = Notification.objects.filter(organization=request.organization, channel__in=found)
    return {row.channel_id: row for row in rows.order_by("channel", "-created_at").distinct("channel")}


@require_http_methods(["GET", "HEAD", "POST"])
def channel_new(request: MemberRequest, kind: str) -> HttpResponseBase:
    """The form for everybody to see; only admins may send it."""
    transport = administration.known(kind)
    if transport is None:
        raise Http404
    if request.method == "POST":
        return _create(request, transport)
    return _new(request, transport, ChannelForm(organization=request.organization, transport=transport))


@role_required(Role.ADMIN)
def _create(request: MemberRequest, transport: Transport) -> HttpResponse:
    form = ChannelForm(request.POST, organization=request.organization, transport=transport)
    if not form.is_valid():
        return _new(request, transport, form, status=422)
    try:
        channel = administration.create_channel(
            organization=request.organization,
            kind=transport.kind,
            name=form.cleaned_data["name"],
            config=form.config,
            tell_everything=form.cleaned_data["tell_everything"],
            actor=request.user,
            now=timezone.now(),
        )
    except administration.NotNowError as error:
        form.add_error("name", str(error))
        return _new(request, transport, form, status=422)
    messages.success(request, f"{channel} is ready. Send a test to see that it works.")
    return redirect("alerts:channel", organization=request.organization.slug, channel_id=channel.pk)


def _new(request: MemberRequest, transport: Transport, form: ChannelForm, *, status: int = 200) -> HttpResponse:
    context = setup_page(request, "channels", f"New {transport.title} channel")
    return render(request, "alerts/channel_new.html", context | {"form": form, "transport": transport}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def channel(request: MemberRequest, channel_id: int) -> HttpResponseBase:
    """The channel's settings (admins) and its delivery log (everybody)."""
    found = _mine(request, channel_id)
    if request.method == "POST":
        return _change(request, found)
    return _page(request, found, _form(request, found))


@role_required(Role.ADMIN)
def _change(request: MemberRequest, found: Channel) -> HttpResponse:
    form = _form(request, found, request.POST)
    if form is None:
        raise Http404
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        administration.change_channel(
            channel=found, name=form.cleaned_data["name"], config=form.config, actor=request.user, now=timezone.now()
        )
    except administration.NotNowError as error:
        form.add_error("name", str(error))
        return _page(request, _mine(request, found.pk), form, status=422)
    messages.success(request, f"{found} is saved.")
    return redirect("alerts:channel", organization=request.organization.slug, channel_id=found.pk)


def _mine(request: MemberRequest, channel_id: int) -> Channel:
    rows = Channel.objects.select_related("organization")
    return get_object_or_404(rows, organization=request.organization, pk=channel_id)


def _form(request: MemberRequest, found: Channel, data: QueryDict | None = None) -> ChannelForm | None:
    """The form for whoever may change it; None as well when this version does not know the channel's kind."""
    transport = administration.known(found.kind)
    if transport is None or not request.membership.may(Role.ADMIN):
        return None
    config = readable_config_of(found) or {}
    return ChannelForm(
        data,
        initial=initial(transport, found.name, config),
        organization=request.organization,
        transport=transport,
        channel=found,
        config=config,
    )


def _page(
    request: MemberRequest,
    found: Channel,
    form: ChannelForm | None,
    *,
    secrets: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    log = found.notifications.select_related("transition__incident", "about").prefetch_related("attempts_log")
    tested = found.notifications.filter(TESTS).order_by("-created_at").first()
    wants_result = request.GET.get("tested") == str(tested.pk) if tested else False
    context: dict[str, Any] = setup_page(request, "channels", found.name) | {
        "channel": found,
        "transport": administration.known(found.kind),
        "where": administration.where(found),
        "sealed": readable_config_of(found) is None,
        "policies": found.policies.order_by("name"),
        "form": form,
        "has_secrets": any(field.kind == "secret" for field in administration.fields(found.kind)),
        "secrets": secrets,
        "rotates": isinstance(administration.known(found.kind), Rotating),
        "log": log.order_by("-created_at", "-transition")[:LOG],
        "test": tested if wants_result else None,
    }
    return render(request, "alerts/channel.html", context, status=status)


@require_POST
@role_required(Role.ADMIN)
def channel_test(request: MemberRequest, channel_id: int) -> HttpResponse:
    found = _mine(request, channel_id)
    url = reverse("alerts:channel", kwargs={"organization": request.organization.slug, "channel_id": found.pk})
    try:
        test = administration.try_out(channel=found, actor=request.user, now=timezone.now())
    except administration.NotNowError as error:
        messages.info(request, str(error))
        return redirect(url)
    return redirect(f"{url}?tested={test.pk}")


@require_GET
def test_result(request: MemberRequest, notification_id: UUID) -> HttpResponse:
    """A fragment that asks again until the test is over."""
    tests = Notification.objects.filter(TESTS, organization=request.organization)
    return render(request, "alerts/test_result.html", {"test": get_object_or_404(tests, pk=notification_id)})


@require_POST
@role_required(Role.ADMIN)
def channel_switch(request: MemberRequest, channel_id: int) -> HttpResponse:
    found = _mine(request, channel_id)
    on = request.POST.get("on") == "1"
    administration.switch_channel(channel=found, on=on, actor=request.user, now=timezone.now())
    messages.success(request, f"{found} is switched {'on' if on else 'off'}.")
    return redirect("alerts:channel", organization=request.organization.slug, channel_id=found.pk)


@require_POST
@role_required(Role.ADMIN)
def channel_delete(request: MemberRequest, channel_id: int) -> HttpResponse:
    found = _mine(request, channel_id)
    administration.delete_channel(channel=found, actor=request.user, now=timezone.now())
    messages.success(request, f"{found} is deleted.")
    return redirect("alerts:channels", organization=request.organization.slug)


@never_cache
@require_POST
@role_required(Role.ADMIN)
def channel_secrets(request: MemberRequest, channel_id: int) -> HttpResponse:
    """Answers with the page itself, so that no URL leads to the secrets."""
    found = _mine(request, channel_id)
    secrets = administration.secrets_of(channel=found, actor=request.user, now=timezone.now())
    return _page(request, found, _form(request, found), secrets=secrets)


@require_POST
@role_required(Role.ADMIN)
def channel_rotate(request: MemberRequest, channel_id: int) -> HttpResponse:
    found = _mine(request, channel_id)
    try:
        administration.rotate_secret(channel=found, actor=request.user, now=timezone.now())
    except administration.NotNowError as error:
        messages.warning(request, str(error))
    else:
        messages.success(
            request, "There is a new secret. For 24 hours the old one signs as well, so change it at leisure."
        )
    return redirect("alerts:channel", organization=request.organization.slug, channel_id=found.pk)


@require_POST
@role_required(Role.ADMIN)
def notification_retry(request: MemberRequest, notification_id: UUID) -> HttpResponse:
    found = get_object_or_404(
        Notification.objects.select_related("channel", "organization"),
        organization=request.organization,
        pk=notification_id,
    )
    again = administration.retry(notification=found, actor=request.user, now=timezone.now())
    if again:
        messages.success(request, "It is tried again now.")
    else:
        messages.info(request, "Nothing to try again: it was sent, or is being sent.")
    return redirect("alerts:channel", organization=request.organization.slug, channel_id=found.channel_id)
