"""The whole product as its own processes, and a tenant of it who uses nothing but what customers use."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
import urllib3
from django.conf import settings
from django.utils import timezone

from alerts.channels import seal
from alerts.models import Channel, Notification, Policy
from observability.embedded.processes import MIGRATE, product
from observability.tenants import keys
from observability.tenants.models import Membership, Organization, Role, User
from tests.services import free_port

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent.parent
READY_S = 40.0
TOLD_S = 12.0
HTTP = urllib3.PoolManager(retries=False, timeout=10)


def eventually(what: str, look: Callable[[], T | None], seconds: float = TOLD_S) -> T:
    """The first answer of ``look`` that is neither None nor empty."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{what}: nothing within {seconds:g} s")


NUMBERS = count(1)


class Product:
    """Web, writer, worker and beat over a database and a Redis database of their own; several may run at a time."""

    def __init__(
        self, folder: Path, *, mail_port: int, allowed: Sequence[str] = (), variables: Mapping[str, str] | None = None
    ) -> None:
        server, number = settings.DATABASES["default"], next(NUMBERS)
        self.database = f"flow_{os.getpid()}_{number}"
        self.server_url = f"postgres://{server['USER']}@{server['HOST']}:{server['PORT']}/postgres"
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        redis = urlsplit(settings.REDIS_URL)
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATABASE_URL": self.server_url.rpartition("/")[0] + f"/{self.database}",
            # The tests empty their own Redis database before each test; this one is left alone.
            "REDIS_URL": urlunsplit(redis._replace(path=f"/{int(redis.path.lstrip('/') or 0) + 32 * number}")),
            "PUBLIC_URL": self.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "OUTBOUND_ALLOWED_HOSTS": ",".join(allowed),
            "DEMO": "0",
            "LOG_LEVEL": "INFO",
            **(variables or {}),
        }
        self.children: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.database}".encode())
        subprocess.run(MIGRATE, check=True, cwd=ROOT, env=self.environment)
        for process in product("127.0.0.1", self.port):
            with (self.folder / f"{process.name}.log").open("wb") as log:
                child = subprocess.Popen(
                    process.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
                )
            self.children.append(child)
        eventually("the web process", self.answers, READY_S)

    def answers(self) -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return HTTP.request("GET", f"{self.url}/healthz").status < 500
        return False

    def stop(self) -> None:
        for child in self.children:
            child.terminate()
        for child in self.children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self.database} WITH (FORCE)".encode())

    def logs(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))


class Tenant:
    """An organization with an owner, an ingest key and the function ``checkout``."""

    def __init__(self, product: Product, name: str) -> None:
        now = timezone.now()
        self.product = product
        self.organization = Organization.objects.create(name=name.title(), slug=name)
        self.owner = User.objects.create_user(email=f"owner@{name}.example", password="correct horse battery")
        Membership.objects.create(organization=self.organization, user=self.owner, role=Role.OWNER)
        _, self.token = keys.issue(organization=self.organization, name="flow", created_by=self.owner, now=now)

    def tell(self, kind: str, config: dict[str, Any]) -> None:
        """Everything goes to one channel of this kind."""
        now = timezone.now()
        channel = Channel.objects.create(
            organization=self.organization, kind=kind, name=kind, config=seal(config), created_at=now
        )
        policy = Policy.objects.create(organization=self.organization, name="Everything", created_at=now)
        policy.channels.add(channel)

    def send(self, *events: dict[str, Any]) -> None:
        """POST telemetry as the extension does."""
        body = {
            "schema": 1,
            "function": {
                "arn": "arn:aws:lambda:eu-west-1:123456789012:function:checkout",
                "name": "checkout",
                "version": "42",
                "memory_mb": 512,
                "timeout_s": 10,
                "runtime": "python3.13",
                "architecture": "arm64",
            },
            "events": events,
        }
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        answer = HTTP.request(
            "POST", f"{self.product.url}/ingest/v1/telemetry", body=msgspec.json.encode(body), headers=headers
        )
        assert answer.status == 202, answer.data

    def latency(self, happening: str) -> timedelta:
        """How long after the failure (or, for its end, after that step) the first such message was sent."""
        rows = Notification.objects.filter(organization=self.organization, transition__kind=happening)
        row = eventually("a record of the delivery", lambda: rows.exclude(sent_at=None).first())
        assert row.transition
        assert row.sent_at
        begin = row.transition.happened_at if happening == "resolved" else row.transition.incident.last_seen_at
        return row.sent_at - begin
