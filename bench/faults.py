"""A proxy that spoils what an AWS endpoint answers, and counts what it is asked.

with FaultProxy(aws.url, Faults(throttled=0.3, late_share=0.1, late_s=900)) as proxy:
    settings.AWS_ENDPOINT_URL = proxy.url
    …
    proxy.calls["logs:FilterLogEvents"]
"""

import json
import threading
import time
from base64 import b32decode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from http import HTTPStatus
from random import Random
from types import TracebackType
from typing import Any, Self

import urllib3
from werkzeug.serving import make_server

from demo.aws.call import Call, Environ, Protocol, read
from demo.aws.policies import matches
from demo.aws.refusals import Reply, refuse
from demo.aws.server import HOST, Handler

FILTER = "logs:FilterLogEvents"
EMPTY = "~"  # Begins the tokens of pages that we put in between.
FAILURES = (
    ("InternalFailure", "The request processing has failed.", 500),
    ("ServiceUnavailable", "The service is unavailable. Try again later.", 503),
)
HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"}


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong. Shares are of the calls whose action matches ``actions``, drawn anew for each call."""

    seed: int = 0
    actions: tuple[str, ...] = ("*",)
    latency_s: float = 0.0
    """The mean; each call takes between nothing and twice as long."""
    throttled: float = 0.0
    failing: float = 0.0
    """Answered 500 or 503."""
    expired: float = 0.0
    """Answered that the session has run out."""
    hanging: float = 0.0
    hang_s: float = 30.0
    late_share: float = 0.0
    """Of log events; each appears only at its ingestion time, up to ``late_s`` after its own."""
    late_s: float = 0.0
    empty_pages: int = 0
    """Before each page of FilterLogEvents, so many that have nothing but a token."""
    quotas: Mapping[str, float] = field(default_factory=dict)
    """Calls per second by pattern of action, for each account and region; what exceeds them is throttled."""


class Quotas:
    """Token buckets that hold what one second grants."""

    def __init__(self, rates: Mapping[str, float], clock: Callable[[], float]) -> None:
        self.rates, self.clock = rates, clock
        self.buckets: dict[tuple[str, str, str], tuple[float, float]] = {}

    def admits(self, call: Call) -> bool:
        """Whether every quota that the call counts against has room for it."""
        taken = [self.take(call, pattern) for pattern in self.rates if matches(pattern, call.action)]
        return all(taken)

    def take(self, call: Call, pattern: str) -> bool:
        key, rate, now = (account(call.access_key), call.region, pattern), self.rates[pattern], self.clock()
        left, then = self.buckets.get(key, (rate, now))
        left = min(max(rate, 1.0), left + (now - then) * rate)
        self.buckets[key] = (left - 1 if left >= 1 else left, now)
        return left >= 1


class FaultProxy:
    """Stands before ``target``. ``clock`` decides what is late and how fast quotas fill; it may be a simulated one."""

    def __init__(self, target: str, faults: Faults, clock: Callable[[], float] = time.time) -> None:
        self.target, self.faults, self.clock = target, faults, clock
        self.calls: Counter[str] = Counter()
        self.made: list[tuple[float, str, str, str]] = []
        """Second, account, region and action of each call."""
        self.spoiled: Counter[str] = Counter()
        """By fault: ``throttled``, ``over_quota``, ``failing``, ``expired``, ``hanging``, ``withheld`` events."""
        self.quotas = Quotas(faults.quotas, clock)
        self.turn = threading.Lock()
        self.closing = threading.Event()
        self.pool = urllib3.PoolManager(maxsize=64, retries=False, timeout=60)
        self.server = make_server(HOST, 0, self, threaded=True, request_handler=Handler)
        self.url = f"http://{HOST}:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), name="fault-proxy", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.pool.clear()

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> list[bytes]:
        call = read(environ)
        reply = (call and self.spoil(call)) or self.answer(environ, call)
        headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [reply.body]

    def count(self, call: Call) -> tuple[int, bool]:
        """Which call of its action this is, and whether the quotas admit it."""
        with self.turn:
            self.calls[call.action] += 1
            self.made.append((time.monotonic(), account(call.access_key), call.region, call.action))
            return self.calls[call.action], self.quotas.admits(call)

    def spoil(self, call: Call) -> Reply | None:
        """The answer of a call that goes wrong; the same seed spoils the same calls."""
        number, admitted = self.count(call)
        if not admitted:
            return self.refuse("over_quota", call)
        if not any(matches(pattern, call.action) for pattern in self.faults.actions):
            return None
        random = Random(f"{self.faults.seed} {call.action} {number}")
        self.closing.wait(random.uniform(0, 2 * self.faults.latency_s))
        draw = random.random()
        for name in ("hanging", "throttled", "failing", "expired"):
            share: float = getattr(self.faults, name)
            if draw < share and (name != "expired" or call.service != "sts"):
                return self.refuse(name, call)
            draw -= share
        return None

    def refuse(self, fault: str, call: Call) -> Reply:
        """What AWS answers then."""
        with self.turn:
            self.spoiled[fault] += 1
        if fault == "hanging":
            self.closing.wait(self.faults.hang_s)
            raise ConnectionAbortedError
        if fault == "failing":
            return refuse(call, *FAILURES[self.spoiled[fault] % 2])
        if fault == "expired":
            return refuse(call, "ExpiredToken", "The security token included in the request is expired")
        if call.protocol == Protocol.REST:
            return refuse(call, "TooManyRequestsException", "Rate exceeded", 429)
        return refuse(call, "Throttling", "Rate exceeded", 400)

    def answer(self, environ: Environ, call: Call | None) -> Reply:
        """The target's answer, with log events that are late left out."""
        if call is None or call.action != FILTER or not (self.faults.late_share or self.faults.empty_pages):
            return self.forward(environ, environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        wanted = call.json
        left, _, token = self.token(wanted.pop("nextToken", ""))
        if left:
            return told({"events": [], "nextToken": f"{EMPTY}{left - 1}{EMPTY}{token}", "searchedLogStreams": []})
        reply = self.forward(environ, json.dumps(wanted | ({"nextToken": token} if token else {})).encode())
        if reply.status != HTTPStatus.OK:
            return reply
        page = json.loads(reply.body)
        page["events"] = [event for event in page["events"] if self.has_arrived(event)]
        if self.faults.empty_pages and page.get("nextToken"):
            page["nextToken"] = f"{EMPTY}{self.faults.empty_pages}{EMPTY}{page['nextToken']}"
        return told(page)

    def token(self, given: str) -> tuple[int, str, str]:
        """How many empty pages come before the one that a token stands for, and the target's own token."""
        if not given:
            return self.faults.empty_pages, EMPTY, ""
        if not given.startswith(EMPTY):
            return 0, EMPTY, given
        left, separator, token = given[1:].partition(EMPTY)
        return int(left), separator, token

    def has_arrived(self, event: dict[str, Any]) -> bool:
        """Whether CloudWatch has taken an event in by now; also tells the event when it did."""
        delay = lateness(event["eventId"], self.faults)
        event["ingestionTime"] = int(event["timestamp"] + delay * 1000)
        arrived = event["ingestionTime"] <= self.clock() * 1000 or not delay
        if not arrived:
            with self.turn:
                self.spoiled["withheld"] += 1
        return arrived

    def forward(self, environ: Environ, body: bytes) -> Reply:
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        headers["Content-Type"] = environ.get("CONTENT_TYPE", "")
        url = self.target + (environ.get("RAW_URI") or environ["PATH_INFO"])
        answer = self.pool.request(environ["REQUEST_METHOD"], url, body=body, headers=headers, decode_content=False)
        kept = tuple((name, value) for name, value in answer.headers.items() if name.lower() not in HOP)
        return Reply(answer.status, kept, answer.data)


def told(page: Mapping[str, Any]) -> Reply:
    return Reply(200, (("Content-Type", "application/x-amz-json-1.1"),), json.dumps(page).encode())


def lateness(event_id: str, faults: Faults) -> float:
    """By how many seconds an event comes late: the same whenever it is asked."""
    digest = blake2b(f"{faults.seed} {event_id}".encode(), digest_size=8).digest()
    draw = int.from_bytes(digest, "big") / 2**64
    return draw / faults.late_share * faults.late_s if draw < faults.late_share else 0.0


def account(access_key: str) -> str:
    """The account that an access key belongs to; AWS writes it into the key itself."""
    if access_key.endswith("ROOT"):
        return access_key[4:16]
    number = int.from_bytes(b32decode(access_key[4:])[:6], "big")
    return f"{(number & 0x7FFFFFFFFF80) >> 7:012d}"
