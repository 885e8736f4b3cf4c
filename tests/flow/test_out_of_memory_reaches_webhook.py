import json
from collections.abc import Callable

import pytest
from django.utils import timezone

from alerts.transports.webhook import new_secret
from bench.receiver import Receiver
from tests.flow.product import Tenant, eventually
from tests.flow.telemetry import out_of_memory

pytestmark = pytest.mark.services


def test_running_out_of_memory_reaches_a_webhook(new_tenant: Callable[[str], Tenant], receiver: Receiver) -> None:
    tenant = new_tenant("greedy")
    tenant.tell("webhook", {"url": f"http://{receiver.place}/greedy", "secret": new_secret()})
    tenant.send(*out_of_memory(timezone.now()))
    bodies = eventually("a call", lambda: [body for _, path, body in list(receiver.arrived) if path == "/greedy"])
    told = json.loads(bodies[0])
    assert told["type"] == "incident.opened"
    assert told["data"]["incident"]["title"] == "checkout ran out of memory (512 MB)"
    assert told["data"]["incident"]["kind"] == "out_of_memory"
    print(f"opened → told: {tenant.latency('opened').total_seconds():.2f} s")  # noqa: T201  # For people.
