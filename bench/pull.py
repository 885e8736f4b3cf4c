"""Log events per second of one worker, against a bare loop of FilterLogEvents; and whether any is missed or doubled.

First one reader takes all groups of a simulated AWS, with nothing in its way: from FilterLogEvents to stored. Then the
same events come in up to ``--late``, with pages that are empty and calls that are throttled, to two processes that read
the same account in simulated time and get SIGKILL now and then; the last look is 20 minutes after the last event.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

from django.db import connection

from bench import facts, log_child, log_reader
from bench.child import spawned
from bench.faults import FILTER, Faults
from bench.log_server import SPREAD, DirectRegion, LogServer, names, written
from bench.stack import Stack
from bench.tenant import tenant
from ingest import clock, log_groups
from ingest.collectors.lambda_logs import transform_events
from ingest.models import LogGroup
from ingest.parser import Batch, FunctionInfo
from ingest.parsers import parse_stream
from observability.aws.models import AwsAccount
from observability.telemetry.store import get_store

TICK, AFTER = timedelta(seconds=20), timedelta(minutes=20)
READERS = 2
SECONDS = {"s": 1, "m": 60, "h": 3600}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--late", default="15m", help="by how much events come in late at most")
    parser.add_argument("--throttle", default="30%", help="share of calls that are throttled")
    parser.add_argument("--kill", type=int, default=10, help="how often a reader gets SIGKILL")
    parser.add_argument("--seed", type=int, default=7)


def seconds(text: str) -> float:
    """``15m``, ``90s`` or plain seconds."""
    return float(text[:-1]) * SECONDS[text[-1]] if text[-1:] in SECONDS else float(text)


def bare_loop(aws: DirectRegion, groups: Iterable[str], start: datetime) -> float:
    """Seconds that it takes to ask for everything and to throw it away."""
    window = {"startTime": clock.milliseconds(start), "endTime": clock.milliseconds(start + SPREAD)}
    began = time.monotonic()
    for group in groups:
        for _ in aws.pages("logs", "filter_log_events", logGroupName=f"/aws/lambda/{group}", **window):
            pass
    return time.monotonic() - began


def read_all(aws: DirectRegion, account: AwsAccount, now: datetime) -> float:
    """Seconds from the first call until everything is stored."""
    began = time.monotonic()
    log_reader.turn(aws, account, now, {})
    return time.monotonic() - began


def parse_and_store(account: AwsAccount, events: int, groups: int, start: datetime, now: datetime) -> float:
    """Seconds that the same takes without AWS: scrubbed, parsed and stored, from answers that are there already."""
    scope, answers = log_reader.scope(account, now, {}), []
    for number, (name, stream, told) in enumerate(written(events, groups, start)):
        for first in range(0, len(told), 10_000):
            part = [
                event | {"logStreamName": stream, "eventId": f"{number}-{first + place}"}
                for place, event in enumerate(told[first : first + 10_000])
            ]
            answers.append((name, part))
    began = time.monotonic()
    for name, part in answers:
        function = scope.functions[name]
        for told_ in transform_events(part, f"/aws/lambda/{name}", scope).values():
            info = FunctionInfo(function.arn, name, memory_mb=512, architecture="arm64")
            batch = Batch(scope.organization_id, function.resource_id, info, scope.region, told_)
            get_store().append(parse_stream(batch), now=now)
    return time.monotonic() - began


class Reader:
    """A process that reads when it is told the time."""

    def __init__(self, url: str, account_pk: int) -> None:
        self.url, self.account_pk = url, account_pk
        self.start()

    def start(self) -> None:
        self.pipe, theirs = spawned.Pipe()
        self.process = spawned.Process(target=log_child.read, args=(theirs, self.url, self.account_pk), daemon=True)
        self.process.start()
        self.pipe.recv()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.start()

    def stop(self) -> None:
        self.pipe.send(None)
        self.process.join(timeout=10)


def race(server: LogServer, account: AwsAccount, start: datetime, end: datetime, options: argparse.Namespace) -> None:
    """Two readers from ``start`` to ``end``, tick by tick; some ticks end one of them in the middle of its work."""
    ticks, chance = (end - start) // TICK, Random(options.seed)
    deadly = Counter(chance.randrange(ticks) for _ in range(options.kill))
    readers = [Reader(server.spoilt_url, account.pk) for _ in range(READERS)]
    for tick in range(ticks):
        now = start + (tick + 1) * TICK
        server.move_to(now)
        for reader in readers:
            reader.pipe.send(now.timestamp())
        for _ in range(deadly[tick]):
            time.sleep(chance.uniform(0.001, 0.1))
            victim = chance.choice(readers)
            victim.kill()
            victim.pipe.send(now.timestamp())
        for reader in readers:
            reader.pipe.recv()
    for reader in readers:
        reader.stop()


def expected(events: int, groups: int, start: datetime) -> Counter[str]:
    """The requests, and the lines that are the functions' own: each is there once."""
    told: Counter[str] = Counter()
    for _, _, written_ in written(events, groups, start):
        for event in written_:
            message = str(event["message"])
            if message.startswith("REPORT"):
                told[message.split()[2].rstrip()] += 1
            elif message.startswith("[INFO]"):
                told[message.split("\t", 3)[3].rstrip()] += 1
    return told


