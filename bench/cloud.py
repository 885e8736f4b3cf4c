"""A simulated AWS in a process of its own: accounts with functions that ran for a while, and two ways in.

One way counts what is asked, the other spoils answers as well.

with Cloud(Estate(accounts=2, functions=2, start=start, minutes=60), Faults(throttled=0.3)) as cloud:
    settings.AWS_ENDPOINT_URL = cloud.spoilt_url
    …
    cloud.told(spoilt=True).made
"""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from bench.child import Child
from bench.faults import FaultProxy, Faults
from bench.log_server import lines
from demo.aws.server import PRINCIPAL, SimulatedAws
from ingest import clock

REGION = "eu-central-1"
ROLE = "nightjar"
EVERY = timedelta(seconds=15)
"""Between two invocations of a function."""

TRUST = {"Effect": "Allow", "Principal": {"AWS": PRINCIPAL}, "Action": "sts:AssumeRole"}
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MINUTE = timedelta(minutes=1)


Figure = tuple[str, float, datetime]
"""A metric, its value, and in which minute."""


@dataclass(frozen=True, slots=True)
class Estate:
    """What there is, and what happened from ``start`` on."""

    accounts: int
    functions: int
    start: datetime
    minutes: int

    @property
    def end(self) -> datetime:
        return self.start + self.minutes * MINUTE

    def account_ids(self) -> list[str]:
        return [f"{70_000_000_000 + number:012d}" for number in range(self.accounts)]

    def names(self) -> list[str]:
        return [f"function-{number}" for number in range(self.functions)]

    def runs(self) -> Iterator[tuple[int, datetime]]:
        """Number and time of each invocation of any function: all of them run at the same moments."""
        for number in range((self.end - self.start) // EVERY):
            yield number, self.start + number * EVERY

    def figures(self) -> Iterator[Figure]:
        """What CloudWatch counts of any function in each minute."""
        for minute in range(self.minutes):
            at = self.start + minute * MINUTE
            yield "Invocations", float(MINUTE // EVERY), at
            yield "Duration", 100.0 + minute, at
            yield "ConcurrentExecutions", 1.0, at
            if minute % 3 == 0:
                yield "Errors", 1.0, at


@dataclass(frozen=True, slots=True)
class Told:
    """What one way in was asked: second, account, region and action of each call; and what was spoilt."""

    made: list[tuple[float, str, str, str]]
    spoilt: Counter[str]


def fill(aws: SimulatedAws, estate: Estate) -> None:
    """The roles, the functions, their logs and their figures."""
    for account in estate.account_ids():
        root = aws.account(account)
        iam, functions, logs = (root.client(service, REGION) for service in ("iam", "lambda", "logs"))
        trust, policy = (json.dumps({"Version": "2012-10-17", "Statement": [part]}) for part in (TRUST, ANYTHING))
        role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName=ROLE, PolicyName="everything", PolicyDocument=policy)
        for name in estate.names():
            functions.create_function(
                FunctionName=name, Runtime="python3.13", Role=role, Handler="app.handler", MemorySize=512,
                Architectures=["arm64"], Code={"ZipFile": empty_zip()},
            )  # fmt: skip
            write(logs, name, estate)
            cloudwatch_backends[account][REGION].put_metric_data("AWS/Lambda", list(data(name, estate)))


def empty_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("app.py", "")
    return file.getvalue()


def write(logs: Any, name: str, estate: Estate) -> None:
    """The function's log."""
    place = {"logGroupName": f"/aws/lambda/{name}", "logStreamName": "2026/11/25/[$LATEST]a"}
    logs.create_log_group(logGroupName=place["logGroupName"])
    logs.create_log_stream(**place)
    told = [
        {"timestamp": clock.milliseconds(at), "message": line}
        for number, at in estate.runs()
        for line in lines(number, clock.milliseconds(at))
    ]
    for first in range(0, len(told), 5_000):
        logs.put_log_events(**place, logEvents=told[first : first + 5_000])


def data(name: str, estate: Estate) -> Iterator[dict[str, Any]]:
    for metric, value, at in estate.figures():
        yield {
            "MetricName": metric, "Value": value, "Timestamp": at.replace(tzinfo=None),
            "Dimensions": [{"Name": "FunctionName", "Value": name}],
        }  # fmt: skip


def serve(pipe: Connection, estate: Estate, faults: Faults) -> None:
    """The child: serves until the parent hangs up, and tells what it was asked when it is asked for that."""
    with SimulatedAws() as aws, FaultProxy(aws.url, Faults()) as clean, FaultProxy(aws.url, faults) as spoilt:
        fill(aws, estate)
        pipe.send((clean.url, spoilt.url))
        while proxy := {"clean": clean, "spoilt": spoilt}.get(pipe.recv()):
            pipe.send(Told(list(proxy.made), Counter(proxy.spoiled)))


class Cloud(Child):
    """The child process, seen from the parent."""

    def __init__(self, estate: Estate, faults: Faults) -> None:
        super().__init__(serve, estate, faults)

    def ready(self, told: tuple[str, str]) -> None:
        self.url, self.spoilt_url = told

    def told(self, *, spoilt: bool) -> Told:
        told: Told = self.ask("spoilt" if spoilt else "clean")
        return told
