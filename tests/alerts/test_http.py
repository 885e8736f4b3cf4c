"""The guard on outbound calls: a corpus of hostile URLs against listeners that count connections."""

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product

import pytest

from alerts import http
from alerts.http import AddressRefusedError, UnreachableError

PRIVATE = (
    "0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.0.0.2",  # noqa: S104 - an address to refuse, not one to bind
    "127.255.255.254", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::",
    "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "172.15.0.1", "172.32.0.1", "2606:4700:4700::1111")

SPELLINGS_OF_LOOPBACK = (
    "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "017700000001",
    "127.0.0.1.", "00000177.0.0.1", "127.000.000.001", "0x7F.0x0.0x0.0x1", "0", "1", "3232235521",
)  # fmt: skip
SPELLINGS_OF_METADATA = ("2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518")
NAMES = (
    "localhost", "LOCALHOST", "localhost.", "ip6-localhost", "metadata.google.internal", "instance-data",
    "127.0.0.1.nip.io", "mixed.example", "rebind.example", "redis", "kubernetes.default.svc", "loop_back",
)  # fmt: skip
MALFORMED = (
    "", " ", "/", "//{host}:{port}/", "{host}:{port}", "http:", "http:/", "http://", "http:///", "http://:{port}/",
    "http:{host}:{port}", "http:/{host}:{port}", "file:///etc/passwd", "file://{host}/etc/passwd",
    "gopher://{host}:{port}/_PING", "ftp://{host}:{port}/", "dict://{host}:{port}/", "ldap://{host}:{port}/",
    "ws://{host}:{port}/", "unix:///run/redis.sock", "data:text/plain,hi", "javascript:alert(1)",
    "jar:http://{host}:{port}!/", "http+unix://%2Frun%2Fdocker.sock/", "netdoc:///etc/passwd",
    "http://user@{host}:{port}/", "http://user:pass@{host}:{port}/", "http://1.1.1.1@{host}:{port}/",
    "http://1.1.1.1:80@{host}:{port}/", "http://{host}:{port}@1.1.1.1:80@{host}:{port}/", "http://@{host}:{port}/",
    "http://1.1.1.1&@{host}:{port}/", "http://1.1.1.1#@{host}:{port}/x", "http://1.1.1.1\\@{host}:{port}/",
    "http://{host}\\@1.1.1.1:{port}/", "http:\\\\{host}:{port}\\", "http://{host}:{port}\\.example.com/",
    "http://{host}%2f@1.1.1.1:{port}/", "http://{host}:{port}%00.example.com/", "http://%6c%6f%63alhost:{port}/",
    "http://{host}%09:{port}/", "http://{host}\t:{port}/", "http://{host}\r\n:{port}/", "http://{host}:{port}\r\nX: y",
    "http://{host}:{port}/\r\nHost: evil", "http://{host}:{port}/ HTTP/1.1\r\nX: y", "http://{host} :{port}/",
    " http://{host}:{port}/", "http://{host}:{port}/ ", "http://{host}:{port}\x00/", "http://{host}:{port}/\x7f",
    "http://127。0。0。1:{port}/", "http://127.0.0.1:{port}/", "http://①②⑦.⓪.⓪.①:{port}/",
    "http://localhost:{port}/", "http://ⓛocalhost:{port}/", "http://loc\u200balhost:{port}/",
    "http://[::1%25lo]:{port}/", "http://[::1%lo]:{port}/", "http://[fe80::1%25eth0]:{port}/", "http://[::1:{port}/",
    "http://::1:{port}/", "http://[::1]1.1.1.1:{port}/", "http://1.1.1.1[::1]:{port}/", "http://[{host}]:{port}/",
    "http://[v1.::1]:{port}/", "http://[]:{port}/", "http://[0x7f::1]:{port}/", "http://{host}:{port}:80/",
    "http://{host}:-1/", "http://{host}:99999/", "http://{host}:abc/", "http://{host}:{port}abc/",
    "http://{host},1.1.1.1:{port}/", "http://{host};1.1.1.1:{port}/", "http://-a.example:{port}/",
    "http://a..b.example:{port}/", "http://.:{port}/", "http://..:{port}/", "http://*:{port}/", "http://~:{port}/",
    "http://$(id).example:{port}/", "http://{{host}}.example:{port}/", "http://" + "a" * 64 + ".example:{port}/",
    "http://" + "a." * 130 + "example:{port}/", "http://{host}:{port}/" + "a" * 2_000,
)  # fmt: skip
ODD_PORTS = (1, 21, 22, 23, 25, 53, 110, 143, 389, 445, 2375, 3306, 5432, 6379, 8000, 9200, 11211, 27017, 65535)


@dataclass
class Listener:
    """Accepts connections on a loopback address and counts them."""

    port: int
    connections: list[str] = field(default_factory=list)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """One port on 127.0.0.1, 127.0.0.2 and ::1, which the guard lets through as far as ports go."""
    sockets = [socket.create_server(("127.0.0.1", 0))]
    listener = Listener(sockets[0].getsockname()[1])
    sockets.append(socket.create_server(("127.0.0.2", listener.port)))
    sockets.append(socket.create_server(("::1", listener.port), family=socket.AF_INET6))
    monkeypatch.setattr(http, "PORTS", http.PORTS | {listener.port})
    threads = [threading.Thread(target=count, args=(server, listener.connections), daemon=True) for server in sockets]
    for thread in threads:
        thread.start()
    yield listener
    for server in sockets:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join(timeout=5)


def count(server: socket.socket, connections: list[str]) -> None:
    while True:
        try:
            client, address = server.accept()
        except OSError:
            return
        connections.append(str(address))
        client.close()


def literal(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def corpus(port: int) -> list[str]:
    """Several hundred URLs, not one of which may lead to a connection."""
    hosts = [*map(literal, PRIVATE), *SPELLINGS_OF_LOOPBACK, *SPELLINGS_OF_METADATA, *NAMES]
    urls = [f"{scheme}://{host}:{port}/hook" for scheme, host in product(("http", "https"), hosts)]
    urls += [
        form.replace("{host}", host).replace("{port}", str(port))
        for form in MALFORMED
        for host in ("127.0.0.1", "localhost")
    ]
    return urls + [f"http://1.1.1.1:{odd}/" for odd in ODD_PORTS]


def loopback_dns(host: str, port: int) -> list[str]:
    """A resolver under the enemy's control: names lead home, numbers are read the way libc reads them."""
    if host == "mixed.example":
        return ["1.1.1.1", "127.0.0.1"]
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]
    except OSError:
        return ["127.0.0.1", "::1"]


def test_no_url_of_the_corpus_reaches_a_listener(listener: Listener) -> None:
    urls = corpus(listener.port)
    assert len(set(urls)) >= 300
    for url in urls:
        with pytest.raises(AddressRefusedError):
            pytest.fail(f"{url} gave {http.post(url, b'{}', {}, lookup=loopback_dns)}")
    assert listener.connections == []


@pytest.mark.parametrize("address", PRIVATE)
def test_is_public_refuses(address: str) -> None:
    assert not http.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_is_public_accepts(address: str) -> None:
    assert http.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.slack.com/services/T/B/x", "hooks.slack.com", "/services/T/B/x"),
        ("HTTPS://Example.COM:8443?a=b", "example.com:8443", "/?a=b"),
        ("http://93.184.216.34/hook", "93.184.216.34", "/hook"),
        ("https://[2606:4700:4700::1111]/x", "[2606:4700:4700::1111]", "/x"),
        ("https://example.com./x", "example.com", "/x"),
    ],
)
def test_parse_reads_public_urls(url: str, authority: str, path: str) -> None:
    target = http.parse(url)
    assert (target.authority, target.path) == (authority, path)


