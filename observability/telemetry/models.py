"""How far each organization's facts are stored. The facts themselves live in partitioned tables (migration 0001)."""

from django.db import models

from observability.tenants.models import Organization


class Watermark(models.Model):
    """One row per organization: its lock orders the writers, ``batch`` numbers their commits without a gap."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, db_constraint=False)
    batch = models.BigIntegerField(default=0)
    stored_at = models.DateTimeField()
    latest_event_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.organization_id} at {self.batch}"
