"""A pretend AWS that costs next to nothing: canned answers to what is asked of functions, metrics and logs.

It checks nobody's rights and keeps nothing. Each account has a few functions, each of which runs once a minute; those
of the first ``busy`` accounts run ten times a second, so that their logs come in full pages.

with CannedAws(functions=2, busy=1) as aws:
    settings.AWS_ENDPOINT_URL = aws.url
    …
    aws.calls()
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import product
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import parse_qs

from bench.child import Child

QUIET_MS, BUSY_MS = 60_000, 100
"""Between two runs of a function."""

PER_PAGE = 2_000
"""Invocations, which are a megabyte."""

ACCESS_KEY = re.compile(rb"Credential=ASIA(\d{12})/\d+/([\w-]+)/(\w+)/")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
TARGET = re.compile(rb"(?i)\r\nx-amz-target: *[\w]+\.(\w+)")
FUNCTION = re.compile(r"/functions/([\w-]+)/")
METRICS = ("Invocations", "Errors", "Duration", "ConcurrentExecutions")
ROLE = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA{account}</AccessKeyId><SecretAccessKey>canned</SecretAccessKey><SessionToken>canned</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class Answers:
    """What each call is answered; ``functions`` is how many there are in every account and region."""

    def __init__(self, functions: int, busy: int) -> None:
        self.busy = busy
        self.names = [f"function-{number}" for number in range(functions)]
        self.by_target: dict[str, Callable[[str, str, dict[str, Any]], object]] = {
            "GetResources": lambda account, region, asked: {"ResourceTagMappingList": []},
            "DescribeLogGroups": self.log_groups,
            "FilterLogEvents": self.log_events,
            "ListMetrics": self.metrics,
            "GetMetricData": self.figures,
        }

    def rest(self, path: str, account: str, region: str) -> object:
        """The Lambda API."""
        if path.endswith("/functions"):
            return {"Functions": [self.function(name, account, region) for name in self.names]}
        if path.endswith("/account-settings"):
            limit = {"ConcurrentExecutions": 1000, "TotalCodeSize": 80_530_636_800}
            return {"AccountLimit": limit, "AccountUsage": {"TotalCodeSize": 5_000, "FunctionCount": len(self.names)}}
        if path.endswith("/configuration") and (match := FUNCTION.search(path)):
            return self.function(match[1], account, region)
        if path.endswith("/versions") and (match := FUNCTION.search(path)):
            return {"Versions": [self.function(match[1], account, region)]}
        # One of these is what each of the other listings is called; the rest of the keys is ignored.
        return {"EventSourceMappings": [], "Aliases": [], "FunctionEventInvokeConfigs": [], "FunctionUrlConfigs": []}

    def function(self, name: str, account: str, region: str) -> dict[str, Any]:
        return {
            "FunctionName": name, "FunctionArn": f"arn:aws:lambda:{region}:{account}:function:{name}",
            "Runtime": "python3.13", "Handler": "app.handler", "MemorySize": 512, "Timeout": 30, "CodeSize": 5_000,
            "CodeSha256": "canned", "Version": "$LATEST", "LastModified": "2026-11-01T00:00:00.000+0000",
            "Role": f"arn:aws:iam::{account}:role/functions", "Architectures": ["arm64"], "State": "Active",
            "RevisionId": name,
        }  # fmt: skip

    def log_groups(self, account: str, region: str, asked: dict[str, Any]) -> object:
        arn = f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/"
        return {"logGroups": [{"logGroupName": f"/aws/lambda/{name}", "arn": arn + name} for name in self.names]}

    def log_events(self, account: str, region: str, asked: dict[str, Any]) -> object:
        every = BUSY_MS if int(account) <= self.busy else QUIET_MS
        first = -(-int(asked.get("nextToken") or asked["startTime"]) // every) * every
        times = range(first, asked["endTime"] + 1, every)
        answer: dict[str, Any] = {"events": [event for at in times[:PER_PAGE] for event in invocation(at)]}
        return answer | ({"nextToken": str(times[PER_PAGE])} if len(times) > PER_PAGE else {})

    def metrics(self, account: str, region: str, asked: dict[str, Any]) -> object:
        found = [
            {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": [{"Name": "FunctionName", "Value": name}]}
            for name, metric in product(self.names, METRICS)
        ]
        return {"Metrics": found}

    def figures(self, account: str, region: str, asked: dict[str, Any]) -> object:
        start, end = moment(asked["StartTime"]), moment(asked["EndTime"])
        minutes = list(range(-(-start // 60) * 60, end, 60))
        results = [
            {"Id": query["Id"], "Label": "", "Timestamps": minutes, "Values": [1.0] * len(minutes),
             "StatusCode": "Complete"}
            for query in asked["MetricDataQueries"]
        ]  # fmt: skip
        return {"MetricDataResults": results}


def moment(given: Any) -> int:
    return int(given if isinstance(given, int | float) else datetime.fromisoformat(given).timestamp())


def invocation(at_ms: int) -> Iterator[dict[str, Any]]:
    """What one run writes."""
    request_id = f"{at_ms % 2**32:08x}-49c9-448d-89b8-7ca3e6dc66aa"
    report = (
        f"Duration: 12.50 ms\tBilled Duration: 13 ms\tMemory Size: 512 MB\tMax Memory Used: {64 + at_ms % 7} MB\t\n"
    )
    lines = (
        f"START RequestId: {request_id} Version: $LATEST\n",
        f"[INFO]\t2026-11-25T12:00:00.000Z\t{request_id}\torder {at_ms}: 3 items for 27.50 EUR\n",
        f"END RequestId: {request_id}\n",
        f"REPORT RequestId: {request_id}\t{report}",
    )
    for number, line in enumerate(lines):
        yield {"timestamp": at_ms, "message": line, "eventId": f"{at_ms}{number}", "ingestionTime": at_ms,
               "logStreamName": "2026/11/25/[$LATEST]canned"}  # fmt: skip


class Speaker(asyncio.Protocol):
    """HTTP as botocore speaks it, on one connection."""

    def __init__(self, answers: Answers, calls: Counter[str]) -> None:
        self.answers, self.calls, self.heard = answers, calls, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        while (end := self.heard.find(b"\r\n\r\n")) >= 0:
            head = self.heard[:end]
            length = int(match[1]) if (match := LENGTH.search(head)) else 0
            if len(self.heard) < end + 4 + length:
                return
            body, self.heard = self.heard[end + 4 : end + 4 + length], self.heard[end + 4 + length :]
            answer = self.answer(head, body)
            assert isinstance(self.transport, asyncio.WriteTransport)
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)

    def answer(self, head: bytes, body: bytes) -> bytes:
        caller = ACCESS_KEY.search(head)
        if caller is None:
            self.calls["AssumeRole"] += 1
            account = parse_qs(body.decode())["RoleArn"][0].split(":")[4]
            return ROLE.format(account=account).encode()
        account, region, service = (part.decode() for part in caller.groups())
        if target := TARGET.search(head):
            self.calls[name := target[1].decode()] += 1
            return json.dumps(self.answers.by_target[name](account, region, json.loads(body))).encode()
        self.calls[service] += 1
        path = head.split(b" ", 2)[1].decode().partition("?")[0].rstrip("/")
        return json.dumps(self.answers.rest(path, account, region)).encode()


async def listen(pipe: Connection, answers: Answers) -> None:
    """Serve until the parent hangs up, and tell what was asked when it wants to know."""
    calls: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Speaker(answers, calls), "127.0.0.1", 0)
    pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    while await loop.run_in_executor(None, pipe.recv):
        pipe.send(dict(calls))
    server.close()


def serve(pipe: Connection, functions: int, busy: int) -> None:
    asyncio.run(listen(pipe, Answers(functions, busy)))


class CannedAws(Child):
    """The pretend AWS in a process of its own."""

    def __init__(self, *, functions: int, busy: int = 0) -> None:
        super().__init__(serve, functions, busy)

    def ready(self, told: str) -> None:
        self.url = told

    def calls(self) -> dict[str, int]:
        """How often each operation was asked for; those of Lambda are counted together."""
        told: dict[str, int] = self.ask("calls")
        return told