class TestRebinding:
    def test_the_name_is_resolved_once_and_the_checked_address_is_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = iter([["1.1.1.1"], ["127.0.0.1"], ["127.0.0.1"]])
        called: list[str] = []

        def refuse(target: http.Target, address: str) -> None:
            called.append(address)
            raise UnreachableError("stopped here")

        monkeypatch.setattr(http, "_connection", refuse)
        with pytest.raises(UnreachableError, match="stopped here"):
            http.post("http://rebind.example/", b"", {}, lookup=lambda host, port: next(answers))
        assert called == ["1.1.1.1"]

    def test_a_name_without_addresses_is_unreachable(self) -> None:
        with pytest.raises(UnreachableError):
            http.post("http://nothing.example/", b"", {}, lookup=lambda host, port: [])


def is_complete(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)


def read_request(client: socket.socket) -> bytes:
    """A request with its body, as far as it comes."""
    request = b""
    with suppress(TimeoutError):
        while not is_complete(request) and (part := client.recv(65536)):
            request += part
    return request


class Receiver:
    """A raw HTTP receiver on loopback that answers every request with the same bytes."""

    def __init__(self, answer: bytes, drip: float = 0) -> None:
        self.answer, self.drip, self.requests = answer, drip, list[bytes]()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client:
                client.settimeout(2)
                self.requests.append(read_request(client))
                self.write(client)

    def write(self, client: socket.socket) -> None:
        step = 1 if self.drip else max(1, len(self.answer))
        for start in range(0, len(self.answer), step):
            try:
                client.sendall(self.answer[start : start + step])
            except OSError:
                return
            if self.done.wait(self.drip):
                return

    def close(self) -> None:
        self.done.set()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(timeout=5)


