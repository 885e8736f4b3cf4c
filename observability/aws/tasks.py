"""Doorbells of the connections: beat rings, the rows say whose turn it is, and a claim keeps two from taking it."""

from celery import shared_task
from django.utils import timezone

from observability.aws import permissions, verification
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError

AGAIN_S = 10


@shared_task(acks_late=True, ignore_result=True, expires=5, soft_time_limit=20, time_limit=30)
def verify_pending(**kwargs: object) -> None:
    """Ring for every connection that waits for its role."""
    for pk in verification.waiting(now=timezone.now()).values_list("pk", flat=True):
        verify.delay(account_pk=pk)


@shared_task(acks_late=True, ignore_result=True, expires=60, soft_time_limit=20, time_limit=30)
def recheck_due(**kwargs: object) -> None:
    """Ring for the connections whose next look is due: daily when they work, every 15 minutes when they do not."""
    for pk in verification.established(now=timezone.now()).values_list("pk", flat=True):
        verify.delay(account_pk=pk)


@shared_task(acks_late=True, ignore_result=True, expires=30, soft_time_limit=100, time_limit=110)
def verify(*, account_pk: int, **kwargs: object) -> None:
    """Look at one connection; when it may be used, look at its permissions next."""
    account = verification.claim(account_pk=account_pk, now=timezone.now())
    if account is not None and verification.verify(account=account, now=timezone.now()):
        probe.delay(account_pk=account_pk)


@shared_task(acks_late=True, ignore_result=True, expires=300, soft_time_limit=200, time_limit=220)
def probe(*, account_pk: int, **kwargs: object) -> None:
    """Try the actions of one connection that may be used."""
    connected = AwsAccount.objects.select_related("organization").filter(status=AwsAccount.Status.CONNECTED)
    account = connected.filter(pk=account_pk).first()
    if account is None:
        return
    try:
        permissions.probe(account=account, now=timezone.now())
    except AwsError as error:
        verification.doubt(account_pk=account_pk, error=error, now=timezone.now())
        return
    if permissions.may_settle(account=account, now=timezone.now()):
        probe.apply_async(kwargs={"account_pk": account_pk}, countdown=AGAIN_S)
