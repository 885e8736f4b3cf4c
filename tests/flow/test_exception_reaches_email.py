from collections.abc import Callable
from email.message import EmailMessage

import pytest
from django.utils import timezone

from alerts.models import Incident
from tests.flow.conftest import Mailbox
from tests.flow.product import Tenant, eventually
from tests.flow.telemetry import exception, success

pytestmark = pytest.mark.services


def text(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    return str(part.get_content()) if part else ""


def test_an_exception_reaches_the_owner_by_mail_without_any_setting(
    new_tenant: Callable[[str], Tenant], mailbox: Mailbox
) -> None:
    tenant = new_tenant("crash")
    tenant.send(*success(timezone.now()), *exception(timezone.now()))
    (letter,) = eventually("a letter", lambda: mailbox.of(tenant.owner.email))
    assert letter["Subject"].startswith("[Critical] ValueError: boom")
    assert "payments.py:115 in charge" in text(letter)
    assert f"{tenant.product.url}/o/crash/incidents/1/" in text(letter)
    print(f"opened → told: {tenant.latency('opened').total_seconds():.2f} s")  # noqa: T201  # For people.


def test_its_repetition_is_counted_but_not_told_again(new_tenant: Callable[[str], Tenant], mailbox: Mailbox) -> None:
    tenant = new_tenant("again")
    tenant.send(*exception(timezone.now()))
    eventually("a letter", lambda: mailbox.of(tenant.owner.email))
    tenant.send(*exception(timezone.now()), *exception(timezone.now()))
    of_tenant = Incident.objects.filter(organization=tenant.organization)
    eventually("three events", lambda: of_tenant.get().events == 3)
    assert len(mailbox.of(tenant.owner.email)) == 1


def test_what_the_report_repeats_in_a_later_request_is_counted_once(
    new_tenant: Callable[[str], Tenant], mailbox: Mailbox
) -> None:
    tenant = new_tenant("split")
    *told, report = exception(timezone.now())
    tenant.send(*told)
    eventually("a letter", lambda: mailbox.of(tenant.owner.email))
    tenant.send(report)
    tenant.send(*exception(timezone.now()))
    of_tenant = Incident.objects.filter(organization=tenant.organization)
    eventually("two events", lambda: of_tenant.get().events == 2)
