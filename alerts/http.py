"""The one way out: a POST to an address that a customer chose, which may never reach our own network.

The host is resolved once, every address it has must be public, and the connection goes to the address that was
checked. Redirects are answers like any other, proxies of the environment are ignored, and neither the time nor
the size of an answer is up to the other side. docs/howto/add-a-transport.md names the rules.
"""

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError as Urllib3Error

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
BODY_LIMIT = 64 * 1024
URL_LIMIT = 2_000
ADDRESS_TRIES = 3
PORTS = frozenset({80, 443, 8080, 8443})
USER_AGENT = "Nightjar"

DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's metadata service, on an address that counts as public.
        "::/96",  # Unspecified, loopback and IPv4-compatible.
        "::ffff:0:0/96", "::ffff:0:0:0/96",  # IPv4-mapped and IPv4-translated.
        "64:ff9b::/96", "64:ff9b:1::/48",  # NAT64: an IPv4 address in disguise.
        "100::/64", "2001::/23",  # Discard-only; IETF protocols, Teredo among them.
        "2001:db8::/32", "3fff::/20",  # Documentation.
        "2002::/16",  # 6to4.
        "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip

HOST = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\Z")
IPV6 = re.compile(r"\[[0-9a-f:.]+\](:\d*)?\Z", re.IGNORECASE)
NUMERIC = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\Z")
URL = re.compile(r"https?://[!-~]+\Z", re.IGNORECASE)


class AddressRefusedError(Exception):
    """The URL is not one that we call; trying again cannot help. The text is made for the person who typed it."""


class UnreachableError(Exception):
    """No answer came back. The text names the stage that failed, and never quotes the other side."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: status, headers in lower case and at most ``BODY_LIMIT`` bytes. Never show ``body`` to anyone."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. ``host`` is a lower-case name or an address without brackets; ``path`` includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    @property
    def allowed(self) -> bool:
        """Whether the operator vouches for it (``OUTBOUND_ALLOWED_HOSTS``), which lifts the rules on addresses."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" in settings.OUTBOUND_ALLOWED_HOSTS


def parse(url: str) -> Target:
    """The target of a URL, or ``AddressRefusedError``. Strict: what two parsers could read in two ways is refused."""
    if len(url) > URL_LIMIT:
        raise AddressRefusedError(f"The URL is longer than {URL_LIMIT:,} characters.")
    if not URL.match(url) or "\\" in url or "#" in url:
        raise AddressRefusedError("Enter a complete http:// or https:// URL in plain characters, without spaces or #.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefusedError("The URL cannot be read.") from None
    if "@" in parts.netloc:
        raise AddressRefusedError("The URL must not contain a user name or password.")
    scheme = parts.scheme.lower()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(scheme, _host(parts.netloc, parts.hostname or ""), port or {"http": 80, "https": 443}[scheme], path)
    if target.port not in PORTS and not target.allowed:
        raise AddressRefusedError(f"Port {target.port} is not allowed.")
    return target


def _host(netloc: str, host: str) -> str:
    """The host as one spelling: a canonical address or a plain name; everything in between is refused."""
    host = host.removesuffix(".")
    with suppress(ValueError):
        if IPV6.match(netloc):
            return str(ipaddress.IPv6Address(host))
        if NUMERIC.search(host):  # Resolvers would read 0x7f.1 or 2130706433 as 127.0.0.1.
            return str(ipaddress.IPv4Address(host))
        if HOST.match(host):
            return host
    raise AddressRefusedError("The URL's host is not a valid name or address.")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open Internet, whatever the standard library thinks of it."""
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return False
    denied = any(address.version == network.version and address in network for network in DENIED)
    return address.is_global and not address.is_multicast and not denied


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, as the system's resolver orders them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnreachableError("The host name could not be resolved.") from None
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def _addresses(target: Target, lookup: Resolve) -> list[str]:
    """The addresses to try. One private address among public ones refuses them all."""
    found = lookup(target.host, target.port)
    if not target.allowed and not all(is_public(ipaddress.ip_address(address)) for address in found):
        raise AddressRefusedError("The host has an address in a private or reserved network.")
    if not found:
        raise UnreachableError("The host name could not be resolved.")
    return found[:ADDRESS_TRIES]


def post(url: str, body: bytes, headers: Mapping[str, str], *, lookup: Resolve = resolve) -> Response:
    """POST once; any status is an answer. Raises ``AddressRefusedError`` or ``UnreachableError``, free of secrets."""
    target = parse(url)
    deadline = time.monotonic() + TOTAL_SECONDS
    connection = _connect(target, _addresses(target, lookup), deadline)
    try:
        with _cut_off(connection, deadline), _in_words("The other side closed the connection without an answer."):
            return _exchange(connection, target, body, headers)
    finally:
        connection.close()


def _connect(target: Target, addresses: list[str], deadline: float) -> HTTPConnection:
    """A connection to the first address that takes one; nothing has been sent on it yet."""
    failure = UnreachableError("No connection could be made.")
    for address in addresses:
        connection = _connection(target, address)
        try:
            with _cut_off(connection, deadline), _in_words("No connection could be made."):
                connection.connect()
                return connection
        except UnreachableError as error:
            connection.close()
            failure = error
    raise failure


def _connection(target: Target, address: str) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=CONNECT_SECONDS)
    return HTTPSConnection(
        address,
        target.port,
        timeout=CONNECT_SECONDS,
        server_hostname=target.host,
        ssl_context=ssl.create_default_context(),
    )


def _exchange(connection: HTTPConnection, target: Target, body: bytes, headers: Mapping[str, str]) -> Response:
    connection.timeout = TOTAL_SECONDS
    connection.request(
        "POST",
        target.path,
        body=body,
        headers={"Host": target.authority, "User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers},
        preload_content=False,
        decode_content=False,
    )
    answer = connection.getresponse()
    text = b""
    with suppress(OSError, Urllib3Error, HTTPException):  # The status is the answer, however the rest ends.
        text = answer.read(BODY_LIMIT, decode_content=False)
    return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, text)


@contextmanager
def _cut_off(connection: HTTPConnection, deadline: float) -> Iterator[None]:
    """Shut the socket at the deadline: a timeout on each read would let a slow drip hold us for ever."""

    def cut() -> None:
        if connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except UnreachableError:
        if time.monotonic() >= deadline:
            raise UnreachableError(f"No answer within {TOTAL_SECONDS:.0f} seconds.") from None
        raise
    finally:
        timer.cancel()


@contextmanager
def _in_words(otherwise: str) -> Iterator[None]:
    """Errors of the network as ``UnreachableError``, in our own words only: theirs can quote the other side."""
    try:
        yield
    except ssl.SSLError as error:
        verify = isinstance(error, ssl.SSLCertVerificationError)
        words = "The TLS certificate is not valid for this host." if verify else "The TLS handshake failed."
        raise UnreachableError(words) from None
    except TimeoutError:
        raise UnreachableError("The other side did not answer in time.") from None
    except (OSError, Urllib3Error, HTTPException):
        raise UnreachableError(otherwise) from None
