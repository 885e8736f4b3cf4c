"""Queues: what is asked about them and what becomes of AWS's answers."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from demo.aws.server import SimulatedAws
from ingest.collector import Harvest, Scope
from ingest.collectors import queues
from ingest.collectors.queues import Queues, Raw
from tests.aws_region import RootRegion

ACCOUNT, REGION = "720155190031", "eu-central-1"
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/"
ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
SCOPE = Scope(7, ACCOUNT, "aws", REGION, datetime(2026, 11, 25, 12, tzinfo=UTC))
ATTRIBUTES = {
    "QueueArn": ARN + "orders.fifo", "ApproximateNumberOfMessages": "5", "VisibilityTimeout": "30",
    "MessageRetentionPeriod": "345600", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "20",
    "MaximumMessageSize": "1048576", "FifoQueue": "true", "SqsManagedSseEnabled": "true", "Policy": '{"secret": 1}',
    "RedrivePolicy": json.dumps({"deadLetterTargetArn": ARN + "dead", "maxReceiveCount": "3"}),
}  # fmt: skip
RAW = Raw([URL + "orders.fifo", URL + "dead"], {URL + "orders.fifo": {"Attributes": ATTRIBUTES}}, [], ())


def collect(aws: RootRegion, scope: Scope = SCOPE) -> Harvest:
    return Queues().transform(Queues().fetch(aws, scope), scope)


class TestTransform:
    def test_finds_queues(self) -> None:
        harvest = Queues().transform(RAW, SCOPE)
        assert {(each.type, each.arn, each.name) for each in harvest.found} == {
            ("sqs_queue", ARN + "orders.fifo", "orders.fifo"),
            ("sqs_queue", ARN + "dead", "dead"),
        }
        assert harvest.complete == {"sqs_queue"}
        assert harvest.cursor == {"after": URL + "orders.fifo"}

    def test_tells_attributes_where_they_were_told(self) -> None:
        orders, dead = (each.config for each in Queues().transform(RAW, SCOPE).found)
        assert orders == {
            "visibility_timeout_s": 30, "retention_s": 345600, "delay_s": 0, "wait_s": 20,
            "max_message_bytes": 1048576, "fifo": True, "dead_letter": ARN + "dead", "max_receives": 3,
            "encrypted": True,
        }  # fmt: skip
        assert dead == {}


class TestFetch:
    @pytest.fixture
    def aws(self, simulated_aws: SimulatedAws) -> RootRegion:
        aws = RootRegion(simulated_aws.account(ACCOUNT), REGION)
        for name in ("a", "b", "c"):
            aws.call("sqs", "create_queue", QueueName=name, tags={"team": name})
        return aws

    def test_finds_everything(self, aws: RootRegion) -> None:
        found = collect(aws).found
        assert {(each.name, (each.tags or {})["team"], each.config["visibility_timeout_s"]) for each in found} == {
            ("a", "a", 30), ("b", "b", 30), ("c", "c", 30),
        }  # fmt: skip

    def test_attributes_come_in_turns(self, aws: RootRegion, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queues, "MOST", 2)
        scope, turns = SCOPE, []
        for _ in range(3):
            harvest = collect(aws, scope)
            turns.append({each.name for each in harvest.found if each.config})
            scope = replace(scope, cursor=harvest.cursor)
        assert turns == [{"a", "b"}, {"c", "a"}, {"b", "c"}]

    def test_denied_attributes_and_tags_are_unknown(self, aws: RootRegion, simulated_aws: SimulatedAws) -> None:
        simulated_aws.deny(ACCOUNT, "sqs:GetQueueAttributes")
        simulated_aws.deny(ACCOUNT, "tag:GetResources")
        harvest = collect(aws)
        assert {(each.name, len(each.config), each.tags) for each in harvest.found} == {
            ("a", 0, None), ("b", 0, None), ("c", 0, None),
        }  # fmt: skip
        assert harvest.lacking == ("sqs:GetQueueAttributes", "tag:GetResources")
        assert harvest.complete == {"sqs_queue"}
