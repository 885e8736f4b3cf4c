"""Acme Retail, the organization that the demo belongs to. ``manage.py demo_setup`` creates it."""

from datetime import datetime

from observability.tenants import keys
from observability.tenants.models import Organization

NAME, SLUG = "Acme Retail", "acme-retail"


def issue_key(now: datetime) -> str:
    """A new ingest key of the demo's organization."""
    organization = Organization.objects.get(slug=SLUG)
    _, token = keys.issue(organization=organization, name="Demo traffic", created_by=None, now=now)
    return token
