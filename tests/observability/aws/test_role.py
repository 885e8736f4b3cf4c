"""The role: generated from the collectors, valid everywhere, as narrow as AWS allows, and the same by every way."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import cfnlint
import pytest
import yaml
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from django.core.management import call_command
from django.core.management.base import CommandError
from moto import mock_aws
from pytest_django import Settings

from ingest.collector import Permission
from ingest.collectors import COLLECTORS
from ingest.management.commands import role as command
from observability.aws import needs, policy, stack
from observability.aws.models import Tier
from observability.aws.needs import Need
from observability.aws.role import Role, stack_set

EXTERNAL_ID = "-x" + "A" * 41
AWS_KNOWS = json.loads((Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text())
"""Every action of AWS, and the resources that it can be narrowed to."""

ELSEWHERE = {"dataset"}
"""Kinds of resources that hold nothing of what AWS itself counts; allowing those alone would allow nothing."""


def a_role(**changed: object) -> Role:
    given = {
        "name": "nightjar-ab12cd34",
        "account": "210987654321",
        "partition": "aws",
        "region": "eu-west-1",
        "external_id": EXTERNAL_ID,
        "principal": "123456789012",
        "tiers": frozenset({"base", "sizes"}),
    }
    return Role(**{**given, **changed})  # type: ignore[arg-type]  # Right by construction.


def test_what_is_written_down_is_what_the_collectors_need() -> None:
    wanted = command.needed()
    assert needs.PERMISSIONS.read_text() == needs.text(wanted), "Run `make role`."
    assert stack.TEMPLATE.read_text() == stack.render(wanted), "Run `make role`."
    assert list(needs.needs()) == json_ready(wanted)
    assert {need.action for need in wanted} >= {each.action for one in COLLECTORS for each in one.permissions}


def json_ready(rows: list[Need]) -> list[Need]:
    return [needs._need(entry) for entry in json.loads(needs.text(rows))]


def test_the_command_writes_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "PERMISSIONS", tmp_path / "permissions.json")
    monkeypatch.setattr(stack, "TEMPLATE", tmp_path / "role.yaml")
    call_command("role", verbosity=0)
    assert len(json.loads((tmp_path / "permissions.json").read_text())) == len(command.needed())
    assert "AWS::IAM::Role" in (tmp_path / "role.yaml").read_text()
    needs.needs.cache_clear()


def test_collectors_that_share_an_action_share_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    probe: tuple[str, str, dict[str, Any]] = ("tag", "get_resources", {})
    one = Permission("tag:GetResources", "Reads tags of queues.", "No tags.", probe, wild="No resources.")
    two = Permission("tag:GetResources", "Reads tags of tables.", "No tags.", probe, wild="No resources.")
    monkeypatch.setattr(command, "COLLECTORS", [collector("queues", one), collector("tables", two)])
    shared = next(need for need in command.needed() if need.action == "tag:GetResources")
    assert shared.why == "Reads tags of queues. Reads tags of tables."
    assert (shared.without, shared.collectors) == ("No tags.", ("queues", "tables"))
    narrower = Permission("tag:GetResources", "Reads tags.", "No tags.", probe, resource="arn:${AWS::Partition}:tag:*")
    monkeypatch.setattr(command, "COLLECTORS", [collector("queues", one), collector("tables", narrower)])
    with pytest.raises(CommandError, match="different resources"):
        command.needed()


def collector(kind: str, *permissions: Permission) -> object:
    return type("Some", (), {"kind": kind, "permissions": permissions})()


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1"])
def test_cfn_lint_and_its_iam_rules_find_nothing(region: str) -> None:
    found = lint(stack.TEMPLATE.read_text(), config=ManualArgs(regions=[region]))
    assert [f"{match.rule.id} line {match.linenumber}: {match.message[:200]}" for match in found] == []


def test_the_linter_would_find_an_action_that_does_not_exist() -> None:
    misspelt = stack.TEMPLATE.read_text().replace("lambda:GetFunction\n", "lambda:GetFunktion\n")
    found = lint(misspelt, config=ManualArgs(regions=["us-east-1"]))
    assert {match.rule.id for match in found} == {"W3037"}


@pytest.mark.parametrize("need", needs.needs(), ids=lambda need: need.action)
def test_every_action_is_as_narrow_as_aws_allows(need: Need) -> None:
    service, _, name = need.action.partition(":")
    assert "*" not in need.action
    allowed = AWS_KNOWS[service.lower()]["Actions"][name.lower()].get("Resources", [])
    if need.resource == "*":
        assert need.wild, f"{need.action}: say why it is allowed on everything"
        assert not set(allowed) - ELSEWHERE, f"{need.action} can be narrowed to {allowed}"
    else:
        assert allowed, f"AWS allows {need.action} on * only"
        kinds = AWS_KNOWS[service.lower()]["Resources"]
        shapes = [shape for kind in allowed for shape in kinds[kind.lower()]["ARNFormats"]]
        # arn:partition:service:region:account:kind…, of which the service and the kind must fit.
        fits = [shape for shape in shapes if _parts(shape) == _parts(need.resource)]
        assert fits, f"{need.resource} is none of {shapes}"


def _parts(arn: str) -> tuple[str, str]:
    # Colons in ${AWS::Partition} do not count.
    _, _, service, _, _, rest = arn.replace("AWS::", "").split(":", 5)
    return service, rest.replace(".*", "*").replace("/", ":").split(":")[0]


def test_every_permission_says_why_and_what_is_lost() -> None:
    for need in needs.needs():
        assert need.why.endswith("."), need.action
        assert need.without.endswith("."), need.action
        assert need.tier in Tier.values


def test_only_the_last_tier_may_change_something() -> None:
    reading = ("Get", "List", "Describe", "Filter", "BatchGet", "GET")
    for need in needs.needs():
        if need.tier != Tier.SUBSCRIPTION:
            assert need.action.partition(":")[2].startswith(reading), need.action


def test_code_is_read_by_the_tier_for_it_alone() -> None:
    base = {need.action for need in needs.of(["base"])}
    assert "lambda:GetFunction" not in base
    assert "lambda:GetLayerVersion" not in base
    assert "lambda:GetFunction" in {need.action for need in needs.of(["sizes"])}


def test_the_policies_fit_into_a_role_and_the_template_into_a_call() -> None:
    role = a_role(tiers=frozenset(Tier.values))
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    assert sum(len("".join(text.split())) for text in role.policies().values()) <= 10_240
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    assert len(role.template().encode()) <= 51_200


def test_nobody_but_us_with_the_external_id_is_trusted() -> None:
    statement = json.loads(a_role(partition="aws-cn").trust())["Statement"]
    assert statement == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws-cn:iam::123456789012:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
    ]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_no_other_partition_and_no_placeholder_is_left(partition: str) -> None:
    role = a_role(partition=partition, tiers=frozenset(Tier.values))
    for text in (*role.policies().values(), role.trust(), role.terraform()):
        assert "${" not in text
        arns = [word for word in text.replace('"', " ").replace(",", " ").split() if word.startswith("arn:")]
        assert {arn.split(":")[1] for arn in arns} <= {partition}
    assert "arn:aws:" not in stack.TEMPLATE.read_text()


def test_the_download_needs_no_more_input() -> None:
    assert defaults(a_role()) == {
        "ExternalId": EXTERNAL_ID,
        "PrincipalAccount": "123456789012",
        "RoleName": "nightjar-ab12cd34",
        "PackageSizes": "yes",
        "LogSubscription": "no",
    }
    found = lint(a_role().template(), config=ManualArgs(regions=["us-east-1"]))
    assert [match.message for match in found] == []


def defaults(role: Role) -> dict[str, str]:
    class Plain(yaml.SafeLoader):
        """Takes CloudFormation's tags for what they hold."""

    Plain.add_multi_constructor("!", lambda loader, _, node: getattr(node, "value", None))
    template = yaml.load(role.template(), Plain)  # noqa: S506  # A SafeLoader.
    return {name: parameter["Default"] for name, parameter in template["Parameters"].items()}


