"""The simulated accounts tell one consistent story, in the words of CloudWatch."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from demo.aws import estate, traffic
from demo.aws.answers import kept_warm
from demo.aws.lines import lines
from demo.aws.live import Life
from demo.aws.server import SimulatedAws
from demo.catalogue import CATALOGUE, FAILURE_SHARES, FLEET, SHOP, Function
from demo.telemetry import Run
from ingest.parser import Batch, Event, FunctionInfo
from ingest.parsers import parse_stream
from observability.telemetry.records import Fault, FaultKind, Invocation, LogLine, Outcome

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
KINDS = {"timeout": FaultKind.TIMEOUT, "out_of_memory": FaultKind.OUT_OF_MEMORY}
FAILING = [(function, failure) for function in FLEET for failure in FAILURE_SHARES.get(function.name, {})]


def records(run: Run) -> list[Invocation | LogLine | Fault]:
    messages = [
        Event(number.to_bytes(16, "big"), NOW.date(), at, "function", message)
        for number, (at, message) in enumerate(lines(run, "3"), 1)
    ]
    function = run.function
    info = FunctionInfo(arn=function.arn, memory_mb=function.memory_mb, architecture=function.architecture, version="3")
    return parse_stream(Batch(1, 2, info, function.region, messages))


class TestLines:
    @pytest.mark.parametrize("function", FLEET, ids=[function.name for function in FLEET])
    def test_of_a_cold_start_are_understood(self, function: Function) -> None:
        found = records(Run(function, NOW, 120.0, True, "", 0))
        (invocation,) = [record for record in found if isinstance(record, Invocation)]
        assert invocation.outcome == Outcome.SUCCESS
        assert invocation.cold_start
        assert not [record for record in found if isinstance(record, Fault)]
        assert [record for record in found if isinstance(record, LogLine)]

    @pytest.mark.parametrize(("function", "failure"), FAILING, ids=[f"{f.name}-{failure}" for f, failure in FAILING])
    def test_of_a_failure_are_understood(self, function: Function, failure: str) -> None:
        found = records(Run(function, NOW, 120.0, False, failure, 0))
        (fault,) = [record for record in found if isinstance(record, Fault)]
        assert fault.kind == KINDS.get(failure, FaultKind.EXCEPTION)
        (invocation,) = [record for record in found if isinstance(record, Invocation)]
        assert invocation.outcome != Outcome.SUCCESS

    def test_in_the_json_format_are_json(self) -> None:
        function = next(function for function in FLEET if function.log_format == "JSON")
        for failure in ("", *FAILURE_SHARES[function.name]):
            assert all(json.loads(message) for _, message in lines(Run(function, NOW, 120.0, True, failure, 0), "3"))


def told(start: datetime, end: datetime) -> Counter[tuple[str, int, str]]:
    found = traffic.log_events(start, end, NOW)
    return Counter(
        (stream.name, event["timestamp"], event["message"]) for stream, events in found.items() for event in events
    )


class TestStory:
    def test_is_the_same_however_it_is_sliced(self) -> None:
        middle = NOW - timedelta(minutes=11, seconds=7)
        assert told(NOW - HOUR, NOW) == told(NOW - HOUR, middle) + told(middle, NOW)

    def test_an_environment_serves_one_invocation_at_a_time(self) -> None:
        until: dict[tuple[str, str], datetime] = {}
        for function in FLEET:
            for minute in range(60):
                for run in traffic.runs(function, NOW.replace(minute=minute), NOW):
                    place = (function.name, traffic.stream(run, NOW).name)
                    assert until.get(place, run.started_at) <= run.started_at
                    until[place] = traffic.end_of(run)

    def test_a_rule_misses_one_run_an_hour(self) -> None:
        ledger = next(function for function in FLEET if function.name == traffic.MISSES)
        for hour in range(24):
            minutes = [NOW.replace(hour=hour, minute=minute) for minute in range(60)]
            assert sum(len(traffic.runs(ledger, minute, NOW)) for minute in minutes) == 3

    def test_figures_count_what_the_lines_tell(self) -> None:
        start = NOW - HOUR
        counted: Counter[str] = Counter()
        for data in traffic.figures(start, NOW, NOW).values():
            for datum in data:
                if datum["MetricName"] == "Invocations":
                    counted[datum["Dimensions"][0]["Value"]] += int(datum["StatisticValues"]["Sum"])
        for function in FLEET:
            began = [traffic.runs(function, start + minute * timedelta(minutes=1), NOW) for minute in range(60)]
            assert counted[function.name] == sum(map(len, began))


@pytest.fixture(scope="module")
def customer(aws_server: SimulatedAws) -> Iterator[Any]:
    """Built once for this file, because it takes seconds."""
    aws_server.reset()
    estate.build(aws_server)
    yield aws_server.account(SHOP)
    aws_server.reset()


def test_accounts_come_alive(aws_server: SimulatedAws, customer: Any) -> None:
    now = datetime.now(UTC)  # noqa: TID251  # CloudWatch takes only what is fresh.
    life = Life(aws_server, anchor=now, told_until=now, now=now - timedelta(seconds=30))
    life.go_on(now - timedelta(seconds=30))
    life.go_on(now)
    logs, group = customer.client("logs"), "/aws/lambda/shop-orders-api"
    wanted = {"logGroupName": group, "startTime": int((now - HOUR / 2).timestamp() * 1000)}
    events = logs.filter_log_events(**wanted)["events"]
    assert len(events) > 20
    assert len({event["eventId"] for event in events}) == len(events)
    worker = customer.client("lambda").get_function_configuration(FunctionName="shop-order-worker")
    assert worker["Description"].startswith("Release ")
    life.forget(now + 24 * HOUR)
    assert not logs.filter_log_events(**wanted)["events"]


def test_accounts_hold_what_hangs_together(customer: Any) -> None:
    europe, america = "eu-central-1", "us-east-1"
    functions = customer.client("lambda", europe)
    versions = functions.list_versions_by_function(FunctionName="shop-orders-api")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2", "3"]
    assert {mapping["EventSourceArn"].split(":")[2] for mapping in functions.list_event_source_mappings()[
        "EventSourceMappings"]} == {"sqs", "kinesis"}  # fmt: skip
    assert customer.client("apigatewayv2", europe).get_apis()["Items"]
    assert customer.client("apigateway", america).get_rest_apis()["items"]
    assert customer.client("scheduler", america).list_schedules()["Schedules"]
    assert customer.client("events", europe).list_rules()["Rules"]


def test_what_is_kept_warm_is_listed_and_never_needed_whole() -> None:
    (warm,) = (function for function in CATALOGUE if function.warm)
    known = SimpleNamespace(
        function_name=warm.name, function_arn=warm.arn, last_modified="2026-11-02T09:30:00.000+0000"
    )
    (config,) = kept_warm(known)["ProvisionedConcurrencyConfigs"]
    assert config["FunctionArn"] == f"{warm.arn}:live"
    assert config["RequestedProvisionedConcurrentExecutions"] == warm.warm
    hour = [NOW - number * timedelta(minutes=1) for number in range(60)]
    busy = [
        datum["StatisticValues"]["Maximum"]
        for minute in hour
        for datum in traffic.data(warm, minute, traffic.runs(warm, minute, NOW))
        if datum["MetricName"] == "ProvisionedConcurrencyUtilization"
    ]
    assert busy
    assert 0 < max(busy) < 0.6
    assert kept_warm(SimpleNamespace(function_name="other")) == {"ProvisionedConcurrencyConfigs": []}
