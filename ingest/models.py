"""What ingest keeps for itself: the events that could not be stored, and why."""

from django.db import models

from observability.tenants.models import Organization


class DeadLetter(models.Model):
    """One event (or whole buffer entry) that storing refused; kept 14 days so that it can be replayed."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="dead_letters")
    entry_id = models.CharField(max_length=64)
    position = models.IntegerField(default=0)
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=500)
    payload = models.BinaryField()
    attempts = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry_id", "position"], name="dead_letter_once")]
        indexes = [models.Index(fields=["organization", "-created_at"], name="dead_letter_recent")]

    def __str__(self) -> str:
        return f"{self.entry_id}#{self.position} {self.code}"
