"""A store with a little history of Acme's function ``checkout``: one success, one timeout, their lines and a fault."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from observability.inventory.models import Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Fault, FaultKind, Frame, Invocation, Level, LogLine, Outcome, Record
from observability.telemetry.store import get_store
from observability.tenants.models import User

REQUEST = "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa"


@dataclass(frozen=True)
class History:
    """When it happened, and the id of the invocation that timed out."""

    at: datetime
    failed: bytes


def invocation(resource: Resource, at: datetime, number: int, outcome: Outcome = Outcome.SUCCESS) -> Invocation:
    return Invocation(
        organization_id=resource.organization_id,
        resource_id=resource.pk,
        day=at.date(),
        event_id=number.to_bytes(16, "big"),
        started_at=at,
        request_id=REQUEST if outcome == Outcome.TIMEOUT else f"request-{number}",
        version="7",
        outcome=outcome,
        error_type="",
        cold_start=number % 2 == 0,
        duration_ms=120.0 * number,
        billed_ms=120 * number,
        init_ms=300.0 if number % 2 == 0 else None,
        memory_mb=512,
        max_memory_mb=140,
        cost_usd=0.0001,
        trace_id="",
    )


@pytest.fixture
def history(checkout: Resource) -> History:
    at = timezone.now() - timedelta(minutes=5)
    line = LogLine(
        checkout.organization_id, checkout.pk, at.date(), b"l" * 16, at, REQUEST, Level.ERROR, "it <b>broke</b>"
    )
    frame = Frame("/var/task/app.py", 31, "handler", "return charge(event)")
    fault = Fault(
        checkout.organization_id, checkout.pk, at.date(), b"f" * 16, at, REQUEST, "7", FaultKind.EXCEPTION,
        "ValueError", "no such <card>", (frame,),
    )  # fmt: skip
    records: list[Record] = [
        invocation(checkout, at, 1), invocation(checkout, at, 2, Outcome.TIMEOUT), line, fault,
    ]  # fmt: skip
    maintain(now=timezone.now())
    get_store().append(records, now=timezone.now())
    return History(at, (2).to_bytes(16, "big"))


@pytest.fixture
def alice_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client
