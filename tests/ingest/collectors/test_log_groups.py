"""What is known of log groups, and what asking for it costs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from demo.aws.server import SimulatedAws
from ingest.collector import Function, Harvest, Scope
from ingest.collectors.log_groups import LogGroups, Raw
from observability.aws.problems import AwsError, Trouble
from tests.aws_region import RootRegion

ACCOUNT, REGION = "720155190031", "eu-central-1"
ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
NOW = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
SCOPE = Scope(7, ACCOUNT, "aws", REGION, NOW)
CHECKOUT = "/aws/lambda/checkout"
GROUP = {"logGroupName": CHECKOUT, "arn": ARN + CHECKOUT + ":*", "storedBytes": 99, "retentionInDays": 30}


def told(*groups: dict[str, Any], written: Any = None) -> Harvest:
    return LogGroups().transform(Raw([{"logGroups": groups}], written, [], ()), SCOPE)


def collect(aws: RootRegion, scope: Scope = SCOPE) -> Harvest:
    return LogGroups().transform(LogGroups().fetch(aws, scope), scope)


class TestTransform:
    def test_tells_what_is_kept_and_written(self) -> None:
        (found,) = told(GROUP, written={CHECKOUT: [700, 7]}).found
        assert (found.type, found.arn, found.name) == ("log_group", ARN + CHECKOUT, CHECKOUT)
        assert found.config == {"retention_days": 30, "class": "STANDARD", "stored_bytes": 99, "daily_bytes": 101}

    def test_who_was_not_asked_about_keeps_what_was_known(self) -> None:
        assert "daily_bytes" not in told(GROUP).found[0].config

    def test_nothing_written_is_known_too(self) -> None:
        assert told(GROUP, written={}).found[0].config["daily_bytes"] == 0

    def test_what_is_kept_for_ever_says_so(self) -> None:
        (found,) = told({"logGroupName": CHECKOUT, "arn": ARN + CHECKOUT}).found
        assert found.config["retention_days"] is None

    def test_a_name_that_does_not_fit_is_left_out(self) -> None:
        assert not told({**GROUP, "logGroupName": "x" * 141}).found


class TestFetch:
    @pytest.fixture
    def aws(self, simulated_aws: SimulatedAws) -> RootRegion:
        aws = RootRegion(simulated_aws.account(ACCOUNT), REGION)
        for name in (CHECKOUT, "/aws/vendedlogs/states/pay", "/custom/refund", "/ecs/other"):
            aws.call("logs", "create_log_group", logGroupName=name, tags={"team": "shop"})
        dimensions = [{"Name": "LogGroupName", "Value": CHECKOUT}]
        values = [
            {"MetricName": "IncomingBytes", "Dimensions": dimensions, "Value": 700.0,
             "Timestamp": NOW - timedelta(days=days)}
            for days in (0, 1, 2, 9)
        ]  # fmt: skip
        aws.call("cloudwatch", "put_metric_data", Namespace="AWS/Logs", MetricData=values)
        return aws

    def test_finds_groups_of_what_is_serverless(self, aws: RootRegion) -> None:
        function = Function(1, "arn", "refund", {"log_group": "/custom/refund"}, None)
        harvest = collect(aws, replace(SCOPE, functions={"refund": function}))
        assert {each.name for each in harvest.found} == {CHECKOUT, "/aws/vendedlogs/states/pay", "/custom/refund"}
        assert harvest.complete == {"log_group"}

    def test_bytes_are_those_of_whole_days(self, aws: RootRegion) -> None:
        assert {each.name: each.config["daily_bytes"] for each in collect(aws).found} == {
            CHECKOUT: 200, "/aws/vendedlogs/states/pay": 0,
        }  # fmt: skip

    def test_bytes_are_asked_once_a_day(self, aws: RootRegion) -> None:
        cursor = collect(aws).cursor
        later = replace(SCOPE, cursor=cursor, now=NOW + timedelta(hours=23))
        assert not any("daily_bytes" in each.config for each in collect(aws, later).found)
        assert collect(aws, later).cursor == cursor
        next_day = replace(later, now=NOW + timedelta(hours=24))
        assert all("daily_bytes" in each.config for each in collect(aws, next_day).found)

    @pytest.mark.parametrize("action", ["cloudwatch:ListMetrics", "cloudwatch:GetMetricData"])
    def test_denied_bytes_are_unknown(self, aws: RootRegion, simulated_aws: SimulatedAws, action: str) -> None:
        simulated_aws.deny(ACCOUNT, action)
        assert not any("daily_bytes" in each.config for each in collect(aws).found)

    def test_a_denied_listing_is_no_listing(self, aws: RootRegion, simulated_aws: SimulatedAws) -> None:
        simulated_aws.deny(ACCOUNT, "logs:DescribeLogGroups")
        with pytest.raises(AwsError) as caught:
            collect(aws)
        assert caught.value.trouble is Trouble.ACCESS_DENIED
