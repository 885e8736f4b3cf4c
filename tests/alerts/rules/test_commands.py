"""Commands that advice tells people to run are such as the AWS CLI takes: the right names, all that is required."""

import json
import re
import shlex
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator

from alerts.rule import Fix
from alerts.rules import RULES
from tests.alerts.rules.cases import load

OF_THE_CLI = {"region", "query", "output", "no-cli-pager"}
"""Options of every command."""

CUSTOM = {("lambda", "invoke"), ("lambda", "publish-layer-version"), ("logs", "tail")}
"""What the CLI does in its own way."""

FIXES = [
    (kind, fix) for kind, each in load().items() if kind in {rule.kind for rule in RULES}
    for advice in each.problem.advice(each.rule) for fix in advice.fixes
]  # fmt: skip


def of(way: str) -> pytest.MarkDecorator:
    found = [(kind, fix) for kind, fix in FIXES if fix.way == way]
    return pytest.mark.parametrize(("kind", "fix"), found, ids=[f"{kind}-{at}" for at, (kind, _) in enumerate(found)])


@of("cli")
def test_a_command_is_one_of_the_cli(kind: str, fix: Fix) -> None:
    lines = [line.strip() for line in fix.text.replace("\\\n", " ").splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("aws ")]
    assert commands
    for _, service, operation, *words in commands:
        if (service, operation) not in CUSTOM:
            _check(service, operation, words)


def _check(service: str, operation: str, words: list[str]) -> None:
    model = _operation(service, operation)
    assert model.input_shape is not None
    members = {xform_name(name, "-"): (name, shape) for name, shape in model.input_shape.members.items()}
    given: dict[str, Any] = {}
    for name, values in _options(words):
        bare = name.removeprefix("no-") if name.removeprefix("no-") in members else name
        if name in OF_THE_CLI:
            continue
        assert bare in members, f"aws {service} {operation} has no --{name}."
        member, shape = members[bare]
        given[member] = _value(shape, values) if values else bare == name
    if "UUID" in given:
        given["UUID"] = given["UUID"].ljust(36, "0")  # Twins have short ones.
    report = ParamValidator().validate(given, model.input_shape)
    assert not report.has_errors(), report.generate_report()


@cache
def _operation(service: str, operation: str) -> OperationModel:
    model = botocore.session.get_session().get_service_model(service)
    name = next((name for name in model.operation_names if xform_name(name, "-") == operation), "")
    assert name, f"There is no aws {service} {operation}."
    return model.operation_model(name)


def _options(words: list[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("--"):
            found.append((word[2:], []))
        else:
            found[-1][1].append(word)
    return found


def _value(shape: Shape, values: list[str]) -> Any:
    """As the CLI reads it: JSON, its shorthand, or the plain value."""
    text = values[0]
    if shape.type_name in ("structure", "map", "list") and text[0] in "[{":
        return json.loads(text)
    match shape.type_name:
        case "structure" | "map":
            return _shorthand(shape, text)
        case "list":
            return [_value(shape.member, [each]) for each in values]
        case "integer" | "long":
            return int(text)
        case "float" | "double":
            return float(text)
        case "boolean":
            return text == "true"
        case "blob":
            return text.encode()
    return text


def _shorthand(shape: Shape, text: str) -> dict[str, Any]:
    """``Key=value,Key=value``; what has no key belongs to the list before it."""
    pairs: list[tuple[str, list[str]]] = []
    for part in re.split(r",(?![^\[]*\])", text):
        name, equals, value = part.partition("=")
        if equals:
            pairs.append((name, value.strip("[]").split(",")))
        else:
            pairs[-1][1].append(part)
    shapes = {name: shape.value if shape.type_name == "map" else shape.members[name] for name, _ in pairs}
    return {name: _value(shapes[name], values) for name, values in pairs}


@of("terraform")
def test_a_block_is_closed(kind: str, fix: Fix) -> None:
    assert re.match(r"(resource|data|import|moved) |#|locals", fix.text), fix.text
    for opening, closing in ("{}", "[]", "()"):
        assert fix.text.count(opening) == fix.text.count(closing), fix.text


@of("sam")
def test_a_template_is_yaml(kind: str, fix: Fix) -> None:
    yaml = pytest.importorskip("yaml")
    told = yaml.safe_load(fix.text)
    for name, resource in told.items():
        assert name.isalnum()
        assert resource["Type"].startswith("AWS::")
        assert "Properties" in resource
