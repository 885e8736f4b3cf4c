"""Parts of what AWS lets us download: GET of a range from a presigned address, within few requests, bytes and seconds.

The address comes from AWS, and only AWS's storage is called, by TLS, or the simulated AWS that the operator configured.
A storage endpoint inside the operator's own network is fine: its certificate says whose it is. Redirects are not
followed, proxies of the environment are not used.
"""

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from http.client import HTTPException
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

CONNECT_S, WHOLE_S = 5.0, 20.0
MOST_REQUESTS, MOST_BYTES = 3, 990_000
"""For one download. With the headers of three answers it stays below a megabyte."""

URL_LENGTH = 8_192
STORAGE = re.compile(
    r"(?:[a-z0-9][a-z0-9.-]*\.)?s3(?:-fips)?(?:\.dualstack)?(?:[.-][a-z]{2,4}(?:-[a-z]+)+-\d+)?"
    r"\.amazonaws\.(?:com|com\.cn|eu)"
)
"""https://docs.aws.amazon.com/general/latest/gr/s3.html"""
CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class Failure(StrEnum):
    """Why a part could not be had."""

    ADDRESS = "address_refused"
    EXPIRED = "address_expired"
    MISSING = "package_missing"
    NO_RANGES = "no_ranges"
    TOO_SLOW = "too_slow"
    UNREACHABLE = "unreachable"


class DownloadError(Exception):
    """No part came back; its text is a ``Failure``."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class Download:
    """One file at AWS, of which parts are read. ``size`` is known after the first one."""

    def __init__(self, url: str) -> None:
        parts = _checked(url)
        self._path = f"{parts.path or '/'}?{parts.query}"
        self._host = parts.netloc
        self._connection = _connection(parts)
        self._deadline = time.monotonic() + WHOLE_S
        self.size: int | None = None
        self.requests = self.transferred = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    @property
    def left(self) -> int:
        """How many bytes may still be read."""
        return MOST_BYTES - self.transferred

    def last(self, count: int) -> bytes:
        """The last ``count`` bytes, or all where there are fewer."""
        return self._read(f"-{count}", None, count)

    def part(self, start: int, stop: int) -> bytes:
        """The bytes ``[start, stop)``."""
        return self._read(f"{start}-{stop - 1}", start, stop - start)

    def _read(self, wanted: str, start: int | None, count: int) -> bytes:
        """Raises ``DownloadError``. What comes back must be what was asked for, to the byte."""
        assert self.requests < MOST_REQUESTS
        assert 0 < count <= self.left
        self.requests += 1
        with self._in_time():
            answer = self._ask(f"bytes={wanted}")
            if answer.status == 416:  # Nothing to have a range of: the file is empty.
                self.size = 0
                return b""
            _judge(answer)
            length = self._told(answer, start, count)
            body: bytes = answer.read(length + 1, decode_content=False)
            self.transferred += len(body)
            if len(body) < length:
                raise ConnectionError
        if len(body) > length:
            raise DownloadError(Failure.NO_RANGES)
        return body

    def _ask(self, wanted: str) -> HTTPResponse:
        headers = {"Host": self._host, "Range": wanted, "Accept-Encoding": "identity", "User-Agent": "Nightjar"}
        self._connection.request("GET", self._path, headers=headers, preload_content=False, decode_content=False)
        answer: HTTPResponse = self._connection.getresponse()
        return answer

    def _told(self, answer: HTTPResponse, start: int | None, count: int) -> int:
        """How long the part is, by the answer's own words, which must agree with the question."""
        told = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if told is None or answer.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError(Failure.NO_RANGES)
        first, last, size = map(int, told.groups())
        expected = max(0, size - count) if start is None else start
        if first != expected or last != min(first + count, size) - 1 or self.size not in (None, size):
            raise DownloadError(Failure.NO_RANGES)
        self.size = size
        return last - first + 1

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Shut the socket at the deadline: a timeout on each read would let a slow drip hold us for ever."""
        timer = threading.Timer(max(0.0, self._deadline - time.monotonic()), self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, HTTPError, HTTPException):
            late = time.monotonic() >= self._deadline
            raise DownloadError(Failure.TOO_SLOW if late else Failure.UNREACHABLE) from None
        finally:
            timer.cancel()

    def _cut(self) -> None:
        if self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)


def _checked(url: str) -> SplitResult:
    """The parts of an address that may be called. Raises ``DownloadError``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise DownloadError(Failure.ADDRESS) from None
    plain = len(url) <= URL_LENGTH and url.isascii() and url.isprintable() and " " not in url
    theirs = parts.scheme == "https" and port in (None, 443) and STORAGE.fullmatch(host) and parts.netloc == host
    if not plain or not (theirs or _is_simulated(parts)):
        raise DownloadError(Failure.ADDRESS)
    return parts


def _is_simulated(parts: SplitResult) -> bool:
    """Whether it leads to the very server that the operator named as AWS."""
    if not settings.AWS_ENDPOINT_URL:
        return False
    named = urlsplit(settings.AWS_ENDPOINT_URL)
    return (parts.scheme, parts.netloc) == (named.scheme, named.netloc)


def _connection(parts: SplitResult) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return HTTPSConnection(host, parts.port or 443, timeout=CONNECT_S, ssl_context=ssl.create_default_context())
    return HTTPConnection(host, parts.port or 80, timeout=CONNECT_S)


def _judge(answer: HTTPResponse) -> None:
    """Only a part is an answer. What S3 says instead: an old address is 403, an old session 400."""
    if answer.status == 206:
        return
    failures = {200: Failure.NO_RANGES, 400: Failure.EXPIRED, 403: Failure.EXPIRED, 404: Failure.MISSING}
    moved = 300 <= answer.status < 400
    raise DownloadError(Failure.ADDRESS if moved else failures.get(answer.status, Failure.UNREACHABLE))
