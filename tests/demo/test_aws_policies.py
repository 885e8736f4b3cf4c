"""Trust and permission documents mean to the simulation what they mean to IAM."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from demo.aws.policies import allows, trusts

OURS = "905418337712"
ROOT = f"arn:aws:iam::{OURS}:root"


def trust(principal: Any = None, condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "sts:AssumeRole", "Principal": principal or {"AWS": ROOT}}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def lets_in(document: Any, external_id: str | None = None, account: str = OURS) -> bool:
    context = {} if external_id is None else {"sts:externalid": external_id}
    return trusts(document, account=account, principal=f"arn:aws:iam::{account}:root", context=context)


class TestTrust:
    @pytest.mark.parametrize("principal", [{"AWS": ROOT}, {"AWS": OURS}, {"AWS": ["111111111111", ROOT]}, "*"])
    def test_names_the_account_in_any_of_iams_ways(self, principal: Any) -> None:
        assert lets_in(trust(principal))

    def test_lets_no_other_account_in(self) -> None:
        assert not lets_in(trust(), account="111111111111")
        assert not lets_in(trust({"Service": "lambda.amazonaws.com"}))

    def test_asks_for_the_external_id(self) -> None:
        document = trust(condition={"StringEquals": {"sts:ExternalId": "right"}})
        assert lets_in(document, "right")
        assert not lets_in(document, "wrong")
        assert not lets_in(document, "Right")
        assert not lets_in(document)

    def test_knows_a_trap(self) -> None:
        assert lets_in(trust(condition={"StringLike": {"sts:ExternalId": "*"}}), "anything")
        assert lets_in(trust(condition={"StringEqualsIfExists": {"sts:ExternalId": "right"}}))

    def test_fails_closed_on_what_it_does_not_know(self) -> None:
        assert not lets_in(trust(condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), "right")

    def test_a_deny_beats_an_allow(self) -> None:
        both = trust()["Statement"] + trust(effect="Deny")["Statement"]
        assert not lets_in({"Statement": both})

    def test_may_come_as_text(self) -> None:
        assert lets_in(json.dumps(trust()))
        assert lets_in(quote(json.dumps(trust())))


class TestPermissions:
    def test_allow_by_name_and_wildcard_and_nothing_else(self) -> None:
        document = {"Statement": {"Effect": "Allow", "Action": ["lambda:List*", "logs:filterlogevents"]}}
        assert allows([document], "lambda:ListFunctions")
        assert allows([document], "logs:FilterLogEvents")
        assert not allows([document], "lambda:GetFunction")
        assert not allows([], "lambda:ListFunctions")

    def test_add_up_and_a_deny_takes_away(self) -> None:
        some = {"Statement": [{"Effect": "Allow", "Action": "lambda:*"}]}
        less = {"Statement": [{"Effect": "Deny", "Action": "lambda:GetFunction"}]}
        rest = {"Statement": [{"Effect": "Allow", "NotAction": "iam:*"}]}
        assert not allows([some, less], "lambda:GetFunction")
        assert allows([some, less], "lambda:ListFunctions")
        assert allows([rest], "sqs:ListQueues")
        assert not allows([rest], "iam:ListRoles")
