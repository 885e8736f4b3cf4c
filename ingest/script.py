"""``/ci/nightjar_fit.py``: the script with which CI asks whether a package would fit."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

SCRIPT = Path(settings.BASE_DIR) / "ci" / "nightjar_fit.py"


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """For everybody: it holds no secret, and CI downloads it before it has one."""
    return HttpResponse(_source(), content_type="text/x-python; charset=utf-8")


@cache
def _source() -> bytes:
    return SCRIPT.read_bytes()


urlpatterns = [path("nightjar_fit.py", script, name="ci_script")]
