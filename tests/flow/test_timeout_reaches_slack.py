import json
from collections.abc import Callable

import pytest
from django.utils import timezone

from alerts import incidents
from bench.receiver import Receiver
from tests.flow.product import Tenant, eventually
from tests.flow.telemetry import timeout

pytestmark = pytest.mark.services


def told(receiver: Receiver, path: str) -> list[str]:
    return [json.loads(body)["text"] for _, place, body in list(receiver.arrived) if place == path]


def test_a_timeout_reaches_slack_and_so_does_its_end(new_tenant: Callable[[str], Tenant], receiver: Receiver) -> None:
    tenant = new_tenant("slow")
    tenant.tell("slack", {"url": f"http://{receiver.place}/slow"})
    tenant.send(*timeout(timezone.now()))
    (opened,) = eventually("a message in Slack", lambda: told(receiver, "/slow"))
    assert "checkout timed out after 10 s" in opened
    incidents.resolve(organization=tenant.organization, number=1, actor=tenant.owner, now=timezone.now())
    eventually("a second message in Slack", lambda: len(told(receiver, "/slow")) == 2)
    assert told(receiver, "/slow")[1].startswith("Resolved")
    for happening in ("opened", "resolved"):
        print(f"{happening} → told: {tenant.latency(happening).total_seconds():.2f} s")  # noqa: T201  # For people.
