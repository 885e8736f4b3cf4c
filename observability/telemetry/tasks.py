"""Housekeeping of the facts."""

from celery import shared_task
from django.utils import timezone

from observability.telemetry import partitions


@shared_task(name="observability.telemetry.tasks.maintain_partitions")
def maintain_partitions(**kwargs: object) -> None:
    """Make coming partitions, drop expired ones."""
    partitions.maintain(now=timezone.now())
