"""What wakes functions: rules and schedules."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo.aws.server import SimulatedAws
from ingest.collector import Harvest, Scope
from ingest.collectors.event_sources import EventSources, Raw
from ingest.pipeline import PATIENCE
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Target
from tests.aws_region import RootRegion

ACCOUNT, REGION = "720155190031", "eu-central-1"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SCOPE = Scope(7, ACCOUNT, "aws", REGION, NOW)
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
RULE = {
    "Name": "nightly", "Arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly", "State": "ENABLED",
    "ScheduleExpression": "cron(0 3 * * ? *)", "EventBusName": "default", "Description": "tidies up",
}  # fmt: skip
PATTERN = {
    "Name": "paid", "Arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/shop/paid", "State": "DISABLED",
    "EventPattern": '{"source":["shop"]}', "EventBusName": "shop",
}  # fmt: skip
LISTED = {
    "Arn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/hourly", "Name": "hourly", "GroupName": "default",
    "State": "ENABLED", "LastModificationDate": NOW, "Target": {"Arn": FUNCTION + "report"},
}  # fmt: skip
READ = {
    **LISTED, "ScheduleExpression": "rate(1 hour)", "ScheduleExpressionTimezone": "Europe/Berlin",
    "StartDate": NOW - timedelta(days=1), "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
    "Target": {"Arn": FUNCTION + "report:live", "RoleArn": "arn:aws:iam::1:role/r", "Input": '{"token":"hunter2"}'},
}  # fmt: skip


def harvest(rules: Any = (), schedules: Any = (), *, complete: bool = True, cursor: Any = None) -> Harvest:
    raw = Raw(rules, schedules, [], complete, ())
    return EventSources().transform(raw, replace(SCOPE, cursor=cursor or {}))


def invoke(**target: Any) -> dict[str, Any]:
    return {**READ, "Target": {"Arn": "arn:aws:scheduler:::aws-sdk:lambda:invoke", **target}}


class TestRules:
    def test_with_a_function_are_told(self) -> None:
        targets = [{"Id": "1", "Arn": FUNCTION + "tidy:prod"}, {"Id": "2", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}]
        nightly, paid = harvest([(RULE, targets), (PATTERN, [{"Id": "1", "Arn": FUNCTION + "mail"}])]).found
        assert (nightly.type, nightly.arn, nightly.name, nightly.tags) == ("schedule_rule", RULE["Arn"], "nightly", {})
        assert nightly.config == {
            "kind": "rule", "expression": "cron(0 3 * * ? *)", "timezone": "UTC", "pattern": "", "bus": "default",
            "state": "ENABLED", "description": "tidies up", "targets": [FUNCTION + "tidy"],
            "dead_letters": [], "unguarded": [FUNCTION + "tidy"],
        }  # fmt: skip
        assert (paid.config["pattern"], paid.config["state"]) == ('{"source":["shop"]}', "DISABLED")

    def test_say_where_failed_events_go(self) -> None:
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
        guarded = {"Id": "1", "Arn": FUNCTION + "tidy", "DeadLetterConfig": {"Arn": queue}}
        (one,) = harvest([(RULE, [guarded])]).found
        assert (one.config["dead_letters"], one.config["unguarded"]) == ([queue], [])
        (both,) = harvest([(RULE, [guarded, {"Id": "2", "Arn": FUNCTION + "mail"}])]).found
        assert (both.config["dead_letters"], both.config["unguarded"]) == ([queue], [FUNCTION + "mail"])

    def test_without_a_function_are_not(self) -> None:
        assert not harvest([(RULE, []), (PATTERN, [{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}])]).found


class TestSchedules:
    def test_that_were_read_are_told(self) -> None:
        told = harvest(schedules=[(LISTED, READ)])
        (hourly,) = told.found
        assert (hourly.type, hourly.arn, hourly.name) == ("schedule_rule", LISTED["Arn"], "hourly")
        assert hourly.config == {
            "kind": "schedule", "expression": "rate(1 hour)", "timezone": "Europe/Berlin",
            "start_at": "2026-11-24T12:00:00+00:00", "end_at": None, "flexible_s": 300, "group": "default",
            "state": "ENABLED", "description": "", "targets": [FUNCTION + "report"],
            "dead_letters": [], "unguarded": [FUNCTION + "report"],
        }  # fmt: skip
        assert "hunter2" not in repr(told)
        assert list(told.cursor["seen"].values()) == [int(NOW.timestamp())]

    @pytest.mark.parametrize(
        ("given", "function"),
        [
            ('{"FunctionName": "report"}', FUNCTION + "report"),
            ('{"FunctionName": "report:live"}', FUNCTION + "report"),
            (f'{{"FunctionName": "{FUNCTION}report:live", "Payload": "x"}}', FUNCTION + "report"),
            ("<not JSON>", None),
            ("[]", None),
            ("{}", None),
        ],
    )
    def test_that_call_the_api_name_their_function_in_their_input(self, given: str, function: str | None) -> None:
        found = harvest(schedules=[(LISTED, invoke(Input=given))]).found
        assert [each.config["targets"] for each in found] == ([[function]] if function else [])

    def test_that_were_read_before_are_found_again(self) -> None:
        cursor = harvest(schedules=[(LISTED, READ)]).cursor
        again = harvest(schedules=[(LISTED, None)], cursor=cursor)
        assert [(each.arn, each.config) for each in again.found] == [(LISTED["Arn"], {"state": "ENABLED"})]
        assert again.cursor == cursor

    def test_that_call_something_else_stay_out(self) -> None:
        cursor = harvest(schedules=[(LISTED, invoke(Input="{}"))]).cursor
        again = harvest(schedules=[(LISTED, None)], cursor=cursor)
        assert (again.found, again.cursor) == ([], cursor)

    def test_that_could_not_be_read_are_not_found_yet(self) -> None:
        told = harvest(schedules=[(LISTED, None)], complete=False)
        assert (told.found, told.cursor, told.complete) == ([], {"seen": {}}, frozenset())


def collect(aws: RootRegion, cursor: Mapping[str, Any] | None = None) -> Harvest:
    scope = replace(SCOPE, cursor=cursor or {})
    return EventSources().transform(EventSources().fetch(aws, scope), scope)


class TestFetch:
    @pytest.fixture
    def aws(self, simulated_aws: SimulatedAws) -> RootRegion:
        """A rule on each of two buses, one that calls no function, and two schedules."""
        aws = RootRegion(simulated_aws.account(ACCOUNT), REGION)
        aws.call("events", "create_event_bus", Name="shop")
        for bus, name, target in (
            ("default", "nightly", FUNCTION + "tidy"),
            ("shop", "paid", FUNCTION + "mail"),
            ("default", "other", f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"),
        ):
            aws.call("events", "put_rule", Name=name, EventPattern='{"source":["shop"]}', EventBusName=bus)
            aws.call("events", "put_targets", Rule=name, EventBusName=bus, Targets=[{"Id": "1", "Arn": target}])
        for name in ("hourly", "daily"):
            aws.call(
                "scheduler", "create_schedule", Name=name, ScheduleExpression="rate(1 hour)",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={"Arn": FUNCTION + name, "RoleArn": "arn:aws:iam::1:role/r", "Input": "{}"},
            )  # fmt: skip
        aws.calls.clear()
        return aws

    def test_finds_everything(self, aws: RootRegion) -> None:
        told = collect(aws)
        assert {(each.name, each.config["kind"], each.config["targets"][0]) for each in told.found} == {
            ("nightly", "rule", FUNCTION + "tidy"),
            ("paid", "rule", FUNCTION + "mail"),
            ("hourly", "schedule", FUNCTION + "hourly"),
            ("daily", "schedule", FUNCTION + "daily"),
        }
        assert told.complete == {"schedule_rule"}
        assert not told.lacking
        for each in told.found:
            assert json.loads(json.dumps(dict(each.config))) == each.config

    def test_reads_schedules_only_when_they_changed(self, aws: RootRegion) -> None:
        cursor = collect(aws).cursor
        aws.calls.clear()
        again = collect(aws, cursor)
        assert "get_schedule" not in aws.calls
        assert len(again.found) == 4
        assert again.complete == {"schedule_rule"}

    @pytest.mark.parametrize(
        ("action", "names"),
        [
            ("events:ListEventBuses", {"nightly", "hourly", "daily"}),
            ("events:ListRules", {"hourly", "daily"}),
            ("events:ListTargetsByRule", {"hourly", "daily"}),
            ("scheduler:ListSchedules", {"nightly", "paid"}),
            ("scheduler:GetSchedule", {"nightly", "paid"}),
        ],
    )
    def test_what_is_denied_is_named_and_nothing_is_gone(
        self, aws: RootRegion, simulated_aws: SimulatedAws, action: str, names: set[str]
    ) -> None:
        simulated_aws.deny(ACCOUNT, action)
        told = collect(aws)
        assert {each.name for each in told.found} == names
        assert (told.complete, told.lacking) == (frozenset(), (action,))


class Many:
    """Fulfils ``Region`` for any number of schedules, by a clock of its own, ten calls a second unless told."""

    target = Target(ACCOUNT, "aws", "", "", "acme")
    region = REGION

    def __init__(self, count: int, *, call_s: float = 0.1) -> None:
        self.now, self.call_s, self.denied = NOW, timedelta(seconds=call_s), False
        self.schedules = {f"s{number:05}": NOW for number in range(count)}
        self.reads: Counter[str] = Counter()
        self.failing: list[Trouble] = []
        """What happens to the next calls."""

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        self.now += self.call_s
        if self.failing:
            raise AwsError(self.failing.pop(), f"{service}:{operation}")
        if operation == "get_schedule":
            if self.denied:
                raise AwsError(Trouble.ACCESS_DENIED, "scheduler:GetSchedule")
            self.reads[parameters["Name"]] += 1
            return {**READ, **self.listed(parameters["Name"]), "Target": {"Arn": FUNCTION + parameters["Name"]}}
        if operation == "list_schedules":
            names = sorted(self.schedules)
            later = [name for name in names if name > parameters.get("NextToken", "")]
            page = later[: parameters["MaxResults"]]
            more = {"NextToken": page[-1]} if len(later) > len(page) else {}
            return {"Schedules": [self.listed(name) for name in page]} | more
        return {"EventBuses": [{"Name": "default"}], "Rules": [RULE]}

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        self.now += self.call_s
        yield {"Targets": [{"Arn": FUNCTION + "tidy"}], "ResourceTagMappingList": []}

    def listed(self, name: str) -> dict[str, Any]:
        arn = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}"
        modified = {"LastModificationDate": self.schedules.get(name, NOW)}
        return {**LISTED, **modified, "Arn": arn, "Name": name, "Target": {"Arn": FUNCTION + name}}


class Watcher:
    """Runs of a region, each with what the last one left."""

    def __init__(self, aws: Many) -> None:
        self.aws, self.longest = aws, timedelta()
        self.cursor: Mapping[str, Any] = {}

    def run(self) -> Harvest:
        begun = self.aws.now
        over = begun + PATIENCE
        scope = replace(SCOPE, cursor=self.cursor, now=begun, time_is_up=lambda: self.aws.now >= over)
        told = EventSources().transform(EventSources().fetch(self.aws, scope), scope)
        self.cursor = json.loads(json.dumps(told.cursor))
        self.longest = max(self.longest, self.aws.now - begun)
        return told

    def round(self) -> tuple[list[Harvest], dict[str, int]]:
        """Runs until there is no more, and how often each was found."""
        runs = [self.run()]
        while runs[-1].more:
            runs.append(self.run())
        return runs, Counter(each.name for run in runs for each in run.found)


class TestManySchedules:
    """Some applications make one for every customer."""

    def test_are_all_read_over_several_runs(self) -> None:
        aws = Many(5_000)
        runs, found = (watcher := Watcher(aws)).round()
        assert found.keys() == {*aws.schedules, "nightly"}
        assert set(aws.reads.values()) == {1}
        assert [bool(run.complete) for run in runs] == [False] * (len(runs) - 1) + [True]
        assert {run.since for run in runs} == {NOW}
        assert watcher.longest < timedelta(seconds=20)
        assert aws.now - NOW < timedelta(minutes=10)
        assert watcher.cursor.keys() == {"seen"}

    def test_are_all_there_before_any_is_missed_though_the_first_page_takes_too_long(self) -> None:
        runs, found = Watcher(aws := Many(300, call_s=0.3)).round()
        assert [bool(run.complete) for run in runs] == [False] * (len(runs) - 1) + [True]
        assert found.keys() == {*aws.schedules, "nightly"}
        assert set(aws.reads.values()) == {1}

    def test_are_not_asked_for_again_and_again_where_that_is_denied(self) -> None:
        watcher = Watcher(aws := Many(300, call_s=0.3))
        aws.denied = True
        runs, found = watcher.round()
        assert (len(runs), set(found), runs[0].complete) == (1, {"nightly"}, frozenset())
        assert runs[0].lacking == ("scheduler:GetSchedule",)

    def test_are_only_listed_when_nothing_changed(self) -> None:
        watcher = Watcher(aws := Many(5_000))
        watcher.round()
        aws.reads.clear()
        aws.schedules["s04000"] += timedelta(minutes=1)
        began = aws.now
        runs, found = watcher.round()
        assert (len(runs), len(found), runs[-1].since) == (1, 5_001, began)
        assert set(aws.reads) == {"s04000"}

    def test_that_came_and_went_meanwhile(self) -> None:
        watcher = Watcher(aws := Many(1_000))
        watcher.run()
        del aws.schedules["s00900"]
        del aws.schedules["s00001"]
        aws.schedules["s00900a"] = aws.now
        runs, found = watcher.round()
        assert "s00900" not in found
        assert "s00900a" in found
        assert runs[-1].complete
        assert len(watcher.cursor["seen"]) == 1_000  # One of them was deleted behind our back.
        watcher.round()
        assert len(watcher.cursor["seen"]) == 999

    def test_keep_what_was_read_before_aws_had_enough(self) -> None:
        watcher = Watcher(aws := Many(200))
        aws.failing = [Trouble.THROTTLED]
        with pytest.raises(AwsError):
            watcher.run()
        aws.schedules = dict.fromkeys(list(aws.schedules)[:100], NOW)
        watcher.round()
        calls = iter([None, None, None, Trouble.THROTTLED])
        answer = aws.call

        def throttled(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
            if trouble := next(calls, None):
                raise AwsError(trouble, f"{service}:{operation}")
            return answer(service, operation, **parameters)

        aws.schedules |= {f"t{number}": NOW for number in range(10)}
        aws.call = throttled  # type: ignore[method-assign]
        first = watcher.run()
        assert first.more
        assert not first.complete
        assert {each.name for each in first.found} >= {"s00000", "s00099"}
        runs, found = watcher.round()
        assert runs[-1].complete
        assert len(found) == 10

    def test_begin_again_when_the_place_is_forgotten(self) -> None:
        watcher = Watcher(aws := Many(1_000))
        watcher.run()
        aws.failing = [Trouble.REFUSED]
        told = watcher.run()
        assert (told.more, told.complete) == (False, frozenset())
        read = dict(aws.reads)
        runs, found = watcher.round()
        assert runs[-1].complete
        assert len(found) == 1_001
        assert all(aws.reads[name] == 1 for name in read)

    def test_stay_incomplete_when_something_was_denied_on_the_way(self) -> None:
        watcher = Watcher(aws := Many(1_000))
        answer = aws.call

        def denied(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
            if operation == "list_event_buses":
                raise AwsError(Trouble.ACCESS_DENIED, "events:ListEventBuses")
            return answer(service, operation, **parameters)

        aws.call = denied  # type: ignore[method-assign]
        runs, found = watcher.round()
        assert len(runs) > 1
        assert len(found) == 1_001
        assert not any(run.complete for run in runs)
        assert {run.lacking for run in runs} == {("events:ListEventBuses",)}
