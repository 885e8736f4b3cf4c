"""Where the key comes from, and whom the extension trusts."""

import json
import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from bench.nightjar import Nightjar
from bench.sandbox import Handler, Sandbox, Server

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nightjar-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/nightjar/key"
ROLE = {"AWS_ACCESS_KEY_ID": "ASIAPRETEND", "AWS_SECRET_ACCESS_KEY": "pretend", "AWS_SESSION_TOKEN": "pretend-token"}


class Aws(Server):
    """Answers every call with ``told`` and keeps what was asked."""

    def __init__(self, status: int, told: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), AwsHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.status, self.told, self.throttled = status, told, 0
        self.asked: list[tuple[dict[str, str], dict[str, Any]]] = []


class AwsHandler(Handler):
    server: Aws

    def do_POST(self) -> None:  # noqa: N802  # The name that http.server calls.
        self.server.asked.append((dict(self.headers.items()), json.loads(self.body())))
        if len(self.server.asked) <= self.server.throttled:
            self.answer(400, b'{"__type": "ThrottlingException"}')
            return
        self.answer(self.server.status, json.dumps(self.server.told).encode())


@pytest.mark.parametrize(
    ("arn", "told", "target", "asked"),
    [
        pytest.param(
            SECRET, {"SecretString": "njk_secret"}, "secretsmanager.GetSecretValue", {"SecretId": SECRET}, id="secret"
        ),
        pytest.param(
            SECRET, {"SecretString": '{"NIGHTJAR_KEY": "njk_secret", "other": 1}'}, "secretsmanager.GetSecretValue",
            {"SecretId": SECRET}, id="member of a secret",
        ),
        pytest.param(
            PARAMETER, {"Parameter": {"Value": "njk_secret\n"}}, "AmazonSSM.GetParameter",
            {"Name": PARAMETER, "WithDecryption": True}, id="parameter",
        ),
    ],
)  # fmt: skip
def test_the_key_is_fetched_with_the_role_of_the_function(
    extension: Path, nightjar: Nightjar, arn: str, told: dict[str, Any], target: str, asked: dict[str, Any]
) -> None:
    with Aws(200, told) as aws:
        environment = {
            "NIGHTJAR_ENDPOINT": nightjar.url, "NIGHTJAR_KEY_ARN": arn, "AWS_ENDPOINT_URL": aws.url, **ROLE,
        }  # fmt: skip
        with Sandbox(extension, environment) as sandbox:
            sandbox.invoke(["hello"])
            sandbox.shutdown()
    assert nightjar.lines() == {"hello": 1}
    assert {headers["Authorization"] for headers in nightjar.headers} == {"Bearer njk_secret"}
    [(headers, question)] = aws.asked
    assert (headers["X-Amz-Target"], question) == (target, asked)
    assert headers["X-Amz-Security-Token"] == "pretend-token"
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIAPRETEND/")


def test_where_many_ask_for_the_key_at_once_it_is_asked_for_again(extension: Path, nightjar: Nightjar) -> None:
    with Aws(200, {"SecretString": "njk_secret"}) as aws:
        aws.throttled = 2
        environment = {
            "NIGHTJAR_ENDPOINT": nightjar.url, "NIGHTJAR_KEY_ARN": SECRET, "AWS_ENDPOINT_URL": aws.url, **ROLE,
        }  # fmt: skip
        with Sandbox(extension, environment, freezes=False) as sandbox:
            sandbox.invoke(["hello"])
            nightjar.wait_for(lambda: nightjar.lines() == {"hello": 1})


@pytest.mark.parametrize(
    ("arn", "word"),
    [
        (SECRET, "secretsmanager.GetSecretValue answered 400"),
        ("arn:aws:s3:::bucket", "NIGHTJAR_KEY_ARN must be the ARN of a secret or of a parameter"),
        ("nonsense", "NIGHTJAR_KEY_ARN must be the ARN of a secret or of a parameter"),
    ],
)
def test_a_key_that_cannot_be_had_is_one_line(extension: Path, nightjar: Nightjar, arn: str, word: str) -> None:
    with Aws(400, {"__type": "AccessDeniedException", "Message": "not you"}) as aws:
        environment = {
            "NIGHTJAR_ENDPOINT": nightjar.url, "NIGHTJAR_KEY_ARN": arn, "AWS_ENDPOINT_URL": aws.url, **ROLE,
        }  # fmt: skip
        with Sandbox(extension, environment) as sandbox:
            for _ in range(3):
                sandbox.invoke(["hello"])
            took = sandbox.shutdown()
            _, err = sandbox.said()
    assert word in err.splitlines()[0]
    assert nightjar.requests == 0
    assert took < 1, "nobody waits for what cannot come"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nightjar")])
    now = timezone.now()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return public, private


@pytest.mark.parametrize("trusted", [True, False])
def test_a_private_certificate_is_trusted_when_it_is_named(extension: Path, tmp_path: Path, *, trusted: bool) -> None:
    public, private = certificate(tmp_path)
    with Nightjar() as nightjar:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(public, private)
        nightjar.socket = context.wrap_socket(nightjar.socket, server_side=True)
        environment = {"NIGHTJAR_ENDPOINT": nightjar.url.replace("http:", "https:"), "NIGHTJAR_KEY": "njk_pretend"}
        if trusted:
            environment["NIGHTJAR_CA_FILE"] = str(public)
        with Sandbox(extension, environment) as sandbox:
            sandbox.invoke(["hello"])
            sandbox.shutdown()
    assert nightjar.lines() == ({"hello": 1} if trusted else {})
