"""A function in trouble: stored facts, the incidents that judging makes of them, and channels that were told."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts import pipeline
from alerts.channels import seal
from alerts.models import Channel, Incident, Policy
from observability.inventory.models import Deployment, Resource
from observability.telemetry.records import Fault, FaultKind, Frame, Invocation, Level, LogLine, Outcome, Record
from observability.telemetry.store import get_store
from observability.tenants.models import Organization

FRAMES = (
    Frame("/var/runtime/bootstrap.py", 190, "handle_event_request", "", own=False),
    Frame("app/handler.py", 48, "lambda_handler", "result = charge(order, key=idempotency_key(order))"),
    Frame("app/payments.py", 115, "charge", 'raise StripeTimeoutError(f"Request timed out after {timeout} s") from e'),
)


@dataclass(frozen=True)
class Trouble:
    """What goes wrong again and again."""

    kind: FaultKind = FaultKind.EXCEPTION
    outcome: Outcome = Outcome.ERROR
    type: str = "StripeTimeoutError"
    message: str = "Request timed out after 8.0 s"
    frames: tuple[Frame, ...] = FRAMES
    version: str = "42"


STRIPE = Trouble()
TIMEOUT = Trouble(FaultKind.TIMEOUT, Outcome.TIMEOUT, "Sandbox.Timedout", "Task timed out after 10.00 seconds", ())
MEMORY = Trouble(
    FaultKind.OUT_OF_MEMORY, Outcome.OUT_OF_MEMORY, "Runtime.OutOfMemory", "Runtime exited: signal: killed", ()
)  # fmt: skip


def digest(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def failing_run(resource: Resource, at: datetime, trouble: Trouble) -> list[Record]:
    """One failed run: its invocation, its lines, and why it failed."""
    request_id = f"{resource.pk}-{at.timestamp()}".replace(".", "-").ljust(36, "0")
    began = at - timedelta(seconds=8)
    who: dict[str, Any] = {"organization_id": resource.organization_id, "resource_id": resource.pk, "day": at.date()}
    lines = [
        (began, Level.PLATFORM, f"START RequestId: {request_id} Version: {trouble.version}", ""),
        (began + timedelta(milliseconds=12), Level.INFO, "charge.start", '{"event":"charge.start","order":"ord_8Xk2"}'),
        (at - timedelta(milliseconds=380), Level.WARN, "stripe.retry", '{"event":"stripe.retry","attempt":2}'),
        (at, Level.ERROR, f"[ERROR] {trouble.type}: {trouble.message}", ""),
        (at + timedelta(milliseconds=4), Level.PLATFORM, "REPORT Duration: 8021.44 ms Billed Duration: 8022 ms", ""),
    ]
    records: list[Record] = [
        LogLine(
            **who, event_id=digest(request_id, place), at=when, request_id=request_id, level=level, message=text,
            attributes=fields,
        )
        for place, (when, level, text, fields) in enumerate(lines)
    ]  # fmt: skip
    records.append(
        Invocation(
            **who, event_id=digest(request_id, "invocation"), started_at=began, request_id=request_id,
            version=trouble.version, outcome=trouble.outcome, error_type=trouble.type, cold_start=at.second % 5 == 0,
            duration_ms=8021.44, billed_ms=8022, init_ms=None, memory_mb=512, max_memory_mb=338, cost_usd=0.00006,
            trace_id="",
        )
    )  # fmt: skip
    records.append(
        Fault(
            **who, event_id=digest(request_id, "fault"), at=at, request_id=request_id, version=trouble.version,
            kind=trouble.kind, type=trouble.type, message=trouble.message, frames=trouble.frames,
        )
    )  # fmt: skip
    return records


def good_run(resource: Resource, at: datetime) -> Record:
    request_id = f"fine-{resource.pk}-{at.timestamp()}"
    return Invocation(
        organization_id=resource.organization_id, resource_id=resource.pk, day=at.date(), event_id=digest(request_id),
        started_at=at, request_id=request_id, version="42", outcome=Outcome.SUCCESS, error_type="", cold_start=False,
        duration_ms=210.0, billed_ms=210, init_ms=None, memory_mb=512, max_memory_mb=190, cost_usd=0.000002,
        trace_id="",
    )  # fmt: skip


def judge(organization: Organization, now: datetime) -> None:
    while pipeline.evaluate(organization_id=organization.pk, now=now):
        pass


def break_it(
    resource: Resource, now: datetime, trouble: Trouble = STRIPE, *, times: int = 12, deployed: bool = True
) -> Incident:
    """Let the function fail ``times`` times over the last two hours, and have it judged."""
    began = now - timedelta(hours=2)
    if deployed:
        Deployment.objects.get_or_create(
            organization=resource.organization, resource=resource, version=trouble.version,
            defaults={"deployed_at": began - timedelta(minutes=4)},
        )  # fmt: skip
    step = timedelta(hours=2) / times
    records: list[Record] = []
    for place in range(times):
        records += failing_run(resource, began + place * step + timedelta(seconds=30), trouble)
        records += [good_run(resource, began + place * step + timedelta(seconds=n)) for n in range(40, 44)]
    get_store().append(records, now=now)
    judge(resource.organization, now)
    return Incident.objects.get(organization=resource.organization, resource=resource, kind=_kind(trouble))


def _kind(trouble: Trouble) -> str:
    return {FaultKind.TIMEOUT: "timeouts", FaultKind.OUT_OF_MEMORY: "out_of_memory"}.get(trouble.kind, "errors")


def webhook_channel(organization: Organization, now: datetime, name: str = "Our receiver") -> Channel:
    config = {"url": "https://receiver.example/hook", "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}
    return Channel.objects.create(
        organization=organization, kind="webhook", name=name, config=seal(config), created_at=now
    )


def policy_for(channel: Channel, now: datetime, **fields: object) -> Policy:
    values = {"name": "Errors on prod functions", "minimum_severity": "info", "created_at": now} | fields
    policy = Policy.objects.create(organization=channel.organization, **values)
    policy.channels.add(channel)
    return policy
