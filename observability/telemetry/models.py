"""How far each organization's facts are stored, and how complete they are. The facts live in partitioned tables."""

from django.db import models

from observability.inventory.models import Resource
from observability.tenants.models import Organization


class Watermark(models.Model):
    """One row per organization: its lock orders the writers, ``batch`` numbers their commits without a gap."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, db_constraint=False)
    batch = models.BigIntegerField(default=0)
    stored_at = models.DateTimeField()
    latest_event_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.organization_id} at {self.batch}"


class Coverage(models.Model):
    """One hour of one function: how many invocations AWS counted, how many we stored, and why some are missing."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="coverage")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="coverage")
    hour = models.DateTimeField()
    reported = models.PositiveBigIntegerField()
    seen = models.PositiveBigIntegerField()
    cause = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resource", "hour"], name="coverage_unique")]
        indexes = [models.Index(fields=["organization", "-hour"], name="coverage_recent")]

    def __str__(self) -> str:
        return f"{self.resource_id} {self.hour:%Y-%m-%d %H:00}: {self.seen} of {self.reported}"
