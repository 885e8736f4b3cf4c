"""Housekeeping of ingest."""

from celery import shared_task
from django.utils import timezone

from ingest import dead_letters


@shared_task(name="ingest.tasks.forget_dead_letters")
def forget_dead_letters(**kwargs: object) -> None:
    """Delete dead letters past their 14 days."""
    dead_letters.forget_old(now=timezone.now())
