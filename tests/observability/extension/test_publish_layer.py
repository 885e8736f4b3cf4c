"""The layers in our own AWS account, where functions take them from."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from demo.aws.server import PRINCIPAL, SimulatedAws
from observability.aws import sessions
from observability.aws.problems import AwsError, Trouble
from observability.extension import layers
from observability.extension.models import Layer

pytestmark = pytest.mark.django_db
ARN = f"arn:aws:lambda:eu-west-1:{PRINCIPAL}:layer:nightjar-extension-"


@pytest.fixture(autouse=True)
def _fresh_sessions(simulated_aws: SimulatedAws) -> Iterator[None]:
    sessions.forget()
    yield
    sessions.forget()


def publish(*arguments: str) -> None:
    call_command("publish_layer", "--region", "eu-west-1", *arguments)


def client(aws: SimulatedAws, region: str = "eu-west-1") -> Any:
    return aws.account(PRINCIPAL).client("lambda", region)


def statements(aws: SimulatedAws, architecture: str, number: int = 1) -> list[dict[str, Any]]:
    answer = client(aws).get_layer_version_policy(LayerName=layers.layer_name(architecture), VersionNumber=number)
    found: list[dict[str, Any]] = json.loads(answer["Policy"])["Statement"]
    return found


def test_both_layers_are_published_to_every_region_and_told(
    built: Path, simulated_aws: SimulatedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    publish("--region", "us-east-1")
    told = capsys.readouterr().out.split()
    arns = [ARN + "x86_64:1", ARN + "arm64:1"]
    assert told == [*arns, *(arn.replace("eu-west-1", "us-east-1") for arn in arns)]
    version = client(simulated_aws).get_layer_version(LayerName="nightjar-extension-arm64", VersionNumber=1)
    assert version["CompatibleArchitectures"] == ["arm64"]
    assert version["Content"]["CodeSize"] == layers.archive("arm64").stat().st_size
    assert {(layer.region, layer.architecture) for layer in Layer.objects.all()} == {
        (region, architecture) for region in ("eu-west-1", "us-east-1") for architecture in ("x86_64", "arm64")
    }


def test_the_same_bytes_are_published_once(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish("--architecture", "arm64")
    first = Layer.objects.get()
    capsys.readouterr()
    publish("--architecture", "arm64")
    told = capsys.readouterr()
    assert told.out.split() == [ARN + "arm64:1"]
    assert "was published before, unchanged" in told.err
    assert Layer.objects.get().published_at == first.published_at


def test_other_bytes_are_a_new_version_which_pages_name_from_then_on(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish("--architecture", "arm64", "--public")
    layers.archive("arm64").write_bytes(b"PK\x05\x06" + bytes(18) + b"newer")
    publish("--architecture", "arm64")
    assert capsys.readouterr().out.split() == [ARN + "arm64:1", ARN + "arm64:2"]
    assert Layer.objects.get().arn == ARN + "arm64:2"
    assert Layer.objects.get().readers == []  # A new version is shared with nobody.


def test_what_an_earlier_installation_published_is_found(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish("--architecture", "arm64")
    Layer.objects.all().delete()
    publish("--architecture", "arm64")
    assert capsys.readouterr().out.split() == [ARN + "arm64:1"] * 2
    assert Layer.objects.get().arn == ARN + "arm64:1"


def test_nobody_else_may_use_them_unless_told(
    built: Path, simulated_aws: SimulatedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    publish()
    assert "see --account and --public" in capsys.readouterr().err
    layer = Layer.objects.get(architecture="arm64")
    assert layer.is_for(PRINCIPAL)
    assert not layer.is_for("720155190031")


def test_accounts_or_everybody_may_be_given_them(built: Path, simulated_aws: SimulatedAws) -> None:
    publish("--architecture", "arm64", "--account", "720155190031")
    layer = Layer.objects.get()
    assert layer.is_for("720155190031")
    assert not layer.is_for("210987654321")
    publish("--architecture", "arm64", "--public")
    assert Layer.objects.get().readers == ["*", "720155190031"]
    assert Layer.objects.get().is_for("210987654321")
    [one, everybody] = statements(simulated_aws, "arm64")
    assert (one["Sid"], one["Action"]) == ("account-720155190031", "lambda:GetLayerVersion")
    assert everybody["Principal"] in ("*", {"AWS": "*"})


def test_what_is_allowed_already_is_no_error(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def conflict(service: str, operation: str, *, region: str, **parameters: Any) -> dict[str, Any]:
        if operation == "add_layer_version_permission":
            detail = "ResourceConflictException: The statement id (everybody) provided already exists."
            raise AwsError(Trouble.REFUSED, "lambda:AddLayerVersionPermission", detail)
        return real(service, operation, region=region, **parameters)

    real = sessions.own_call
    monkeypatch.setattr(sessions, "own_call", conflict)
    publish("--architecture", "arm64", "--public")
    assert Layer.objects.get().readers == ["*"]


def test_layers_that_are_not_built_are_told_before_anything_is_published(built: Path) -> None:
    layers.archive("arm64").unlink()
    with pytest.raises(CommandError, match="run `make extension` first"):
        publish()
    assert not Layer.objects.exists()


def test_a_denied_call_is_told_with_what_was_denied(built: Path, simulated_aws: SimulatedAws) -> None:
    simulated_aws.deny(PRINCIPAL, "lambda:PublishLayerVersion")
    with pytest.raises(CommandError, match=r"eu-west-1, x86_64: .* may not do this.*lambda:PublishLayerVersion"):
        publish()


def test_missing_credentials_are_told(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    sessions.forget()
    with pytest.raises(CommandError, match="no valid AWS credentials"):
        publish()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--region", "eu-west-99"), "no region eu-west-99"), (("--account", "12"), "12 digits")],
    ids=["region", "account"],
)
def test_what_cannot_be_is_refused(built: Path, arguments: tuple[str, str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        publish(*arguments)
