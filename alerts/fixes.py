"""Fixes as people paste them: commands of the AWS CLI, blocks of Terraform and of SAM, with the real names in them."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from alerts.rule import Fix, Subject

WORDS = re.compile(r"[A-Za-z0-9]+")


def cli(command: str, region: str, *options: str) -> Fix:
    """``aws COMMAND --region REGION``, each option on a line of its own; ``option`` quotes their values."""
    return Fix("cli", " \\\n  ".join((f"aws {command} --region {region}", *options)))


def option(name: str, value: Any) -> str:
    """``--name value`` as a shell takes it; anything but text and numbers as JSON."""
    text = str(value) if isinstance(value, str | int | float) else json.dumps(value)
    return f"--{name} {shlex.quote(text)}"


def terraform(kind: str, name: str, *lines: str) -> Fix:
    """What to set in a resource that Terraform has already, under whatever name."""
    return Fix("terraform", "\n".join((f'resource "{kind}" "{_snake(name)}" {{', *_indented(lines, 2), "}")))


def sam(kind: str, name: str, *lines: str) -> Fix:
    """What to set among the properties of a resource of a SAM or CloudFormation template."""
    head = (f"{_camel(name)}:", f"  Type: {kind}", "  Properties:")
    return Fix("sam", "\n".join((*head, *_indented(lines, 4))))


def together(*fixes: Fix) -> Fix:
    """Several of one way that belong together, in their order."""
    return Fix(fixes[0].way, "\n\n".join(fix.text for fix in fixes))


def steps(*lines: str) -> Fix:
    """What to do by hand, one step after the other."""
    return Fix("steps", "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1)))


def queue_url(queue: Subject) -> str:
    domain = "amazonaws.com.cn" if queue.arn.startswith("arn:aws-cn:") else "amazonaws.com"
    return f"https://sqs.{queue.region}.{domain}/{queue.account}/{queue.name}"


def set_queue(queue: Subject, attributes: Mapping[str, str]) -> Fix:
    """The command that sets attributes of a queue, by the names that SQS has for them."""
    return cli(
        "sqs set-queue-attributes", queue.region, option("queue-url", queue_url(queue)),
        option("attributes", dict(attributes)),
    )  # fmt: skip


def rest_stage(api: Subject, stage: str, **settings: str) -> Fix:
    """The command that changes a stage of a REST API; in the path of a setting stands ``__`` for each slash."""
    patches = [{"op": "replace", "path": f"/{key.replace('__', '/')}", "value": settings[key]} for key in settings]
    which = option("rest-api-id", api.config["id"]), option("stage-name", stage)
    return cli("apigateway update-stage", api.region, *which, option("patch-operations", patches))


def http_stage(api: Subject, stage: str, *options: str) -> Fix:
    """The same of an HTTP or WebSocket API."""
    which = option("api-id", api.config["id"]), option("stage-name", stage)
    return cli("apigatewayv2 update-stage", api.region, *which, *options)


def _snake(name: str) -> str:
    """A name that Terraform takes; it may not begin with a digit."""
    text = "_".join(WORDS.findall(name)).lower() or "this"
    return f"_{text}" if text[0].isdigit() else text


def _camel(name: str) -> str:
    """A logical id, of which only letters and digits are allowed."""
    return "".join(word[0].upper() + word[1:] for word in WORDS.findall(name)) or "This"


def _indented(lines: tuple[str, ...], by: int) -> list[str]:
    return [" " * by + row for line in lines for row in line.splitlines()]
