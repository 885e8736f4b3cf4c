"""The product's own door to AWS understands the canned answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from bench.canned_aws import CannedAws
from demo.aws.server import environment
from ingest.collector import Function, Scope
from ingest.collectors import BY_KIND
from ingest.collectors.lambda_logs import fetch_events
from observability.aws import sessions
from observability.aws.sessions import Region, Target
from observability.telemetry.records import Window

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
REGION = "eu-west-1"
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def canned() -> Iterator[CannedAws]:
    with CannedAws(functions=2, busy=1) as aws:
        yield aws


@pytest.fixture
def canned_aws(canned: CannedAws, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CannedAws:
    for name, value in environment(canned.url).items():
        monkeypatch.setenv(name, value)
    settings.AWS_ENDPOINT_URL = canned.url
    return canned


def region(number: int) -> Region:
    account = f"{number:012d}"
    return sessions.region(Target(account, "aws", f"arn:aws:iam::{account}:role/r", "external", "acme"), REGION)


def scope(aws: Region) -> Scope:
    arn = f"arn:aws:lambda:{REGION}:{aws.target.account}:function:"
    known = {name: Function(key, arn + name, name, {}, None) for key, name in enumerate(("function-0", "function-1"))}
    return Scope(1, aws.target.account, "aws", REGION, NOW, functions=known)


def test_functions_are_listed_and_described(canned_aws: CannedAws) -> None:
    aws, collector = region(2), BY_KIND["lambda_functions"]
    harvest = collector.transform(collector.fetch(aws, scope(aws)), scope(aws))
    assert [found.name for found in harvest.found if found.type == "lambda_function"] == ["function-0", "function-1"]
    assert not harvest.lacking
    assert canned_aws.calls()["AssumeRole"] >= 1


def test_figures_are_one_a_minute(canned_aws: CannedAws) -> None:
    aws, collector = region(3), BY_KIND["lambda_metrics"]
    harvest = collector.transform(collector.fetch(aws, scope(aws)), scope(aws))
    minutes = {point.at for point in harvest.points if point.metric == "Invocations" and point.resource_id == 0}
    assert max(minutes) == NOW - MINUTE
    assert len(minutes) > 60


@pytest.mark.parametrize(("account", "events", "calls"), [(1, 4 * 10 * 60 * 5, 2), (2, 4 * 5, 1)])
def test_logs_of_busy_accounts_fill_pages(canned_aws: CannedAws, account: int, events: int, calls: int) -> None:
    window = Window(NOW - 5 * MINUTE, NOW)
    fetched = fetch_events(region(account), "/aws/lambda/function-0", window, beyond=NOW)
    assert (len(fetched.events), fetched.calls, fetched.complete) == (events, calls, True)
    assert len({(event["timestamp"], event["eventId"]) for event in fetched.events}) == events
