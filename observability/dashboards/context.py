"""Honest freshness: every page of an organization says up to when its facts are stored."""

from collections.abc import Callable
from datetime import datetime
from functools import cache

from django.http import HttpRequest

from observability.telemetry.store import get_store


def freshness(request: HttpRequest) -> dict[str, Callable[[], datetime | None]]:
    """``freshness``: when the newest stored event of the organization happened; None before its first event.

    It is asked for only by pages that show it: fragments never do.
    """
    organization = getattr(request, "organization", None)
    if organization is None:
        return {}

    @cache
    def newest() -> datetime | None:
        watermark = get_store().watermark(organization.pk)
        return watermark.latest_event_at if watermark else None

    return {"freshness": newest}
