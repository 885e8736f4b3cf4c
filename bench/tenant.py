"""An organization with an owner and an ingest key, made through the product's own functions."""

from datetime import datetime

from observability.tenants import keys
from observability.tenants.models import Membership, Organization, Role, User


def tenant(slug: str, now: datetime) -> tuple[Organization, str]:
    """The organization, and the token of its ingest key."""
    organization = Organization.objects.create(name=slug.title(), slug=slug)
    owner = User.objects.create_user(email=f"owner@{slug}.example", password=None)
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    _, token = keys.issue(organization=organization, name="bench", created_by=owner, now=now)
    return organization, token