def test_cloudformation_makes_the_role_that_json_describes() -> None:
    role = a_role()
    with mock_aws():
        cloudformation = boto3.client("cloudformation", "eu-west-1")
        cloudformation.create_stack(
            StackName=role.name, TemplateBody=role.template(), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        outputs = cloudformation.describe_stacks(StackName=role.name)["Stacks"][0]["Outputs"]
        iam = boto3.client("iam", "eu-west-1")
        made = iam.get_role(RoleName=role.name)["Role"]
        granted = {
            name: document(iam.get_role_policy(RoleName=role.name, PolicyName=name)["PolicyDocument"])
            for name in iam.list_role_policies(RoleName=role.name)["PolicyNames"]
        }
    assert outputs[0]["OutputKey"] == "RoleArn"
    assert outputs[0]["OutputValue"] == made["Arn"]
    assert made["AssumeRolePolicyDocument"] == json.loads(role.trust())
    assert actions(granted) == actions({name: json.loads(text) for name, text in role.policies().items()})


def document(stored: Any) -> policy.Document:
    """moto keeps the policies inside of a role as Python's text, which reads as YAML."""
    return dict(yaml.safe_load(stored) if isinstance(stored, str) else stored)


def actions(policies: dict[str, policy.Document]) -> dict[str, list[str]]:
    return {
        name: sorted(action for statement in document["Statement"] for action in statement["Action"])
        for name, document in policies.items()
    }


def test_one_click_exists_only_with_a_published_template(settings: Settings) -> None:
    settings.ROLE_TEMPLATE_URL = ""
    assert a_role().quick_create_url() == ""
    settings.ROLE_TEMPLATE_URL = "https://templates.s3.eu-west-1.amazonaws.com/nightjar/role.yaml"
    url = urlsplit(a_role().quick_create_url())
    assert (url.hostname, url.path) == ("eu-west-1.console.aws.amazon.com", "/cloudformation/home")
    path, _, query = url.fragment.partition("?")
    assert path == "/stacks/create/review"
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    assert asked["templateURL"] == settings.ROLE_TEMPLATE_URL
    assert asked["stackName"] == "nightjar-ab12cd34"
    assert {name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")} == (
        a_role().parameters()
    )


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "eu-west-1.console.amazonaws.cn"),
        ("aws-us-gov", "eu-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_each_partition_has_a_console_of_its_own(partition: str, host: str) -> None:
    assert urlsplit(a_role(partition=partition).console_url()).hostname == host


def test_the_command_is_one_line_with_everything_in_it() -> None:
    line = a_role().command()
    assert "\n" not in line
    assert line.startswith("aws cloudformation deploy --region eu-west-1 --stack-name nightjar-ab12cd34 ")
    assert "--capabilities CAPABILITY_NAMED_IAM" in line
    assert f"ExternalId={EXTERNAL_ID}" in line
    assert line.endswith("PackageSizes=yes LogSubscription=no")


def test_terraform_has_the_same_documents() -> None:
    role = a_role()
    text = role.terraform()
    assert role.trust() in text
    assert all(document in text for document in role.policies().values())
    assert text.count("<<-JSON") == text.count("\nJSON\n") == 1 + len(role.policies())


def test_a_stack_set_gives_each_account_its_own_external_id() -> None:
    text = stack_set([a_role(), a_role(account="333333333333", external_id="B" * 43)])
    assert text.count("create-stack-set ") == 1
    assert text.count("create-stack-instances ") == 2
    assert f"ParameterValue={EXTERNAL_ID}" in text
    assert f"ParameterValue={'B' * 43}" in text
