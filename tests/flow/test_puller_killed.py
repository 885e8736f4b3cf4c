"""The real puller gets SIGKILL in the middle of its work, again: nothing is lost, doubled or taken for gone."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis import Redis

from bench.cloud import Estate, fill
from bench.faults import FaultProxy, Faults
from bench.pull_faults import connect, kept
from demo.aws.call import read
from demo.aws.server import SimulatedAws, environment
from ingest import pipeline, schedule
from ingest.models import Collection, DeadLetter, LogGroup
from ingest.tasks import collect
from observability.embedded.processes import PULLER
from observability.inventory.models import Resource
from observability.tenants.models import Organization
from tests.flow.product import ROOT, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]

FATAL = {("lambda:ListAliases", 2): 0.0, ("cloudwatch:GetMetricData", 3): 0.01, ("logs:FilterLogEvents", 3): 0.03}
"""After which call of an action its caller is killed, and how many seconds later: while it parses or stores, say."""

KINDS = ("lambda_functions", "event_sources", "lambda_metrics", "lambda_logs")
ROUNDS = (KINDS[:1], KINDS, KINDS, KINDS)
"""What is due together: functions first, and in the end everything once more, which must not be stored twice."""

WAIT_S = 60.0
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Pullers:
    """Real ones; each that is killed is replaced as long as more have to be."""

    def __init__(self, folder: Path, url: str) -> None:
        server = settings.DATABASES["default"]
        self.environment = {
            **os.environ,
            **environment(url),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATABASE_URL": f"postgres://{server['USER']}@{server['HOST']}:{server['PORT']}/{server['NAME']}",
            "REDIS_URL": settings.REDIS_URL,
        }
        self.log = folder / "pullers.log"
        self.children: list[subprocess.Popen[bytes]] = []
        self.killed, self.lock = 0, Lock()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.children.append(
                subprocess.Popen(
                    PULLER.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
                )
            )

    def kill(self, port: int) -> None:
        """SIGKILL for whoever called from that port, or for another one if that one is dead already."""
        with self.lock:
            victim = next((child for child in self.children if calls_from(child.pid, port)), self.children[0])
            self.children.remove(victim)
            end(victim)
            self.killed += 1
            if self.killed < len(FATAL):
                self.start()

    def stop(self) -> None:
        with self.lock:
            for child in self.children:
                end(child)


def calls_from(pid: int, port: int) -> bool:
    return any(each.laddr.port == port for each in psutil.Process(pid).net_connections("tcp4"))


def end(child: subprocess.Popen[bytes]) -> None:
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


class DeadlyProxy(FaultProxy):
    """Answers as AWS does, and has some callers killed."""

    def __init__(self, target: str) -> None:
        super().__init__(target, Faults())
        self.answered: Counter[str] = Counter()
        self.kill: Callable[[int], None] = lambda port: None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        answer = super().__call__(environ, start_response)
        if call := read(environ):
            with self.turn:
                self.answered[call.action] += 1
                delay = FATAL.get((call.action, self.answered[call.action]))
            if delay is not None:
                Timer(delay, self.kill, [environ["REMOTE_PORT"]]).start()
        return answer


@contextmanager
def pullers_of(aws: SimulatedAws, folder: Path) -> Iterator[Pullers]:
    with DeadlyProxy(aws.url) as proxy:
        pullers = Pullers(folder, proxy.url)
        proxy.kill = pullers.kill
        try:
            pullers.start()
            pullers.start()
            yield pullers
        except TimeoutError:
            print(pullers.log.read_text()[-5000:])  # noqa: T201  # The other half of what went wrong.
            raise
        finally:
            pullers.stop()


def begin(organization: Organization, kinds: Sequence[str], now: datetime) -> None:
    """These are due, and nothing else."""
    schedule.plan(now=now)
    mine = Collection.objects.filter(account__organization=organization)
    mine.update(due_at=now + HOUR)
    mine.filter(kind__in=kinds).update(due_at=now, succeeded_at=None)
    free(organization, now)


def free(organization: Organization, now: datetime) -> None:
    """As when the leases of those that were killed have run out."""
    Collection.objects.filter(account__organization=organization).update(leased_until=None)
    LogGroup.objects.filter(account__organization=organization).update(due_at=now)


def disturbed(organization: Organization, pullers: Pullers) -> None:
    """Ring until each round is over, also again for what was killed."""
    seen = 0

    def is_over(kinds: Sequence[str]) -> bool:
        nonlocal seen
        now = timezone.now()
        if pullers.killed > seen:
            seen = pullers.killed
            free(organization, now)
        for collection_id in schedule.claim(now=now, at_once=16):
            collect.delay(collection_id=collection_id)
        mine = Collection.objects.filter(account__organization=organization, kind__in=kinds)
        return not mine.filter(succeeded_at=None).exists()

    for kinds in ROUNDS:
        begin(organization, kinds, timezone.now())
        eventually("everything was read", partial(is_over, kinds), WAIT_S)


def undisturbed(organization: Organization) -> None:
    """The same by one thread that nobody kills."""
    for kinds in ROUNDS:
        begin(organization, kinds, timezone.now())
        while claimed := schedule.claim(now=timezone.now(), at_once=16):
            for collection_id in claimed:
                pipeline.collect(collection_id=collection_id, clock=timezone.now)


def inventory(organization: Organization) -> set[tuple[str, str]]:
    return set(Resource.objects.filter(organization=organization, gone_at=None).values_list("type", "arn"))


def cursors(organization: Organization) -> dict[tuple[str, str], Any]:
    """Without the moments of reading, which differ."""
    rows = Collection.objects.filter(account__organization=organization)
    return {(row.account.account_id, row.kind): timeless(row.cursor) for row in rows.select_related("account")}


def timeless(cursor: Mapping[str, Any]) -> Any:
    told = {name: value for name, value in cursor.items() if not is_moment(value)}
    if "seen" in told:  # Fingerprint and minute of each function.
        told["seen"] = {name: fingerprint for name, (fingerprint, _) in told["seen"].items()}
    return told


def is_moment(value: Any) -> bool:
    return isinstance(value, str) and value[:2] == "20" and "T" in value


def counted(organization: Organization) -> int:
    with connection.cursor() as cursor:
        of_functions = "FROM telemetry_rollup_minute WHERE organization_id = %s AND resource_id > 0"
        cursor.execute(f"SELECT coalesce(sum(invocations), 0) {of_functions}", [organization.pk])
        return int(cursor.fetchone()[0])


def test_pullers_that_are_killed_lose_nothing_and_double_nothing(
    simulated_aws: SimulatedAws, acme: Organization, rival: Organization, tmp_path: Path
) -> None:
    Redis.from_url(settings.REDIS_URL).flushdb()
    start = (timezone.now() - 15 * MINUTE).replace(second=0, microsecond=0)
    estate = Estate(accounts=2, functions=2, start=start, minutes=10)
    fill(simulated_aws, estate)
    connect(acme, estate)
    with pullers_of(simulated_aws, tmp_path) as pullers:
        disturbed(acme, pullers)
    assert pullers.killed == len(FATAL)
    acme.aws_accounts.update(disconnected_at=timezone.now())
    connect(rival, estate)
    undisturbed(rival)

    found = kept(estate, acme)
    assert (found["missing_points"], found["missed"], found["duplicates"]) == (0, 0, 0)
    assert counted(acme) == found["invocations"] == 160
    assert inventory(acme) == inventory(rival)
    assert not Resource.objects.exclude(gone_at=None).exists()
    assert cursors(acme) == cursors(rival)
    assert all(group.read_until > estate.end for group in LogGroup.objects.all())
    assert LogGroup.objects.filter(account__organization=acme).count() == 4
    assert not DeadLetter.objects.exists()
