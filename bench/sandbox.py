"""Lambda's side of an extension: the Extensions API, the Telemetry API, freezing and thawing, over HTTP on loopback.

with Sandbox(binary, {"NIGHTJAR_ENDPOINT": nightjar.url, "NIGHTJAR_KEY": "njk_…"}) as sandbox:
    sandbox.invoke(lines=["hello"])
    sandbox.shutdown("spindown")
"""

import json
import queue
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import urllib3
from django.utils import timezone

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
PATIENCE_S = 10.0
BUFFERING_S = 0.025
"""Lambda holds telemetry back for so long, which is what the extension asks for."""

Event = dict[str, Any]


def event(kind: str, record: Any) -> Event:
    return {"time": timezone.now().isoformat(timespec="milliseconds"), "type": kind, "record": record}


class Server(ThreadingHTTPServer):
    """Serves in a thread from ``with`` to its end."""

    daemon_threads = True
    request_queue_size = 64

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that was killed is no error."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Else each answer waits 40 ms for the other side to acknowledge its head.

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, body: bytes = b"{}", headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@dataclass
class Invocation:
    """``function_s`` is what the function itself took, ``held_s`` how long the extension kept the environment after."""

    request_id: str
    function_s: float
    held_s: float


@dataclass
class Sandbox:
    """One execution environment with one extension."""

    binary: Path
    environment: Mapping[str, str]
    telemetry: bool = True
    """False: like AWS's emulator of the runtime, which has no Telemetry API."""
    registration_status: int = 200
    freezes: bool = True

    exit_errors: list[str] = field(default_factory=list)
    registered: threading.Event = field(default_factory=threading.Event)
    subscribed: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)
    subscription: Event = field(default_factory=dict)
    registration: Event = field(default_factory=dict)
    unreported: list[Event] = field(default_factory=list)
    registered_at: float = 0.0
    waiting_at: float = 0.0
    deadline: float = 0.0
    """Of the last invocation; like the two before it, by ``time.perf_counter``."""

    NAME: ClassVar[str] = "nightjar"

    def __enter__(self) -> Self:
        self.events: queue.Queue[Event] = queue.Queue()
        self.pool = urllib3.PoolManager(retries=False, timeout=PATIENCE_S)
        self.server = Server(("127.0.0.1", 0), handler(self))
        self.server.__enter__()
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [self.binary],
            env={
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
                "AWS_REGION": "eu-west-1",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                "NIGHTJAR_LISTEN": "127.0.0.1",
                **self.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.server.__exit__()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    # What Lambda does -------------------------------------------------------------------------------

    def wait_until_ready(self) -> None:
        """The end of the init phase: the extension asks for its first event."""
        assert self.waiting.wait(PATIENCE_S), "the extension does not ask for events"

    def invoke(
        self,
        lines: Sequence[Any] = (),
        *,
        function: Callable[[], None] = lambda: None,
        status: str = "success",
        tells: bool = True,
        deadline_s: float = 3.0,
        request_id: str = "",
    ) -> Invocation:
        """Run the function once. ``tells=False``: its telemetry does not come."""
        request_id = request_id or str(uuid.uuid4())
        self.wait_until_ready()
        self.thaw()
        self.waiting.clear()
        began = time.perf_counter()
        self.deadline = began + deadline_s
        self.events.put({
            "eventType": "INVOKE", "deadlineMs": int((time.time() + deadline_s) * 1000),
            "requestId": request_id, "invokedFunctionArn": f"{ARN}:live",
        })  # fmt: skip
        told = [*self.unreported, event("platform.start", {"requestId": request_id, "version": "7"})]
        self.unreported = []
        function()
        took = time.perf_counter() - began
        told += [event("function", line) for line in lines]
        told.append(event("platform.runtimeDone", {"requestId": request_id, "status": status}))
        metrics = {"durationMs": took * 1000, "billedDurationMs": 1, "memorySizeMB": 512, "maxMemoryUsedMB": 80}
        self.unreported = [event("platform.report", {"requestId": request_id, "status": status, "metrics": metrics})]
        time.sleep(BUFFERING_S)
        if tells:
            self.tell(told)
        ended = time.perf_counter()
        assert self.waiting.wait(deadline_s + PATIENCE_S), "the extension holds the environment"
        held = time.perf_counter() - ended
        self.freeze()
        return Invocation(request_id, took, held)

    def tell(self, events: Sequence[Event]) -> None:
        """Post telemetry as Lambda does: to the address of the subscription, in bodies of at most 1,000 events."""
        if not self.subscribed.is_set():
            return
        for start in range(0, len(events), 1000):
            answer = self.pool.request(
                "POST", self.subscription["destination"]["URI"], body=json.dumps(events[start : start + 1000])
            )
            assert answer.status == 200

    def break_off(self, events: Sequence[Event]) -> None:
        """Begin to post, and be gone before the end."""
        place = urlsplit(self.subscription["destination"]["URI"])
        body = json.dumps(events).encode()
        with socket.create_connection((place.hostname or "", place.port or 80)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: sandbox\r\nContent-Length: %d\r\n\r\n" % len(body))
            connection.sendall(body[:-10])

    def shutdown(self, reason: str = "spindown", *, budget_s: float = 2.0) -> float:
        """End the environment; answer how long the extension took. It is killed when its time is up."""
        self.wait_until_ready()
        self.thaw()
        began = time.perf_counter()
        self.events.put({
            "eventType": "SHUTDOWN", "deadlineMs": int((time.time() + budget_s) * 1000), "shutdownReason": reason,
        })  # fmt: skip
        with suppress(urllib3.exceptions.HTTPError):  # One that has nothing to wait for may be gone already.
            self.tell(self.unreported)
        self.unreported = []
        try:
            self.process.wait(budget_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return time.perf_counter() - began

    def freeze(self) -> None:
        if self.freezes:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.freezes:
            self.process.send_signal(signal.SIGCONT)

    def said(self) -> tuple[str, str]:
        """What it wrote to stdout and stderr; only once it has ended."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        return self.process.stdout.read().decode(), self.process.stderr.read().decode()


def handler(sandbox: Sandbox) -> type[Handler]:
    class LambdaApi(Handler):
        def do_POST(self) -> None:  # The name that http.server calls.
            body = self.body()
            if self.path.endswith("/extension/register"):
                sandbox.registration = {"name": self.headers["Lambda-Extension-Name"], **json.loads(body)}
                told = {"functionName": "checkout", "functionVersion": "7", "accountId": "123456789012"}
                self.answer(
                    sandbox.registration_status,
                    json.dumps(told).encode(),
                    {"Lambda-Extension-Identifier": "11111111-2222-3333-4444-555555555555"},
                )
                sandbox.registered_at = time.perf_counter()
                sandbox.registered.set()
            else:
                sandbox.exit_errors.append(self.path + " " + self.headers["Lambda-Extension-Function-Error-Type"])
                self.answer(202)

        def do_PUT(self) -> None:  # The name that http.server calls.
            sandbox.subscription = json.loads(self.body())
            if sandbox.telemetry:
                self.answer(200, b'"OK"')
                sandbox.subscribed.set()
            else:
                self.answer(202, b'{"errorType": "Telemetry.NotSupported", "errorMessage": "not here"}')

        def do_GET(self) -> None:  # The name that http.server calls.
            sandbox.waiting_at = time.perf_counter()
            sandbox.waiting.set()
            while True:
                try:
                    told = sandbox.events.get(timeout=0.5)
                    break
                except queue.Empty:
                    if sandbox.process.poll() is not None:
                        return
            self.answer(200, json.dumps(told).encode())

    return LambdaApi
