"""The extension as Lambda layers: what `make extension` built, and how it gets into our own AWS account."""

import hashlib
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from observability.aws import sessions
from observability.aws.problems import AwsError, Trouble
from observability.extension.models import Layer

DIST = Path(settings.BASE_DIR) / "extension" / "dist"
ARCHITECTURES = ("x86_64", "arm64")
EVERYBODY = "*"
KEPT = 50
"""How many versions of a layer are looked through for the newest, which AWS lists first."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a layer, as AWS knows it."""

    arn: str
    number: int
    sha256: str


def layer_name(architecture: str) -> str:
    return f"nightjar-extension-{architecture}"


def archive(architecture: str) -> Path:
    """The layer's file; it need not have been built."""
    return DIST / f"{layer_name(architecture)}.zip"


def publish(*, region: str, architecture: str, readers: Collection[str], now: datetime) -> tuple[Layer, bool]:
    """The layer in that region, and whether a version had to be made: one with the same bytes serves as well.

    Raises ``AwsError``.
    """
    content = archive(architecture).read_bytes()
    sha256 = b64encode(hashlib.sha256(content).digest()).decode()
    version = _newest(region, architecture)
    made = version is None or version.sha256 != sha256
    if version is None or made:
        version = _make(region, architecture, content)
    for reader in readers:
        _share(region, architecture, version, reader)
    known = Layer.objects.filter(region=region, architecture=architecture, arn=version.arn).first()
    told = {"arn": version.arn, "sha256": sha256, "published_at": known.published_at if known else now}
    told["readers"] = sorted({*readers, *(known.readers if known else ())})
    layer, _ = Layer.objects.update_or_create(region=region, architecture=architecture, defaults=told)
    return layer, made


def _newest(region: str, architecture: str) -> Version | None:
    name = layer_name(architecture)
    try:
        listed = _call("list_layer_versions", region, LayerName=name, MaxItems=KEPT)["LayerVersions"]
    except AwsError as error:
        if error.trouble != Trouble.NOT_FOUND:
            raise
        return None
    if not listed:
        return None
    number = max(version["Version"] for version in listed)
    return _version(_call("get_layer_version", region, LayerName=name, VersionNumber=number))


def _make(region: str, architecture: str, content: bytes) -> Version:
    answer = _call(
        "publish_layer_version",
        region,
        LayerName=layer_name(architecture),
        Description="Nightjar's companion extension",
        Content={"ZipFile": content},
        CompatibleArchitectures=[architecture],
        LicenseInfo="Apache-2.0",
    )
    return _version(answer)


def _share(region: str, architecture: str, version: Version, reader: str) -> None:
    """Let an account use it, or everybody; that it already may is no error."""
    try:
        _call(
            "add_layer_version_permission",
            region,
            LayerName=layer_name(architecture),
            VersionNumber=version.number,
            StatementId="everybody" if reader == EVERYBODY else f"account-{reader}",
            Action="lambda:GetLayerVersion",
            Principal=reader,
        )
    except AwsError as error:
        if "ResourceConflict" not in error.detail:
            raise


def _version(answer: dict[str, Any]) -> Version:
    return Version(answer["LayerVersionArn"], answer["Version"], answer["Content"]["CodeSha256"])


def _call(operation: str, region: str, **parameters: Any) -> dict[str, Any]:
    return sessions.own_call("lambda", operation, region=region, **parameters)
