"""What people copy: each text is what its tool accepts, and the manual shows the same."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cfnlint.api
import pytest
import yaml
from cfnlint.config import ManualArgs
from django.conf import settings

from observability.extension import choice, layers, snippets
from observability.extension.snippets import WAYS, Filling

MANUAL = (Path(settings.BASE_DIR) / "docs" / "howto" / "install-the-extension.md").read_text()
LAYER = "arn:aws:lambda:eu-west-1:905418337712:layer:nightjar-extension-arm64:1"
FILLING = Filling(
    endpoint="https://nightjar.example.com",
    key=snippets.SOME_KEY,
    layer=LAYER,
    region="eu-west-1",
    account=snippets.SOME_ACCOUNT,
    architecture="arm64",
    function="checkout",
)
TEXTS = [(way.key, text.name, text.text) for way in WAYS for text in way.texts(FILLING)]
MORE = [*snippets.secret(FILLING), snippets.publishing(FILLING)]
VARIABLES = {"NIGHTJAR_ENDPOINT": "https://nightjar.example.com", "NIGHTJAR_KEY": snippets.SOME_KEY}
CONSOLE = {"layer.txt", "variables.txt"}
"""Values rather than texts: the manual says them in words."""


def text(template: str) -> str:
    return snippets.render(template, FILLING)


@pytest.mark.parametrize(("key", "name", "shown"), TEXTS, ids=[f"{key}, {name}" for key, name, _ in TEXTS])
def test_the_manual_shows_what_the_page_shows(key: str, name: str, shown: str) -> None:
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", MANUAL, re.MULTILINE | re.DOTALL)
    flat = [re.sub(r"^ +", "", block, flags=re.MULTILINE) for block in blocks]
    assert any(re.sub(r"^ +", "", shown, flags=re.MULTILINE) in block for block in flat), shown


@pytest.mark.parametrize("more", MORE, ids=[more.name for more in MORE])
def test_the_manual_shows_the_rest_too(more: snippets.Text) -> None:
    assert more.text in MANUAL


def test_every_way_is_filled_in() -> None:
    for way in WAYS:
        whole = "\n".join(text.text for text in way.texts(FILLING))
        assert "{{" not in whole
        assert snippets.SOME_KEY in whole, way.key
        assert (LAYER in whole) == (way.key != "image")
        assert FILLING.endpoint in whole


@pytest.mark.parametrize("template", [name for way in WAYS for _, name in way.files if name.endswith(".sh")])
def test_commands_are_what_a_shell_reads(template: str) -> None:
    subprocess.run(["bash", "-n"], input=text(template), text=True, check=True)  # noqa: S607


FAKE_AWS = f"""#!{sys.executable}
import json, os, pathlib, sys
import jmespath
words = sys.argv[1:]
if words[1] == "get-function-configuration":
    assert words[words.index("--function-name") + 1] == "checkout"
    print(json.dumps(jmespath.search(words[words.index("--query") + 1], json.loads(os.environ["CONFIGURATION"]))))
else:
    assert words[1] == "update-function-configuration"
    pathlib.Path(os.environ["UPDATE"]).write_text(words[words.index("--cli-input-json") + 1])
"""


def updated(template: str, configuration: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """What the command would have AWS change, with a stand-in for the CLI that reads queries as it does."""
    (tmp_path / "aws").write_text(FAKE_AWS)
    (tmp_path / "aws").chmod(0o755)
    update = tmp_path / "update.json"
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CONFIGURATION": json.dumps(configuration),
        "UPDATE": str(update),
    }
    subprocess.run(["bash", "-euo", "pipefail", "-c", text(template)], env=environment, check=True)  # noqa: S607
    found: dict[str, Any] = json.loads(update.read_text())
    return found


class TestTheCommand:
    def test_keeps_what_the_function_has_and_replaces_an_older_layer_of_ours(self, tmp_path: Path) -> None:
        theirs, ours = "arn:aws:lambda:eu-west-1:1:layer:theirs:3", LAYER.replace(":1", ":0")
        configuration = {
            "FunctionName": "checkout",
            "Layers": [{"Arn": theirs, "CodeSize": 1}, {"Arn": ours, "CodeSize": 2}],
            "Environment": {"Variables": {"TABLE": "orders", "NIGHTJAR_KEY": "an old one"}},
        }
        assert updated("cli.sh", configuration, tmp_path) == {
            "FunctionName": "checkout",
            "Layers": [theirs, LAYER],
            "Environment": {"Variables": VARIABLES | {"TABLE": "orders"}},
        }

    def test_works_for_a_function_that_has_nothing(self, tmp_path: Path) -> None:
        assert updated("cli.sh", {"FunctionName": "checkout"}, tmp_path) == {
            "FunctionName": "checkout",
            "Layers": [LAYER],
            "Environment": {"Variables": VARIABLES},
        }

    def test_leaves_the_layers_of_an_image_alone(self, tmp_path: Path) -> None:
        configuration = {"FunctionName": "checkout", "Environment": {"Variables": {"TABLE": "orders"}}}
        assert updated("image.sh", configuration, tmp_path) == {
            "FunctionName": "checkout",
            "Environment": {"Variables": VARIABLES | {"TABLE": "orders"}},
        }


def test_sam_is_a_template_that_cloudformation_takes() -> None:
    rest = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Checkout:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      InlineCode: "def handler(event, context): pass"
"""
    found = cfnlint.api.lint(text("sam.yaml") + rest, config=ManualArgs(regions=["eu-west-1"]))
    assert [str(match) for match in found] == []


def test_serverless_is_yaml_with_the_layer_and_the_variables_of_the_provider() -> None:
    provider = yaml.safe_load(text("serverless.yml"))["provider"]
    assert (provider["layers"], provider["architecture"]) == ([LAYER], "arm64")
    assert provider["environment"] == VARIABLES | {"NIGHTJAR_KEY": "${env:NIGHTJAR_KEY}"}


def test_the_cdk_text_is_python() -> None:
    tree = ast.parse(text("cdk.py.txt"))
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {function.attr for function in called if isinstance(function, ast.Attribute)}
    assert names == {"from_layer_version_arn", "add_layers", "add_environment"}


def test_the_policy_is_json_for_one_parameter_in_the_partition() -> None:
    [statement] = json.loads(text("policy.json"))["Statement"]
    assert statement["Action"] == "ssm:GetParameter"
    assert statement["Resource"] == "arn:aws:ssm:eu-west-1:123456789012:parameter/nightjar/ingest-key"
    china = Filling("https://n.example", "k", LAYER, "cn-north-1", "1" * 12, "arm64", "f")
    assert "arn:aws-cn:ssm:cn-north-1" in snippets.render("policy.json", china)


def test_the_layer_that_people_publish_themselves_has_the_name_that_the_texts_expect() -> None:
    arn = choice.own_arn(snippets.SOME_ACCOUNT, "eu-west-1", "arm64")
    assert f"--layer-name {layers.layer_name('arm64')} " in text("publish.sh")
    assert f"fileb://{layers.archive('arm64').name} " in text("publish.sh")
    assert arn.split(":")[6] == layers.layer_name("arm64")


@pytest.mark.parametrize(
    ("name", "told"), [("check-out_2", "check_out_2"), ("2-step", "function_2_step"), ("-", "function_")]
)
def test_names_are_what_terraform_accepts(name: str, told: str) -> None:
    filling = Filling("https://n.example", "k", LAYER, "eu-west-1", "1" * 12, "arm64", name)
    assert filling.snake == told
