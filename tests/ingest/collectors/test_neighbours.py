"""What functions work with: tables, streams, topics, state machines and gateways."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo.aws.server import SimulatedAws
from ingest.collector import Collector, Found, Harvest, Scope
from ingest.collectors import gateways, state_machines, streams, tables, topics
from observability.aws.problems import AwsError, Trouble
from tests.aws_region import RootRegion

ACCOUNT, REGION = "720155190031", "eu-central-1"
SCOPE = Scope(7, ACCOUNT, "aws", REGION, datetime(2026, 11, 25, 12, tzinfo=UTC))
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


class TestTables:
    TABLE = {
        "TableName": "orders", "TableStatus": "ACTIVE", "TableArn": arn("dynamodb", "table/orders"),
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 1},
        "TableSizeBytes": 99, "ItemCount": 3,
        "GlobalSecondaryIndexes": [{"IndexName": "by_day"}], "StreamSpecification": {"StreamEnabled": True},
        "LatestStreamArn": arn("dynamodb", "table/orders/stream/1"),
    }  # fmt: skip

    def test_are_told(self) -> None:
        backups = {"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
        }}  # fmt: skip
        raw = tables.Raw(["orders", "late"], {"orders": {"Table": self.TABLE}}, {"orders": backups}, [], ())
        orders, late = tables.Tables().transform(raw, SCOPE).found
        assert (orders.type, orders.arn, orders.name) == ("dynamodb_table", arn("dynamodb", "table/orders"), "orders")
        assert orders.config == {
            "status": "ACTIVE", "billing": "PROVISIONED", "read_capacity": 5, "write_capacity": 1, "class": "STANDARD",
            "keys": ["id", "at"], "indexes": ["by_day"], "size_bytes": 99, "items": 3,
            "stream": arn("dynamodb", "table/orders/stream/1"), "deletion_protection": False,
            "recovery": False,
        }  # fmt: skip
        assert (late.arn, late.config) == (arn("dynamodb", "table/late"), {})


class TestStreams:
    def test_are_told(self) -> None:
        summary = {
            "StreamName": "clicks", "StreamStatus": "ACTIVE", "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
            "RetentionPeriodHours": 24, "EncryptionType": "KMS", "OpenShardCount": 4, "ConsumerCount": 2,
        }  # fmt: skip
        raw = streams.Raw(["clicks"], {"clicks": {"StreamDescriptionSummary": summary}}, None, ())
        (clicks,) = streams.Streams().transform(raw, SCOPE).found
        assert (clicks.type, clicks.arn, clicks.tags) == ("kinesis_stream", arn("kinesis", "stream/clicks"), None)
        assert clicks.config == {
            "status": "ACTIVE", "mode": "ON_DEMAND", "shards": 4, "retention_s": 86400, "encrypted": True,
            "consumers": 2,
        }  # fmt: skip


class TestTopics:
    TOPIC = arn("sns", "orders")
    SUBSCRIPTIONS = [
        {"TopicArn": TOPIC, "SubscriptionArn": f"{TOPIC}:1", "Protocol": "lambda", "Endpoint": FUNCTION},
        {"TopicArn": TOPIC, "SubscriptionArn": f"{TOPIC}:2", "Protocol": "email", "Endpoint": "jane@example.com"},
        {"TopicArn": TOPIC, "SubscriptionArn": "PendingConfirmation", "Protocol": "sms", "Endpoint": "+15550100"},
        {"TopicArn": arn("sns", "other"), "SubscriptionArn": arn("sns", "other:1"), "Protocol": "sqs",
         "Endpoint": arn("sqs", "q")},
    ]  # fmt: skip

    def harvest(self, subscriptions: list[Any] | None, attributes: Any = None, deliveries: Any = None) -> Harvest:
        raw = topics.Raw([{"TopicArn": self.TOPIC}], subscriptions, attributes or {}, deliveries or {}, [], ())
        return topics.Topics().transform(raw, SCOPE)

    def test_tell_whom_they_reach_but_not_people(self) -> None:
        harvest = self.harvest([{"Subscriptions": self.SUBSCRIPTIONS}])
        (topic,) = harvest.found
        assert (topic.type, topic.name) == ("sns_topic", "orders")
        assert topic.config == {
            "fifo": False, "subscribers": [FUNCTION], "other_subscribers": {"email": 1, "sms": 1},
        }  # fmt: skip
        assert "jane" not in repr(harvest)

    def test_denied_subscriptions_are_unknown(self) -> None:
        (topic,) = self.harvest(None).found
        assert topic.config == {"fifo": False}

    def test_tell_where_lost_messages_go(self) -> None:
        redrive = json.dumps({"deadLetterTargetArn": arn("sqs", "dead")})
        told = {f"{self.TOPIC}:1": {"Attributes": {"RedrivePolicy": redrive}}}
        (topic,) = self.harvest([{"Subscriptions": self.SUBSCRIPTIONS}], deliveries=told).found
        assert topic.config["subscriptions"] == [
            {"arn": f"{self.TOPIC}:1", "endpoint": FUNCTION, "dead_letter": arn("sqs", "dead")}
        ]
        assert topic.config["dead_letters"] == [arn("sqs", "dead")]

    @pytest.mark.parametrize(
        ("statement", "public"),
        [
            ({"Effect": "Allow", "Principal": "*"}, True),
            ({"Effect": "Allow", "Principal": {"AWS": ["1", "*"]}}, True),
            ({"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"AWS:SourceOwner": "1"}}},
             False),
            ({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}}, False),
            ({"Effect": "Deny", "Principal": "*"}, False),
        ],
    )  # fmt: skip
    def test_tell_whether_everybody_may_come_in(self, statement: Any, public: bool) -> None:
        for statements in ([statement], statement):
            policy = json.dumps({"Statement": statements})
            attributes = {self.TOPIC: {"Attributes": {"Policy": policy, "KmsMasterKeyId": "alias/aws/sns"}}}
            (topic,) = self.harvest(None, attributes).found
            assert topic.config == {"fifo": False, "encrypted": True, "public": public}


class TestStateMachines:
    MACHINE = {"stateMachineArn": arn("states", "stateMachine:pay"), "name": "pay", "type": "STANDARD"}

    def test_tell_which_functions_they_call(self) -> None:
        call = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {
            "FunctionName": f"{FUNCTION}:prod", "Payload": {"token": "hunter2"}}}  # fmt: skip
        described = {
            **self.MACHINE, "status": "ACTIVE", "roleArn": "arn:aws:iam::1:role/r",
            "definition": json.dumps({"States": {"A": call, "B": {"Resource": FUNCTION}}}),
            "loggingConfiguration": {"level": "ERROR", "destinations": [
                {"cloudWatchLogsLogGroup": {"logGroupArn": arn("logs", "log-group:/sfn:*")}}]},
            "tracingConfiguration": {"enabled": True},
        }  # fmt: skip
        raw = state_machines.Raw([self.MACHINE], {str(self.MACHINE["stateMachineArn"]): described}, [], ())
        harvest = state_machines.StateMachines().transform(raw, SCOPE)
        (machine,) = harvest.found
        assert machine.config == {
            "type": "STANDARD", "status": "ACTIVE", "role": "arn:aws:iam::1:role/r", "log_level": "ERROR",
            "log_groups": [arn("logs", "log-group:/sfn")], "tracing": True, "functions": [FUNCTION],
            "states": 2,
        }  # fmt: skip
        assert "hunter2" not in repr(harvest)

    @pytest.mark.parametrize(
        ("definition", "states"),
        [
            ('{"States": {"A": {"Type": "Map", "ItemProcessor": {"States": {"B": {}, "C": {}}}}}}', 3),
            ('{"States": {"A": {"Branches": [{"States": {"B": {}}}, {"States": {"C": {}}}]}}}', 3),
            ("no JSON", 0),
            ("[" * 100_000, 0),
        ],
    )
    def test_count_states(self, definition: str, states: int) -> None:
        described = {**self.MACHINE, "roleArn": "arn:aws:iam::1:role/r", "definition": definition}
        raw = state_machines.Raw([self.MACHINE], {str(self.MACHINE["stateMachineArn"]): described}, [], ())
        (machine,) = state_machines.StateMachines().transform(raw, SCOPE).found
        assert machine.config["states"] == states


class TestGateways:
    REST = {"id": "r1", "name": "shop", "endpointConfiguration": {"types": ["EDGE"]}, "tags": {"team": "pay"}}
    HTTP = {"ApiId": "h1", "Name": "web", "ProtocolType": "HTTP", "ApiEndpoint": "https://h1.example"}

    def found(self, rest: Any, http: Any) -> dict[str, Found]:
        raw = gateways.Raw([self.REST], [self.HTTP], {"r1": rest}, {"h1": http}, ())
        return {each.arn: each for each in gateways.Gateways().transform(raw, SCOPE).found}

    def test_tell_their_stages(self) -> None:
        rest = {"item": [{"stageName": "prod", "tracingEnabled": True, "cacheClusterEnabled": False, "methodSettings": {
            "*/*": {"throttlingRateLimit": 50.0, "throttlingBurstLimit": 100}}}]}  # fmt: skip
        http = [{"Items": [{"StageName": "$default", "AutoDeploy": True}]}]
        found = self.found(rest, http)
        assert {(each.type, each.name, each.arn) for each in found.values()} == {
            ("rest_api", "shop", f"arn:aws:apigateway:{REGION}::/restapis/r1"),
            ("http_api", "web", f"arn:aws:apigateway:{REGION}::/apis/h1"),
        }
        shop, web = found.values()
        assert (shop.tags, shop.config["endpoint"]) == ({"team": "pay"}, "EDGE")
        assert [(each["name"], each["tracing"], each["throttled"]) for each in shop.config["stages"]] == [
            ("prod", True, True)
        ]
        assert [(each["name"], each["auto_deploy"], each["throttled"]) for each in web.config["stages"]] == [
            ("$default", True, False)
        ]

    def test_as_much_as_the_account_may_have_is_no_limit(self) -> None:
        told = [{"stageName": "a", "methodSettings": {"*/*": {"throttlingRateLimit": rate}}} for rate in (-1, 10_000)]
        shop, _ = self.found({"item": told}, None).values()
        assert [each["throttled"] for each in shop.config["stages"]] == [False, False]

    def test_denied_stages_are_unknown(self) -> None:
        assert not any("stages" in each.config for each in self.found(None, None).values())


COLLECTORS: tuple[tuple[Collector, set[tuple[str, str]]], ...] = (
    (tables.Tables(), {("dynamodb_table", "orders")}),
    (streams.Streams(), {("kinesis_stream", "clicks")}),
    (topics.Topics(), {("sns_topic", "news")}),
    (state_machines.StateMachines(), {("state_machine", "pay")}),
    (gateways.Gateways(), {("rest_api", "shop"), ("http_api", "web")}),
)
NAMES = [collector.kind for collector, _ in COLLECTORS]
LISTINGS = {
    "tables": "dynamodb:ListTables", "streams": "kinesis:ListStreams", "topics": "sns:ListTopics",
    "state_machines": "states:ListStateMachines", "gateways": "apigateway:GET",
}  # fmt: skip


@pytest.fixture
def aws(simulated_aws: SimulatedAws) -> RootRegion:
    aws = RootRegion(simulated_aws.account(ACCOUNT), REGION)
    aws.call(
        "dynamodb", "create_table", TableName="orders", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    aws.call("kinesis", "create_stream", StreamName="clicks", ShardCount=2)
    aws.call("sns", "create_topic", Name="news")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": FUNCTION, "End": True}}})
    aws.call(
        "stepfunctions", "create_state_machine", name="pay", definition=definition,
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
    )  # fmt: skip
    aws.call("apigateway", "create_rest_api", name="shop")
    aws.call("apigatewayv2", "create_api", Name="web", ProtocolType="HTTP")
    return aws


@pytest.mark.parametrize(("collector", "expected"), COLLECTORS, ids=NAMES)
def test_fetch_finds_everything(aws: RootRegion, collector: Collector, expected: set[tuple[str, str]]) -> None:
    harvest = collector.transform(collector.fetch(aws, SCOPE), SCOPE)
    assert {(each.type, each.name) for each in harvest.found} == expected
    assert harvest.complete == {type_ for type_, _ in expected}
    assert all(len(each.config) > 1 for each in harvest.found)
    for each in harvest.found:
        assert json.loads(json.dumps(dict(each.config))) == each.config


def test_fetch_reads_what_protects_from_loss(aws: RootRegion) -> None:
    dead = json.dumps({"deadLetterTargetArn": arn("sqs", "dead")})
    aws.call(
        "dynamodb", "update_continuous_backups", TableName="orders",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )  # fmt: skip
    aws.call("sqs", "create_queue", QueueName="readers")
    aws.call(
        "sns", "subscribe", TopicArn=arn("sns", "news"), Protocol="sqs", Endpoint=arn("sqs", "readers"),
        Attributes={"RedrivePolicy": dead},
    )  # fmt: skip
    (table,) = collected(tables.Tables(), aws).found
    (topic,) = collected(topics.Topics(), aws).found
    assert table.config["recovery"] is True
    assert [each["dead_letter"] for each in topic.config["subscriptions"]] == [arn("sqs", "dead")]
    assert (topic.config["encrypted"], topic.config["public"]) == (False, False)


def test_denied_extras_are_unknown(aws: RootRegion, simulated_aws: SimulatedAws) -> None:
    for action in ("dynamodb:DescribeContinuousBackups", "sns:GetTopicAttributes"):
        simulated_aws.deny(ACCOUNT, action)
    table, topic = collected(tables.Tables(), aws), collected(topics.Topics(), aws)
    assert "recovery" not in table.found[0].config
    assert "encrypted" not in topic.found[0].config
    assert table.lacking == ("dynamodb:DescribeContinuousBackups",)
    assert topic.lacking == ("sns:GetTopicAttributes",)


def collected(collector: Collector, aws: RootRegion) -> Harvest:
    return collector.transform(collector.fetch(aws, SCOPE), SCOPE)


@pytest.mark.parametrize(("collector", "expected"), COLLECTORS, ids=NAMES)
def test_a_denied_listing_is_no_listing(
    simulated_aws: SimulatedAws, collector: Collector, expected: set[tuple[str, str]]
) -> None:
    simulated_aws.deny(ACCOUNT, LISTINGS[collector.kind])
    with pytest.raises(AwsError) as caught:
        collector.fetch(RootRegion(simulated_aws.account(ACCOUNT), REGION), SCOPE)
    assert caught.value.trouble is Trouble.ACCESS_DENIED


@pytest.mark.parametrize("collector", [collector for collector, _ in COLLECTORS], ids=NAMES)
def test_every_quarter_of_an_hour_is_enough(collector: Collector) -> None:
    assert collector.every == timedelta(minutes=15)
