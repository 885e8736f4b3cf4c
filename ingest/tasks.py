"""Doorbells of the pull half, what is noticed about accounts, and housekeeping.

What is due is in the rows of ``Collection``, so a ring lost or repeated changes nothing.
"""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from ingest import blindness, coverage, dead_letters, expectations, pipeline, schedule
from observability.aws.models import AwsAccount


@shared_task(name="ingest.tasks.forget_dead_letters")
def forget_dead_letters(**kwargs: object) -> None:
    """Delete dead letters past their 14 days."""
    dead_letters.forget_old(now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, expires=5)
def collect_due(**kwargs: object) -> None:
    """Claim what is due and ring for each."""
    now = timezone.now()
    schedule.plan(now=now)
    schedule.hasten(now=now)
    schedule.retry(now=now)
    for collection_id in schedule.claim(now=now, at_once=settings.PULLS_AT_ONCE):
        collect.delay(collection_id=collection_id)


@shared_task(acks_late=True, ignore_result=True, expires=schedule.LEASE.total_seconds())
def collect(*, collection_id: int, **kwargs: object) -> None:
    """One run of a claimed collection."""
    pipeline.collect(collection_id=collection_id, clock=timezone.now)


@shared_task(acks_late=True, ignore_result=True, expires=240, soft_time_limit=20, time_limit=30)
def reckon_coverage(**kwargs: object) -> None:
    """Ring for every account whose coverage can be told."""
    for account_pk in _connected():
        reckon_account.delay(account_pk=account_pk)


@shared_task(acks_late=True, ignore_result=True, expires=240, soft_time_limit=180, time_limit=200)
def reckon_account(*, account_pk: int, **kwargs: object) -> None:
    """Bring the coverage ledger of one account up to date."""
    if account := AwsAccount.objects.filter(pk=account_pk).first():
        coverage.reckon(account=account, now=timezone.now())


@shared_task(acks_late=True, ignore_result=True, expires=50, soft_time_limit=20, time_limit=30)
def notice_silence(**kwargs: object) -> None:
    """Ring for every account in which something may be silent that should not be."""
    for account_pk in _connected():
        notice_account.delay(account_pk=account_pk)


@shared_task(acks_late=True, ignore_result=True, expires=50, soft_time_limit=100, time_limit=120)
def notice_account(*, account_pk: int, **kwargs: object) -> None:
    """Note that we see nothing of the account, or else what did not run in it."""
    if account := AwsAccount.objects.filter(pk=account_pk).first():
        now = timezone.now()
        blindness.notice(account=account, now=now)
        expectations.notice(account=account, now=now)


def _connected() -> list[int]:
    """Blind ones too: that is one of the things to notice."""
    accounts = AwsAccount.objects.filter(disconnected_at=None, organization__archived_at=None)
    return list(accounts.exclude(connected_at=None).order_by("pk").values_list("pk", flat=True))
