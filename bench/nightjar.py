"""Nightjar's side: a backend that does what a test tells it to, and remembers what it took."""

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench.sandbox import Handler, Server
from ingest.compression import expand
from ingest.refusal import RefusedError

Behaviour = Callable[[Handler], bool]
"""Answers a request in its own way; False when the body counts as taken and the usual answer follows."""


class Nightjar(Server):
    """Takes bodies; ``plan`` holds what is to happen to the next requests, ``always`` to all others."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), NightjarHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.plan: list[Behaviour] = []
        self.always: Behaviour = lambda _: False
        self.lock = threading.Lock()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.config: dict[str, Any] = {}
        self.requests = 0

    def behaviour(self) -> Behaviour:
        with self.lock:
            self.requests += 1
            return self.plan.pop(0) if self.plan else self.always

    def events(self, *types: str) -> list[dict[str, Any]]:
        """Every event once, whatever was sent twice; all types or these."""
        with self.lock:
            by_id = {event["id"]: event for body in self.bodies for event in body["events"]}
        return [event for event in by_id.values() if not types or event["type"] in types]

    def lines(self) -> Counter[str]:
        return Counter(event["record"] for event in self.events("function"))

    def dropped(self) -> int:
        return sum(event["record"]["count"] for event in self.events("nightjar.dropped"))

    def wait_for(self, reached: Callable[[], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, "it does not come"
            time.sleep(0.01)


class NightjarHandler(Handler):
    server: Nightjar

    def do_POST(self) -> None:  # noqa: N802  # The name that http.server calls.
        try:
            self.taken = json.loads(expand(self.body(), self.headers["Content-Encoding"]))
        except RefusedError:
            self.answer(413)
            return
        if self.server.behaviour()(self):
            return
        self.keep()
        told = {"accepted": len(self.taken["events"]), "duplicates": 0, "rejected": []}
        if self.server.config:
            told["config"] = self.server.config
        self.answer(202, json.dumps(told).encode())

    def keep(self) -> None:
        with self.server.lock:
            self.server.bodies.append(self.taken)
            self.server.headers.append(dict(self.headers.items()))


def status(code: int, **headers: str) -> Behaviour:
    """Answer with a status and take nothing."""

    def behave(request: Handler) -> bool:
        request.answer(code, b"{}", {name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return behave


def slow(seconds: float) -> Behaviour:
    def behave(_: Handler) -> bool:
        time.sleep(seconds)
        return False

    return behave


def reset(request: Handler) -> bool:
    """Break the connection with a RST, after the body came."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
    request.close_connection = True
    return True


def taken_without_a_word(request: Handler) -> bool:
    """Take the body, and let nobody know."""
    assert isinstance(request, NightjarHandler)
    request.keep()
    return reset(request)


def too_large(most: int) -> Behaviour:
    """413 for more events than that."""

    def behave(request: Handler) -> bool:
        assert isinstance(request, NightjarHandler)
        if len(request.taken["events"]) <= most:
            return False
        return status(413)(request)

    return behave
