"""Server time and number of queries of each page, over many functions and a month of rollups.

The pages are asked for in process, through the whole of Django but without a network in between.
"""

import argparse
import gc
import gzip
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts.models import Incident
from alerts.pipeline import evaluate
from bench import load
from bench.bodies import pack
from bench.estate import estate, pulled, recent
from bench.ingest import run_dry
from bench.quantile import quantile
from bench.stack import Stack
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization

ROUNDS = 20


class Page(TypedDict):
    """What was measured of one page."""

    name: str
    p50_ms: float
    p95_ms: float
    queries: int
    html_kib: float
    gzip_kib: float


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--functions", type=int, default=1000)
    parser.add_argument("--days", type=int, default=30)


def paths(organization: Organization, now: datetime) -> dict[str, str]:
    """Every kind of page, with an id of something that is there."""
    window = Window(now - timedelta(hours=1), now + timedelta(hours=1))
    newest = get_store().invocations(organization.pk, window, limit=1)[0]
    incident = Incident.objects.filter(organization=organization).order_by("number")[0]
    function = f"functions/{incident.resource_id}/"
    queue = organization.resources.filter(type="sqs_queue").earliest("pk")
    account = f"aws/{organization.aws_accounts.get().pk}/"
    return {
        "overview 24h": "",
        "overview 30d": "?range=30d",
        "functions 24h": "functions/",
        "functions 30d by p95": "functions/?range=30d&sort=slowest",
        "function metrics 24h": function,
        "function metrics 30d": f"{function}?range=30d",
        "function invocations": f"{function}?tab=invocations",
        "function errors": f"{function}?tab=errors",
        "function logs": f"{function}?tab=logs",
        "function configuration": f"{function}?tab=configuration",
        "function changes": f"{function}?tab=changes",
        "resources": "resources/",
        "resources of one type": "resources/?type=sqs_queue&q=check",
        "resource": f"resources/{queue.pk}/",
        "coverage 24h": "coverage/",
        "coverage 30d": "coverage/?range=30d",
        "accounts": "aws/",
        "accounts, cells": "aws/standings/",
        "account": account,
        "account health": f"{account}health/",
        "account progress": f"{account}progress/",
        "account preview": f"{account}preview/",
        "account collection": f"{account}collection/",
        "account permissions": f"{account}permissions/",
        "account settings": f"{account}settings/",
        "invocations": "invocations/",
        "invocation": f"invocations/{uuid.UUID(bytes=newest.event_id)}/",
        "logs": "logs/",
        "logs search": "logs/?q=retrying&range=24h",
        "search": "search/?q=check",
        "incidents": "incidents/",
        "incident": f"incidents/{incident.number}/",
        "open incidents": "incidents/open/",
        "channels": "channels/",
        "policies": "policies/",
        "settings": "settings/",
        "members": "settings/members/",
        "keys": "settings/keys/",
        "audit": "settings/audit/",
    }


def measure(name: str, ask: Callable[[], tuple[int, bytes]]) -> Page:
    """One page, asked for again and again; the first time fills caches and is left out."""
    status, body = ask()
    if status != 200:
        raise RuntimeError(f"{name} answers {status}")
    with CaptureQueriesContext(connection) as captured:
        ask()
    queries = len(captured)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return {
        "name": name,
        "p50_ms": round(quantile(times, 0.5), 1),
        "p95_ms": round(quantile(times, 0.95), 1),
        "queries": queries,
        "html_kib": round(len(body) / 1024, 1),
        "gzip_kib": round(len(gzip.compress(body)) / 1024, 1),
    }


def run(options: argparse.Namespace) -> dict[str, object]:
    now = datetime.now(UTC)  # noqa: TID251  # A bench is an entry point; it reads the clock.
    with Stack("web", "writer") as stack:
        organization, token = estate(options.functions, options.days, now)
        file = stack.folder / "bodies"
        load.write(file, [pack(body) for body in recent(now)])
        load.finish(load.start(stack.url, token, file))
        run_dry()
        pulled(organization, now)
        evaluate(organization_id=organization.pk, now=now)
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(organization.members.get())

        def asker(path: str) -> Callable[[], tuple[int, bytes]]:
            def ask() -> tuple[int, bytes]:
                answer = client.get(f"/o/{organization.slug}/{path}")
                return answer.status_code, answer.content

            return ask

        gc.collect()
        gc.freeze()  # As observability.wsgi does.
        pages = [measure(name, asker(path)) for name, path in paths(organization, now).items()]
    return {
        "functions": options.functions,
        "days": options.days,
        "p95_ms": max(page["p95_ms"] for page in pages),
        "max_queries": max(page["queries"] for page in pages),
        "pages": pages,
    }