@pytest.fixture
def receive(settings: object) -> Iterator[Callable[..., Receiver]]:
    receivers: list[Receiver] = []

    def start(answer: bytes, drip: float = 0) -> Receiver:
        receivers.append(Receiver(answer, drip))
        settings.OUTBOUND_ALLOWED_HOSTS = [f"127.0.0.1:{receivers[-1].port}", f"receiver.example:{receivers[-1].port}"]  # type: ignore[attr-defined]  # pytest-django's wrapper
        return receivers[-1]

    yield start
    for receiver in receivers:
        receiver.close()


class TestPost:
    def test_it_works(self, receive: Callable[..., Receiver]) -> None:
        receiver = receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Id: 7\r\n\r\nok")
        response = http.post(
            f"http://127.0.0.1:{receiver.port}/hook?a=1", b'{"a":1}', {"Content-Type": "application/json"}
        )
        assert (response.status, response.body, response.headers["x-id"]) == (200, b"ok", "7")
        assert receiver.requests[0].startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
        assert receiver.requests[0].endswith(b'\r\n\r\n{"a":1}')

    def test_the_host_header_keeps_the_name(self, receive: Callable[..., Receiver]) -> None:
        receiver = receive(b"HTTP/1.1 204 No Content\r\n\r\n")
        http.post(f"http://receiver.example:{receiver.port}/", b"", {}, lookup=lambda host, port: ["127.0.0.1"])
        assert f"Host: receiver.example:{receiver.port}\r\n".encode() in receiver.requests[0]

    def test_a_dead_address_is_skipped(self, receive: Callable[..., Receiver]) -> None:
        receiver = receive(b"HTTP/1.1 204 No Content\r\n\r\n")
        url = f"http://receiver.example:{receiver.port}/"
        assert http.post(url, b"", {}, lookup=lambda host, port: ["::1", "127.0.0.1"]).status == 204

    def test_a_redirect_is_an_answer_and_is_not_followed(self, receive: Callable[..., Receiver]) -> None:
        receiver = receive(b"HTTP/1.1 307 Temporary\r\nLocation: http://127.0.0.1:6379/\r\nContent-Length: 0\r\n\r\n")
        assert http.post(f"http://127.0.0.1:{receiver.port}/", b"", {}).status == 307
        assert len(receiver.requests) == 1

    def test_a_huge_answer_is_cut(self, receive: Callable[..., Receiver]) -> None:
        receiver = receive(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 10_000_000)
        assert len(http.post(f"http://127.0.0.1:{receiver.port}/", b"", {}).body) <= http.BODY_LIMIT

    def test_a_dripping_answer_ends_at_the_deadline(
        self, receive: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "TOTAL_SECONDS", 0.5)
        receiver = receive(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"s" * 500, drip=0.05)
        with pytest.raises(UnreachableError, match="No answer within"):
            http.post(f"http://127.0.0.1:{receiver.port}/", b"", {})

    @pytest.mark.parametrize("answer", [b"SECRET nonsense\r\n\r\n", b"", b"HTTP/1.1 abc SECRET\r\n\r\n"])
    def test_errors_never_quote_the_other_side(self, receive: Callable[..., Receiver], answer: bytes) -> None:
        receiver = receive(answer)
        with pytest.raises(UnreachableError) as error:
            http.post(f"http://127.0.0.1:{receiver.port}/", b"", {})
        assert "SECRET" not in str(error.value)
        assert error.value.__cause__ is None

    def test_tls_is_verified(self, receive: Callable[..., Receiver]) -> None:
        receiver = receive(b"not TLS at all")
        with pytest.raises(UnreachableError, match="TLS"):
            http.post(f"https://127.0.0.1:{receiver.port}/", b"", {})

    def test_proxies_of_the_environment_are_ignored(
        self, receive: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        receiver = receive(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert http.post(f"http://127.0.0.1:{receiver.port}/", b"", {}).status == 204
