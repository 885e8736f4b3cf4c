"""Honest freshness: every page of an organization says up to when its facts are stored."""

from datetime import datetime

from django.http import HttpRequest

from observability.telemetry.store import get_store


def freshness(request: HttpRequest) -> dict[str, datetime | None]:
    """``freshness``: when the newest stored event of the organization happened; absent before its first event."""
    organization = getattr(request, "organization", None)
    if organization is None or request.headers.get("HX-Request") == "true":
        return {}
    watermark = get_store().watermark(organization.pk)
    return {"freshness": watermark.latest_event_at if watermark else None}
