"""The demo's inbox: every message that its receivers took, as its reader would see it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET


@require_GET
@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@require_GET
@login_required
def messages(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@require_GET
@login_required
def mail(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse()
