"""One account's CloudWatch Logs in memory, by a clock of its own: late events, empty pages, throttling, and trouble."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from ingest import clock
from ingest.collector import Function, Scope
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Target
from observability.inventory.models import Resource
from observability.tenants.models import Organization

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ACCOUNT, REGION = "123456789012", "eu-west-1"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Said:
    """A line, when it was said, and when CloudWatch shows it."""

    at_ms: int
    shown_ms: int
    number: int
    stream: str
    message: str


@dataclass
class Logs:
    """``Region`` over log groups. ``page`` events are on a page; every third page is empty and has a token."""

    now: datetime = NOW
    page: int = 1_000
    empty: bool = False
    throttle: float = 0.0
    groups: dict[str, list[Said]] = field(default_factory=dict)
    described: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: dict[str, Trouble] = field(default_factory=dict)
    named: bool = True
    target: Target = field(default_factory=lambda: Target(ACCOUNT, "aws", "", "", "acme"))
    region: str = REGION
    calls: int = 0
    asked: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    lock: Lock = field(default_factory=Lock)

    def say(
        self,
        group: str,
        message: str,
        *,
        at: datetime,
        late: timedelta = timedelta(),
        stream: str = "2026/11/25/[$LATEST]a",
    ) -> None:
        lines = self.groups.setdefault(group, [])
        shown = clock.milliseconds(at + late)
        lines.append(Said(clock.milliseconds(at), shown, len(lines), stream, message))

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        raise NotImplementedError

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield from getattr(self, operation)(**parameters)

    def describe_log_groups(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self._count("DescribeLogGroups", "")
        names = [name for name in self.groups if name.startswith(asked["logGroupNamePrefix"])]
        yield {"logGroups": []}
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
        yield {
            "logGroups": [
                {"logGroupName": name, "arn": f"{arn}{name}", **self.described.get(name, {})} for name in names
            ]
        }

    def filter_log_events(self, **asked: Any) -> Iterator[dict[str, Any]]:
        group, start, end = asked["logGroupName"], asked["startTime"], asked["endTime"]
        self.asked.append((group, *(clock.EPOCH + timedelta(milliseconds=ms) for ms in (start, end))))
        shown = clock.milliseconds(self.now)
        found = sorted(
            (line.at_ms, line.shown_ms, line.number, line)
            for line in self.groups.get(group, [])
            if start <= line.at_ms <= end and line.shown_ms <= shown
        )
        for number, first in enumerate(range(0, max(len(found), 1), self.page)):
            if self.empty and number % 3 == 0:
                self._count("FilterLogEvents", group)
                yield {"events": [], "nextToken": f"{number}"}
            self._count("FilterLogEvents", group)
            yield {"events": [self._event(line) for *_, line in found[first : first + self.page]]}

    def _event(self, line: Said) -> dict[str, Any]:
        event = {
            "logStreamName": line.stream,
            "timestamp": line.at_ms,
            "ingestionTime": line.shown_ms,
            "message": line.message,
        }
        return event | ({"eventId": f"{line.at_ms}{line.number:09}"} if self.named else {})

    def _count(self, action: str, group: str) -> None:
        with self.lock:
            self.calls += 1
            if self.chance.random() < self.throttle:
                raise AwsError(Trouble.THROTTLED, f"logs:{action}")
        if group and (group in self.broken or group not in self.groups):
            raise AwsError(self.broken.get(group, Trouble.NOT_FOUND), f"logs:{action}", "as the test says")


def connect(organization: Organization) -> AwsAccount:
    return AwsAccount.objects.create(
        organization=organization, name="production", account_id=ACCOUNT, role_arn="", external_id=organization.slug,
        regions=[REGION], status=AwsAccount.Status.CONNECTED, created_at=NOW, connected_at=NOW,
    )  # fmt: skip


def function(organization: Organization, name: str, **config: object) -> Function:
    """A function that AWS listed."""
    row = Resource.objects.create(
        organization=organization, arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}", name=name, region=REGION,
        account=ACCOUNT, config={"memory_mb": 128, "timeout_s": 3, "architecture": "arm64", **config},
        first_seen_at=NOW, last_seen_at=NOW,
    )  # fmt: skip
    return known(row)


def known(row: Resource) -> Function:
    return Function(row.pk, row.arn, row.name, row.config, row.pushed_at)


def scope(organization: Organization, *functions: Function, now: datetime = NOW, cursor: Any = None) -> Scope:
    by_name = {each.name: each for each in functions}
    return Scope(organization.pk, ACCOUNT, "aws", REGION, now, cursor or {}, by_name)


def invocation(number: int) -> list[str]:
    """What one successful invocation writes, with a line of its own."""
    request_id = f"{number:08d}-49c9-448d-89b8-7ca3e6dc66aa"
    return [
        f"START RequestId: {request_id} Version: $LATEST\n",
        f"[INFO]\t2026-11-25T12:00:00.000Z\t{request_id}\tline {number}\n",
        f"END RequestId: {request_id}\n",
        f"REPORT RequestId: {request_id}\tDuration: 12.00 ms\tBilled Duration: 12 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 60 MB\t\n",
    ]
