"""A simulated AWS with log groups full of invocations, in a process of its own, and a way in without budgets.

with LogServer(events=100_000, groups=4, faults=Faults(throttled=0.3)) as server:
    server.move_to(now)        # for the proxy that spoils answers
    server.region(spoilt=True).pages("logs", "filter_log_events", …)
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from random import Random
from typing import Any

import botocore.config
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from bench.child import Child, spawned
from bench.faults import FILTER, FaultProxy, Faults
from demo.aws.proxy import root_key
from demo.aws.server import SECRET, SimulatedAws
from ingest import clock
from observability.aws.leases import Target
from observability.aws.problems import classify

ACCOUNT, REGION = "123456789012", "eu-west-1"
PER_CALL = 5_000
STREAMS = 3
SPREAD = timedelta(minutes=30)
"""Over so long the events of a group are spread."""


def names(groups: int) -> list[str]:
    return [f"function-{number}" for number in range(groups)]


def lines(number: int, at_ms: int) -> list[str]:
    """What one invocation writes: seven events."""
    request_id = f"{number:08x}-49c9-448d-89b8-7ca3e6dc66aa"
    time = (clock.EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    report = f"Duration: {number % 900}.50 ms\tBilled Duration: {number % 900 + 1} ms"
    return [
        f"START RequestId: {request_id} Version: $LATEST\n",
        *(f"[INFO]\t{time}\t{request_id}\torder {number} step {step}: 3 items for 27.50 EUR\n" for step in range(3)),
        f'{{"level":"INFO","requestId":"{request_id}","message":"charged","order":{number},"service":"shop"}}\n',
        f"END RequestId: {request_id}\n",
        f"REPORT RequestId: {request_id}\t{report}\tMemory Size: 512 MB\tMax Memory Used: 96 MB\t\n",
    ]


def written(events: int, groups: int, start: datetime) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Function, stream and events; every tenth invocation shares its millisecond with others."""
    chance, first, per_stream = Random(7), clock.milliseconds(start), events // (7 * groups * STREAMS)
    number = 0
    for name in names(groups):
        for stream in range(STREAMS):
            told: list[dict[str, Any]] = []
            for at in sorted(chance.randrange(SPREAD // timedelta(milliseconds=1)) for _ in range(per_stream)):
                number += 1
                at_ms = first + (at - at % 60_000 if number % 10 == 0 else at)
                told += [{"timestamp": at_ms, "message": line} for line in lines(number, at_ms)]
            yield name, f"2026/11/25/[$LATEST]{stream}", sorted(told, key=lambda event: event["timestamp"])


def fill(aws: SimulatedAws, events: int, groups: int, start: datetime) -> int:
    """Write everything; answers how many events that were."""
    logs, count = aws.account(ACCOUNT).client("logs", REGION), 0
    for name in names(groups):
        logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    for name, stream, told in written(events, groups, start):
        place = {"logGroupName": f"/aws/lambda/{name}", "logStreamName": stream}
        logs.create_log_stream(**place)
        for first in range(0, len(told), PER_CALL):
            logs.put_log_events(**place, logEvents=told[first : first + PER_CALL])
        count += len(told)
    return count


def serve(pipe: Connection, now: Any, events: int, groups: int, start: datetime, faults: Faults) -> None:
    """The child: serves until the parent hangs up, and tells what it was asked when it is asked for that."""
    with SimulatedAws() as aws, FaultProxy(aws.url, faults, clock=lambda: now.value) as proxy:
        pipe.send((aws.url, proxy.url, fill(aws, events, groups, start)))
        while pipe.recv() == "calls":
            pipe.send((proxy.calls[FILTER], dict(proxy.spoiled)))


@dataclass
class DirectRegion:
    """``Region`` without budgets and without second tries: what the reader does about failures shows."""

    url: str
    target: Target = field(default_factory=lambda: Target(ACCOUNT, "aws", "", "", "bench"))
    region: str = REGION

    def __post_init__(self) -> None:
        self.logs = botocore.session.Session().create_client(
            "logs", region_name=REGION, endpoint_url=self.url, aws_access_key_id=root_key(ACCOUNT),
            aws_secret_access_key=SECRET, config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.logs, operation)(**parameters)
        except (BotoCoreError, ClientError) as error:
            raise classify(error, action=f"{service}:{operation}") from None
        return answer

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        token: dict[str, Any] = {}
        while True:
            page = self.call(service, operation, **parameters, **token)
            yield page
            if "nextToken" not in page:
                return
            token = {"nextToken": page["nextToken"]}


class LogServer(Child):
    """The child process, seen from the parent."""

    def __init__(self, *, events: int, groups: int, start: datetime, faults: Faults) -> None:
        self.now: Any = spawned.Value("d", 0.0)
        super().__init__(serve, self.now, events, groups, start, faults)

    def ready(self, told: tuple[str, str, int]) -> None:
        self.url, self.spoilt_url, self.events = told

    def move_to(self, now: datetime) -> None:
        """Late events are there from their time of arrival on, by this clock."""
        self.now.value = now.timestamp()

    def calls(self) -> tuple[int, dict[str, int]]:
        """How many pages were asked for through the proxy, and what it spoiled."""
        told: tuple[int, dict[str, int]] = self.ask("calls")
        return told