def stored() -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT request_id FROM telemetry_invocation UNION ALL "
            "SELECT message FROM telemetry_log_line WHERE level = 'INFO' AND message LIKE 'order %'"
        )
        return Counter(text for (text,) in cursor.fetchall())


def run(options: argparse.Namespace) -> dict[str, object]:
    now = datetime.now(UTC)  # noqa: TID251  # A bench is an entry point; it reads the clock.
    late, throttle = seconds(options.late), float(options.throttle.rstrip("%")) / 100
    start = (now - timedelta(hours=3)).replace(second=0, microsecond=0)
    faults = Faults(
        seed=options.seed, actions=(FILTER,), throttled=throttle, late_share=0.5, late_s=late, empty_pages=1
    )
    with Stack(), LogServer(events=options.events, groups=options.groups, start=start, faults=faults) as server:
        organization, _ = tenant("acme", now)
        account = log_reader.connect(organization, names(options.groups), start)
        direct = DirectRegion(server.url)
        loop_s = bare_loop(direct, names(options.groups), start)
        whole_s = read_all(direct, account, start + SPREAD + timedelta(minutes=5))
        clean(account)
        parse_s = parse_and_store(account, options.events, options.groups, start, now)
        clean(account)
        began = time.monotonic()
        log_groups.cover(
            account_pk=account.pk,
            region=direct.region,
            functions=log_reader.scope(account, start, {}).functions,
            now=start,
        )
        race(server, account, start, start + SPREAD + timedelta(seconds=late) + AFTER, options)
        race_s = time.monotonic() - began
        found, wanted = stored(), expected(options.events, options.groups, start)
        calls, spoiled = server.calls()
    throttled = spoiled.get("throttled", 0)
    return {
        "events": server.events,
        "events_per_s": round(server.events / whole_s),
        "bare_loop_per_s": round(server.events / loop_s),
        "ratio": round(loop_s / whole_s, 3),
        "parse_to_stored_per_s": round(server.events / parse_s),
        "missed": (wanted - found).total(),
        "duplicates": (found - wanted).total(),
        "api_calls": calls,
        "throttled": throttled,
        "calls_ratio": round(calls / (calls - throttled), 3),
        "withheld": spoiled.get("withheld", 0),
        "kills": options.kill,
        "simulated_min": round((SPREAD + timedelta(seconds=late) + AFTER) / timedelta(minutes=1)),
        "seconds": round(race_s, 1),
    }


def clean(account: AwsAccount) -> None:
    facts.truncate()
    LogGroup.objects.filter(account=account).delete()
