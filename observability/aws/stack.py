"""The CloudFormation template of the role, written as text so that every action keeps its reason beside it.

It names no partition and no region, so that it is the same in ``aws``, ``aws-cn`` and ``aws-us-gov``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import indent

from observability.aws.models import Tier
from observability.aws.needs import Need
from observability.aws.policy import by_resource

TEMPLATE = Path(__file__).with_name("role.yaml")
SWITCHES = {Tier.SIZES: "PackageSizes", Tier.SUBSCRIPTION: "LogSubscription"}
"""The parameters that turn the optional tiers on."""

HEAD = """\
# Written by `manage.py role` from what Nightjar's collectors need. Do not edit it: change them and run `make role`.
AWSTemplateFormatVersion: "2010-09-09"
Description: The role through which Nightjar watches the serverless applications of this account.

Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups:
      - Label:
          default: Filled in by Nightjar
        Parameters: [ExternalId, PrincipalAccount, RoleName]
      - Label:
          default: What Nightjar may do beyond reading configuration, metrics and logs
        Parameters: [PackageSizes, LogSubscription]
    ParameterLabels:
      ExternalId:
        default: External ID of this connection
      PrincipalAccount:
        default: AWS account of Nightjar
      RoleName:
        default: Name of the role
      PackageSizes:
        default: "Package sizes: allow reading the code of functions"
      LogSubscription:
        default: "Log subscription: allow changing subscription filters"

Parameters:
  ExternalId:
    Type: String
    Description: Made by Nightjar for this connection alone. Whoever does not know it cannot use the role.
    MinLength: 43
    MaxLength: 64
    AllowedPattern: "[A-Za-z0-9_-]+"
  PrincipalAccount:
    Type: String
    Description: The AWS account in which Nightjar runs, and which may assume the role.
    AllowedPattern: "[0-9]{12}"
  RoleName:
    Type: String
    Description: Nightjar looks for the role by this name.
    MaxLength: 64
    AllowedPattern: "[A-Za-z0-9+=,.@_-]+"
  PackageSizes:
    Type: String
    Description: Reads deployment packages to tell what fills them. This exposes the code of functions.
    AllowedValues: ["yes", "no"]
    Default: "no"
  LogSubscription:
    Type: String
    Description: Lets Nightjar have log lines sent to it as they are written. The only tier that may change something.
    AllowedValues: ["yes", "no"]
    Default: "no"

Conditions:
  WithPackageSizes: !Equals [!Ref PackageSizes, "yes"]
  WithLogSubscription: !Equals [!Ref LogSubscription, "yes"]

Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      Description: Nightjar watches the serverless applications of this account through this role.
      MaxSessionDuration: 3600
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Sub "arn:${AWS::Partition}:iam::${PrincipalAccount}:root"
            Action: sts:AssumeRole
            # Without this, anybody who can make Nightjar use a role could make it use this one.
            Condition:
              StringEquals:
                sts:ExternalId: !Ref ExternalId
      Policies:
"""
OPTIONAL = """\
{switch}Policy:
  Type: AWS::IAM::Policy
  Condition: With{switch}
  Properties:
    PolicyName: {switch}
    Roles: [!Ref Role]
    PolicyDocument:
"""
TAIL = """
Outputs:
  RoleArn:
    Description: Nightjar finds the role by itself. Paste this only where you gave it another name.
    Value: !GetAtt Role.Arn
"""


def render(needs: Sequence[Need]) -> str:
    """The whole template: the base is part of the role, the optional tiers hang on their conditions."""
    # Whoever finds the role right after it was made should find its policy too, which takes seconds when it is apart.
    base = f"- PolicyName: Base\n  PolicyDocument:\n{_document(needs, Tier.BASE)}"
    policies = (f"\n{indent(_optional(needs, tier), '  ')}" for tier in SWITCHES)
    return HEAD + indent(base, " " * 8) + "".join(policies) + TAIL


def filled(template: str, defaults: Mapping[str, str]) -> str:
    """The template with the values of one connection as its parameters' defaults."""
    for name, value in defaults.items():
        template = re.sub(
            rf"(?m)(^  {name}:\n    Type: String\n)((?:    (?!Default:).*\n)*)(?:    Default: .*\n)?",
            rf'\g<1>\g<2>    Default: "{value}"\n',
            template,
            count=1,
        )
    return template


def _optional(needs: Iterable[Need], tier: Tier) -> str:
    switch = SWITCHES[tier]
    head = OPTIONAL.format(switch=switch)
    return head + indent(_document(needs, tier), "  ")


def _document(needs: Iterable[Need], tier: Tier) -> str:
    lines = ['Version: "2012-10-17"', "Statement:"]
    for resource, rows in by_resource(need for need in needs if need.tier == tier).items():
        lines += ["  - Effect: Allow", "    Action:"]
        for need in rows:
            lines += [f"      # {note}" for note in (need.why, need.wild and f"Not narrower: {need.wild}") if note]
            lines += [f"      - {need.action}"]
        lines += [f"    Resource: {_resource(resource)}"]
    return indent("\n".join(lines) + "\n", "    ")


def _resource(resource: str) -> str:
    return f'!Sub "{resource}"' if "${" in resource else f'"{resource}"'
