"""Doorbells: each rings for work that the database remembers, so that a ring lost or repeated changes nothing.

Beat rings every second. A ring that finds nobody home within its ``expires`` is forgotten: the next one does the same.
"""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from alerts import advising, delivery, evaluation, pipeline
from alerts.models import Incident, State
from alerts.watching import watch as watching
from observability.telemetry.store import get_store

PATIENCE = timedelta(seconds=15)
"""How long one task goes on taking up work; its time limits leave room to finish what it took up last."""


@shared_task(acks_late=True, ignore_result=True, expires=5, soft_time_limit=20, time_limit=30)
def evaluate_due(**kwargs: object) -> None:
    """Ring for every organization with facts that nobody has judged."""
    for organization_id in evaluation.behind(get_store()):
        evaluate.delay(organization_id=organization_id)


@shared_task(acks_late=True, ignore_result=True, expires=30, soft_time_limit=50, time_limit=60)
def evaluate(*, organization_id: int, **kwargs: object) -> None:
    """Judge one organization's new facts, then have people told."""
    begun = timezone.now()
    while pipeline.evaluate(organization_id=organization_id, now=timezone.now()):
        if timezone.now() - begun > PATIENCE:
            break
    deliver_due.delay()


@shared_task(acks_late=True, ignore_result=True, expires=5, soft_time_limit=50, time_limit=58)
def deliver_due(**kwargs: object) -> None:
    """Send what is due; several of these may run side by side."""
    delivery.give_up(now=timezone.now())
    delivery.deliver(clock=timezone.now, patience=PATIENCE)


@shared_task(acks_late=True, ignore_result=True, expires=5, soft_time_limit=20, time_limit=30)
def resolve_quiet(**kwargs: object) -> None:
    """Ring for every organization that has incidents going on."""
    going_on = Incident.objects.exclude(state=State.RESOLVED).order_by("organization_id")
    for organization_id in going_on.values_list("organization_id", flat=True).distinct():
        settle.delay(organization_id=organization_id)


@shared_task(acks_late=True, ignore_result=True, expires=30, soft_time_limit=50, time_limit=60)
def settle(*, organization_id: int, **kwargs: object) -> None:
    """End mutes and resolve incidents of one organization whose time has come; the next tick of delivery tells it."""
    pipeline.settle(organization_id=organization_id, now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, expires=50, soft_time_limit=50, time_limit=60)
def watch_due(**kwargs: object) -> None:
    """Ring for every organization whose numbers were not looked at for a minute."""
    for organization_id in watching.waiting(now=timezone.now()):
        watch.delay(organization_id=organization_id)


@shared_task(acks_late=True, ignore_result=True, expires=50, soft_time_limit=200, time_limit=240)
def watch(*, organization_id: int, **kwargs: object) -> None:
    """Look at the latest numbers of one organization, and at as much of what was missed as there is time for."""
    begun = timezone.now()
    while pipeline.watch(organization_id=organization_id, now=timezone.now()):
        if timezone.now() - begun > 2 * PATIENCE:
            break
    deliver_due.delay()


@shared_task(acks_late=True, ignore_result=True, expires=110, soft_time_limit=50, time_limit=60)
def advise_due(**kwargs: object) -> None:
    """Ring for every organization whose advice is an hour old, or older than its last deployment."""
    for organization_id in advising.due(now=timezone.now()):
        advise.delay(organization_id=organization_id)


@shared_task(acks_late=True, ignore_result=True, expires=110, soft_time_limit=240, time_limit=270)
def advise(*, organization_id: int, **kwargs: object) -> None:
    """Look at one organization's estate, then have people told of what cannot wait."""
    pipeline.advise(organization_id=organization_id, now=timezone.now())
    deliver_due.delay()
