"""What a session may do at most: what the collectors need, whatever the role allows besides."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from demo.aws.policies import allows
from ingest.collectors import COLLECTORS
from observability.aws import needs, policy, sessions
from observability.aws.models import Tier
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region, Target
from tests.observability.aws.cloud import Cloud
from tests.observability.aws.conftest import ROLE

if TYPE_CHECKING:
    from demo.aws.server import SimulatedAws

ACCOUNT, OURS = "720155190031", "905418337712"
TIERS = [frozenset({Tier.BASE.value}), frozenset({"base", "sizes"}), frozenset({"base", "subscription"})]
EVERYTHING = frozenset(Tier.values)

HARM = [
    "lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:AddPermission",
    "iam:PassRole", "iam:ListRoles", "iam:CreateUser", "sts:AssumeRole", "kms:Decrypt",
    "s3:GetObject", "dynamodb:GetItem", "dynamodb:Scan", "sqs:ReceiveMessage", "sqs:SendMessage", "sns:Publish",
    "kinesis:GetRecords", "states:StartExecution", "states:GetExecutionHistory", "events:PutEvents",
    "scheduler:CreateSchedule", "apigateway:POST", "logs:DeleteLogGroup", "ssm:GetParameter",
    "secretsmanager:GetSecretValue", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
]  # fmt: skip
"""What reads data or secrets, changes something, or leads elsewhere."""


class TestPolicy:
    @pytest.mark.parametrize("collector", COLLECTORS, ids=lambda collector: collector.kind)
    def test_allows_every_action_of_a_collector(self, collector: Any) -> None:
        for each in collector.permissions:
            assert allows([policy.session([each.tier])], each.action)
            assert allows([policy.session(())], each.action) == (each.tier == Tier.BASE)

    @pytest.mark.parametrize("action", HARM)
    @pytest.mark.parametrize("tiers", [*TIERS, EVERYTHING], ids=lambda tiers: "+".join(sorted(tiers)))
    def test_allows_nothing_that_harms(self, tiers: frozenset[str], action: str) -> None:
        assert not allows([policy.session(tiers)], action)

    @pytest.mark.parametrize("tiers", [*TIERS, EVERYTHING], ids=lambda tiers: "+".join(sorted(tiers)))
    def test_allows_what_the_chosen_tiers_need_and_no_more(self, tiers: frozenset[str]) -> None:
        allowed = {need.action for need in needs.needs() if allows([policy.session(tiers)], need.action)}
        assert allowed == {need.action for need in needs.needs() if need.tier in tiers}
        (statement,) = json.loads(policy.session(tiers))["Statement"]
        assert set(statement["Action"]) == allowed
        assert not any("*" in action for action in allowed)

    def test_is_the_same_for_the_same_tiers_in_any_order(self) -> None:
        assert policy.session(["sizes", "base"]) == policy.session(["base", "sizes"]) == policy.session({"sizes"})

    def test_leaves_a_third_of_what_aws_allows_to_growth(self) -> None:
        assert len(policy.session(EVERYTHING)) < policy.LONGEST_SESSION * 2 / 3
        assert policy.session(EVERYTHING).isascii()


class TestAssumedRoles:
    def test_always_have_one(self, cloud: Cloud, target: Target) -> None:
        sessions.region(target, "eu-west-1").call("logs", "describe_log_groups")
        assert told(cloud) == [policy.session(())]

    def test_are_taken_anew_when_the_tiers_change(self, cloud: Cloud, target: Target) -> None:
        for tiers in (frozenset[str](), frozenset({"sizes"}), frozenset[str]()):
            sessions.region(replace(target, tiers=tiers), "eu-west-1").call("logs", "describe_log_groups")
        assert told(cloud) == [policy.session(()), policy.session({"sizes"})]

    @pytest.mark.parametrize("external_id", ["the-id", "wrong", None])
    def test_may_do_nothing_when_only_trust_is_looked_at(
        self, cloud: Cloud, target: Target, external_id: str | None
    ) -> None:
        with suppress(AwsError):
            sessions.assume(role_arn=ROLE, external_id=external_id, session_name="acme")
        assert told(cloud) == [policy.powerless()]
        assert not any(allows([policy.powerless()], need.action) for need in needs.needs())

    def test_too_large_a_policy_is_nothing_that_customers_can_mend(self, cloud: Cloud, target: Target) -> None:
        large = {"__type": "PackedPolicyTooLarge", "message": "Packed policy consumes 112% of allotted space"}
        cloud.answers["sts:AssumeRole"] = [(400, large)]
        with pytest.raises(AwsError) as caught:
            sessions.region(target, "eu-west-1").call("logs", "describe_log_groups")
        assert caught.value.ours
        assert "112%" in caught.value.detail


def told(cloud: Cloud) -> list[str]:
    return [call.parameters["Policy"] for call in cloud.calls if call.action == "sts:AssumeRole"]


class TestAgainstAws:
    @pytest.fixture
    def administrator(self, simulated_aws: "SimulatedAws") -> Target:
        """A role to which its owner attached everything."""
        sessions.forget()
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{OURS}:root"},
                 "Condition": {"StringEquals": {"sts:ExternalId": "right"}}}  # fmt: skip
        iam, version = simulated_aws.account(ACCOUNT).client("iam"), {"Version": "2012-10-17"}
        document = json.dumps(version | {"Statement": [trust]})
        role = iam.create_role(RoleName="admin", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        anything = version | {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_role_policy(RoleName="admin", PolicyName="all", PolicyDocument=json.dumps(anything))
        return Target(ACCOUNT, "aws", role, "right", "acme")

    @pytest.mark.parametrize(
        ("service", "operation", "parameters"),
        [
            ("lambda", "invoke", {"FunctionName": "checkout"}),
            ("lambda", "get_function", {"FunctionName": "checkout"}),
            ("iam", "list_roles", {}),
            ("sqs", "receive_message", {"QueueUrl": "http://q/orders"}),
            ("dynamodb", "get_item", {"TableName": "orders", "Key": {"id": {"S": "1"}}}),
            ("logs", "put_subscription_filter",
             {"logGroupName": "g", "filterName": "f", "filterPattern": "", "destinationArn": "arn:aws:lambda:::x"}),
        ],
    )  # fmt: skip
    def test_an_administrators_role_is_no_more_than_a_reader_in_our_hands(
        self, administrator: Target, service: str, operation: str, parameters: dict[str, Any]
    ) -> None:
        with pytest.raises(AwsError) as caught:
            sessions.region(administrator, "eu-central-1").call(service, operation, **parameters)
        assert caught.value.trouble == Trouble.ACCESS_DENIED
        assert "no session policy allows" in caught.value.detail

    def test_what_is_needed_works(self, administrator: Target) -> None:
        aws: Region = sessions.region(administrator, "eu-central-1")
        assert aws.call("lambda", "list_functions")["Functions"] == []
        assert aws.call("sts", "get_caller_identity")["Account"] == ACCOUNT

    def test_package_sizes_are_read_only_where_they_were_granted(self, administrator: Target) -> None:
        granted = replace(administrator, tiers=frozenset({"base", "sizes"}))
        with pytest.raises(AwsError, match="not_found"):
            sessions.region(granted, "eu-central-1").call("lambda", "get_function", FunctionName="checkout")
