"""From the POST of a failing invocation to the HTTP request at the Slack receiver, the whole product running.

Every failure is a problem of its own. They are spread over organizations of five functions each, because a channel
carries only a few messages a minute one by one.
"""

import argparse
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import urllib3

from alerts import channels
from alerts.finding import Severity
from alerts.models import Channel, Policy
from bench.bodies import pack
from bench.quantile import quantile
from bench.receiver import Receiver
from bench.stack import Stack
from bench.tenant import tenant
from demo.telemetry import event_id, stamp
from observability.tenants.models import Organization

PER_ORGANIZATION = 5
GAP_S = 0.3
PATIENCE_S = 60


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--n", type=int, default=100)


def slack(organization: Organization, place: str, now: datetime) -> None:
    """A Slack channel at the receiver, and a policy that tells it everything."""
    channel = Channel.objects.create(
        organization=organization,
        kind="slack",
        name="Slack",
        config=channels.seal({"url": f"http://{place}/services/{organization.slug}"}),
        created_at=now,
    )
    policy = Policy.objects.create(
        organization=organization, name="Everything", minimum_severity=Severity.INFO, is_default=True, created_at=now
    )
    policy.channels.add(channel)


def failing(name: str, now: datetime) -> dict[str, Any]:
    """One timed-out invocation of a function of that name, as the extension would send it."""
    metrics = {"durationMs": 3000.0, "billedDurationMs": 3000, "memorySizeMB": 128, "maxMemoryUsedMB": 70}
    record = {"requestId": str(uuid.uuid4()), "status": "timeout", "metrics": metrics}
    event = {"id": event_id(now, name), "time": stamp(now), "type": "platform.report", "record": record}
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
    return {"schema": 1, "function": {"arn": arn, "timeout_s": 3}, "sent_at": stamp(now), "events": [event]}


def post(stack: Stack, tokens: list[str], count: int) -> dict[str, float]:
    """Post one failure after the other; function name → when its POST began."""
    pool, sent = urllib3.PoolManager(retries=False), dict[str, float]()
    for number in range(count):
        name = f"latency-{number:04d}"
        body = pack(failing(name, datetime.now(UTC)))  # noqa: TID251  # A bench is an entry point.
        headers = {"Authorization": f"Bearer {tokens[number // PER_ORGANIZATION]}", "Content-Encoding": "gzip"}
        sent[name] = time.monotonic()
        answer = pool.request("POST", f"{stack.url}/ingest/v1/telemetry", body=body, headers=headers)
        if answer.status != 202:
            raise RuntimeError(f"unexpected answer {answer.status}: {answer.data[:200]!r}")
        time.sleep(GAP_S)
    return sent


def latencies(sent: dict[str, float], receiver: Receiver) -> list[float]:
    """Seconds from each POST to the first message that names its function."""
    took: dict[str, float] = {}
    for at, _, body in receiver.arrived:
        for name in sent.keys() - took.keys():
            if name.encode() in body:
                took[name] = at - sent[name]
    return list(took.values())


def run(options: argparse.Namespace) -> dict[str, object]:
    processes = ("web", "writer", "worker", "beat")
    with Receiver() as receiver, Stack(*processes) as stack:
        now = datetime.now(UTC)  # noqa: TID251  # A bench is an entry point; it reads the clock.
        tokens = []
        for number in range(-(-options.n // PER_ORGANIZATION)):
            organization, token = tenant(f"bench-{number}", now)
            slack(organization, receiver.place, now)
            tokens.append(token)
        time.sleep(5)
        sent = post(stack, tokens, options.n)
        deadline = time.monotonic() + PATIENCE_S
        while len(took := latencies(sent, receiver)) < len(sent) and time.monotonic() < deadline:
            time.sleep(0.2)
    return {
        "n": len(sent),
        "told": len(took),
        "p50_s": round(quantile(took, 0.5), 2),
        "p95_s": round(quantile(took, 0.95), 2),
        "max_s": round(max(took), 2),
    }
