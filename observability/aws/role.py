"""The ways to make one connection's role: one click, the template, one command, Terraform, plain JSON, StackSets."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from urllib.parse import urlencode

from django.conf import settings

from observability.aws import policy, stack
from observability.aws.models import AwsAccount, Tier
from observability.aws.needs import Need, of
from observability.aws.regions import home

FILE = "nightjar-role.yaml"
CONSOLES = {
    "aws": "https://{region}.console.aws.amazon.com",
    "aws-cn": "https://{region}.console.amazonaws.cn",
    "aws-us-gov": "https://{region}.console.amazonaws-us-gov.com",
}
INLINE = {Tier.BASE: "Base"} | stack.SWITCHES
"""What the inline policies are called, whichever way the role is made."""


@dataclass(frozen=True, slots=True)
class Role:
    """All that the role of one connection is made from. ``principal`` is the AWS account that we run in."""

    name: str
    account: str
    partition: str
    region: str
    external_id: str
    principal: str
    tiers: frozenset[str]

    def parameters(self) -> dict[str, str]:
        """Those of the template."""
        switches = {switch: "yes" if tier in self.tiers else "no" for tier, switch in stack.SWITCHES.items()}
        return {"ExternalId": self.external_id, "PrincipalAccount": self.principal, "RoleName": self.name} | switches

    def template(self) -> str:
        """The template as a file that needs no more input."""
        return stack.filled(stack.TEMPLATE.read_text(), self.parameters())

    def quick_create_url(self) -> str:
        """CloudFormation's page with everything filled in; empty without a published template.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stacks-quick-create-links.html
        """
        if not settings.ROLE_TEMPLATE_URL:
            return ""
        query = {"templateURL": settings.ROLE_TEMPLATE_URL, "stackName": self.name}
        query |= {f"param_{name}": value for name, value in self.parameters().items()}
        return f"{self._console()}/create/review?{urlencode(query)}"

    def console_url(self) -> str:
        """CloudFormation's page for a new stack."""
        return f"{self._console()}/create"

    def command(self) -> str:
        """One line that makes the stack from the downloaded file, and later updates it."""
        words = ["aws", "cloudformation", "deploy", "--region", self.region, "--stack-name", self.name]
        words += ["--template-file", FILE, "--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides"]
        return " ".join(map(quote, words + _pairs(self.parameters())))

    def trust(self) -> str:
        return _json(policy.trust(principal=self.principal, external_id=self.external_id, partition=self.partition))

    def policies(self) -> dict[str, str]:
        """The inline policies, by name."""
        return {name: _json(self._permissions(needs)) for name, needs in self._granted()}

    def json_commands(self) -> str:
        """What makes the role from ``trust.json`` and the policies."""
        lines = [f"aws iam create-role --role-name {self.name} --assume-role-policy-document file://trust.json"]
        lines += [
            f"aws iam put-role-policy --role-name {self.name} --policy-name {name} --policy-document file://{name}.json"
            for name in self.policies()
        ]
        return "\n".join(lines)

    def terraform(self) -> str:
        """The same role for Terraform and OpenTofu."""
        blocks = [TERRAFORM_ROLE.format(name=self.name, trust=self.trust())]
        blocks += [
            TERRAFORM_POLICY.format(label=name.lower(), name=name, policy=text)
            for name, text in self.policies().items()
        ]
        return "\n".join([*blocks, TERRAFORM_OUTPUT])

    def _console(self) -> str:
        host = CONSOLES[self.partition].format(region=self.region)
        return f"{host}/cloudformation/home?region={self.region}#/stacks"

    def _granted(self) -> Iterator[tuple[str, list[Need]]]:
        for tier, name in INLINE.items():
            needs = [need for need in of(self.tiers) if need.tier == tier]
            if needs:
                yield name, needs

    def _permissions(self, needs: Sequence[Need]) -> policy.Document:
        return policy.permissions(needs, partition=self.partition, account=self.account)


def of_connection(connection: AwsAccount, *, principal: str) -> Role:
    """The role of a connection, named as it is looked for."""
    return Role(
        name=connection.role_arn.rpartition("/")[2],
        account=connection.account_id,
        partition=connection.partition,
        region=home(connection.regions, connection.partition),
        external_id=connection.external_id,
        principal=principal,
        tiers=frozenset(connection.tiers),
    )


def stack_set(roles: Sequence[Role]) -> str:
    """One stack set for an AWS Organization: made once, then an instance for each connection.

    Every account has an external id of its own, so each instance overrides the parameters.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html
    """
    first = roles[0]
    lines = [
        f"aws cloudformation create-stack-set --region {first.region} --stack-set-name nightjar "
        f"--template-body file://{FILE} --capabilities CAPABILITY_NAMED_IAM --permission-model SERVICE_MANAGED "
        "--auto-deployment Enabled=false"
    ]
    return "\n\n".join(lines + [_instance(role, first.region) for role in roles])


def _instance(role: Role, region: str) -> str:
    overrides = " ".join(f"ParameterKey={key},ParameterValue={value}" for key, value in role.parameters().items())
    return (
        f"aws cloudformation create-stack-instances --region {region} --stack-set-name nightjar "
        f"--regions {region} --deployment-targets "
        f"OrganizationalUnitIds=YOUR_OU_ID,Accounts={role.account},AccountFilterType=INTERSECTION "
        f"--parameter-overrides {overrides}"
    )


def _pairs(parameters: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in parameters.items()]


def _json(document: policy.Document) -> str:
    return json.dumps(document, indent=2)


TERRAFORM_ROLE = """\
resource "aws_iam_role" "nightjar" {{
  name                 = "{name}"
  max_session_duration = 3600

  assume_role_policy = <<-JSON
{trust}
JSON
}}
"""
TERRAFORM_POLICY = """\
resource "aws_iam_role_policy" "nightjar_{label}" {{
  name = "{name}"
  role = aws_iam_role.nightjar.id

  policy = <<-JSON
{policy}
JSON
}}
"""
TERRAFORM_OUTPUT = """\
output "nightjar_role_arn" {
  value = aws_iam_role.nightjar.arn
}
"""
