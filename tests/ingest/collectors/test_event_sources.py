"""What wakes functions: rules and schedules."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo.aws.server import SimulatedAws
from ingest.collector import Harvest, Scope
from ingest.collectors import event_sources
from ingest.collectors.event_sources import EventSources, Raw
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
        }  # fmt: skip
        assert (paid.config["pattern"], paid.config["state"]) == ('{"source":["shop"]}', "DISABLED")

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
        }  # fmt: skip
        assert "hunter2" not in repr(told)
        assert told.cursor == {"seen": {LISTED["Arn"]: ["2026-11-25T12:00:00+00:00", True]}}

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

    def test_is_not_complete_before_all_are_read(self, aws: RootRegion, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(event_sources, "MOST_ASKED", 1)
        first = collect(aws)
        second = collect(aws, first.cursor)
        assert [(len(each.found), bool(each.complete)) for each in (first, second)] == [(3, False), (4, True)]

    def test_is_not_complete_when_there_are_too_many(self, aws: RootRegion, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(event_sources, "MOST_LISTED", 1)
        assert collect(aws).complete == frozenset()

    @pytest.mark.parametrize(
        ("action", "names"),
        [
            ("events:ListEventBuses", {"nightly", "hourly", "daily"}),
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
