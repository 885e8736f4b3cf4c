"""TLS of the outbound guard: the name of the URL is asked for and checked, although an address is called."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from alerts import http

NAME, BODY = "receiver.example", b"{}"


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate for the name, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


class TlsReceiver:
    """Answers one request after another over TLS, and notes which name was asked for."""

    def __init__(self, file: Path) -> None:
        self.names: list[str | None] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(file)
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client:
                try:
                    secured = self.context.wrap_socket(client, server_side=True)
                except OSError:
                    continue
                with secured:
                    received = b""
                    while not received.endswith(BODY):  # Closing before all is read resets the connection.
                        received += secured.recv(65536) or BODY
                    secured.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def close(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(timeout=5)


@pytest.fixture
def receiver_of(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., TlsReceiver]]:
    receivers: list[TlsReceiver] = []

    def start(name: str, *, trusted: bool) -> TlsReceiver:
        file = certificate(tmp_path, name)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(file))
        receivers.append(TlsReceiver(file))
        settings.OUTBOUND_ALLOWED_HOSTS = [f"{NAME}:{receivers[-1].port}"]
        return receivers[-1]

    yield start
    for receiver in receivers:
        receiver.close()


def post(receiver: TlsReceiver) -> int:
    return http.post(f"https://{NAME}:{receiver.port}/", BODY, {}, lookup=lambda host, port: ["127.0.0.1"]).status


def test_the_name_of_the_url_is_asked_for_and_checked(receiver_of: Callable[..., TlsReceiver]) -> None:
    receiver = receiver_of(NAME, trusted=True)
    assert post(receiver) == 204
    assert receiver.names == [NAME]


@pytest.mark.parametrize(("name", "trusted"), [(NAME, False), ("another.example", True)])
def test_other_certificates_are_refused(receiver_of: Callable[..., TlsReceiver], name: str, trusted: bool) -> None:
    with pytest.raises(http.UnreachableError, match="certificate is not valid"):
        post(receiver_of(name, trusted=trusted))
