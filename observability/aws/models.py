"""Whose: the AWS accounts that an organization has connected, each through one role that we may assume there."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from observability.tenants.models import Organization, User


class Tier(models.TextChoices):
    """How much a connection may do; the base is always part of it."""

    BASE = "base", "Read only"
    SIZES = "sizes", "Package sizes"
    SUBSCRIPTION = "subscription", "Log subscription"


class AwsAccount(models.Model):
    """One connection: the role, the external id that only this connection uses, and what came of the last look.

    The external id is made by us, never taken from anybody, and never changes (AWS: the confused deputy problem).
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting for the role"
        CONNECTED = "connected", "Connected"
        NEEDS_ATTENTION = "needs_attention", "Needs attention"
        UNSAFE = "unsafe", "Unsafe"
        DISCONNECTED = "disconnected", "Disconnected"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="aws_accounts")
    name = models.CharField(max_length=80)
    account_id = models.CharField(max_length=12)
    partition = models.CharField(max_length=12, default="aws")
    role_arn = models.CharField(max_length=200)
    external_id = models.CharField(max_length=64, unique=True, editable=False)
    tiers = ArrayField(models.CharField(max_length=16, choices=Tier.choices), default=list)
    regions = ArrayField(models.CharField(max_length=30), default=list)
    selection = models.JSONField(default=dict, blank=True)
    """Which functions are watched: ``include`` and ``exclude``, each with lists of ``names`` (globs) and ``tags``."""
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    trouble = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    permissions = models.JSONField(default=dict, blank=True)
    """What the last probe of each action said: ``allowed``, ``denied`` or ``unknown``."""
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    """Until when a pending connection waits for its role."""
    connected_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_at = models.DateTimeField(null=True, blank=True)
    """When to look at the connection next; None once it is disconnected."""
    blind_since = models.DateTimeField(null=True, blank=True)
    """Since when the role cannot be assumed; None while all is well."""
    disconnected_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "account_id"],
                condition=models.Q(disconnected_at=None),
                name="aws_account_connected_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})"

    def is_expired(self, now: datetime) -> bool:
        """Whether nobody waits for its role any more."""
        return self.connected_at is None and self.expires_at is not None and self.expires_at <= now
