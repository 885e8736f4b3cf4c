"""A very small AWS over HTTP: STS that evaluates trust policies, and any other service answering what a test says."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

OURS = "999988887777"
THEIRS = "111122223333"
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/")
Reply = tuple[int, Any]
Answer = Callable[[Mapping[str, Any]], Reply]


@dataclass(frozen=True)
class Call:
    at: float
    arn: str
    region: str
    action: str
    parameters: Mapping[str, Any]


@dataclass
class Session:
    """Temporary credentials that were given out."""

    arn: str
    account: str
    role: str
    ends_at: float


@dataclass
class Cloud:
    """What the fake knows; tests change it as they go."""

    url: str = ""
    roles: dict[str, Any] = field(default_factory=dict)
    """Trust policies by the role's ARN."""
    accounts: dict[str, str] = field(default_factory=dict)
    """Roles that answer for another account than their ARN says."""
    answers: dict[str, list[Reply] | Answer] = field(default_factory=dict)
    """By action: replies to give in turn, the last one for ever, or a function that makes one."""
    disabled: set[str] = field(default_factory=set)
    life_s: float = 3_600
    skew: timedelta = timedelta(0)
    """How far AWS's clock is ahead of ours."""
    calls: list[Call] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def trust(self, arn: str, *conditions: Mapping[str, Any], principal: str = OURS) -> None:
        """A role whose trust policy has one statement for each condition, or one without any."""
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": condition}
            for condition in conditions or ({},)
        ]
        self.roles[arn] = {"Version": "2012-10-17", "Statement": statements}

    def count(self, action: str) -> int:
        return sum(call.action == action for call in self.calls)

    def reply(self, key: str, region: str, action: str, parameters: Mapping[str, Any]) -> Reply:
        session = self.sessions.get(key)
        arn = session.arn if session else f"arn:aws:iam::{OURS}:user/nightjar"
        with self.lock:
            self.calls.append(Call(time.monotonic(), arn, region, action, parameters))
        if key != "AKIAOURS" and (session is None or session.role not in self.roles or region in self.disabled):
            return 403, error("UnrecognizedClientException", "The security token included in the request is invalid.")
        if session and session.ends_at < time.monotonic():
            return 400, error("ExpiredTokenException", "The security token included in the request is expired")
        if action in self.answers:
            return self._answer(action, parameters)
        if action == "sts:AssumeRole":
            return self._assume(parameters)
        if action == "sts:GetCallerIdentity":
            return 200, {"Account": session.account if session else OURS, "Arn": arn, "UserId": "AIDA"}
        return 200, {}

    def _answer(self, action: str, parameters: Mapping[str, Any]) -> Reply:
        answers = self.answers[action]
        if callable(answers):
            return answers(parameters)
        with self.lock:
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def _assume(self, parameters: Mapping[str, Any]) -> Reply:
        arn = parameters["RoleArn"]
        if not trusts(self.roles.get(arn), parameters.get("ExternalId")):
            return 403, error("AccessDenied", f"User: nightjar is not authorized to perform: sts:AssumeRole on {arn}")
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        account = self.accounts.get(arn, account)
        key = f"ASIA{len(self.sessions):016}"
        session = f"arn:aws:sts::{account}:assumed-role/{name}/{parameters['RoleSessionName']}"
        self.sessions[key] = Session(session, account, arn, time.monotonic() + self.life_s)
        ends_at = datetime.now(UTC) + self.skew + timedelta(seconds=self.life_s)  # noqa: TID251  # AWS has a clock.
        given = {"AccessKeyId": key, "SecretAccessKey": "s" * 40, "SessionToken": "t" * 80}
        return 200, {"Credentials": given | {"Expiration": ends_at.isoformat()}}


def trusts(policy: Any, external_id: str | None) -> bool:
    """Whether a trust policy lets our account in with this external id."""
    statements = policy["Statement"] if policy else []
    return any(
        statement["Principal"]["AWS"] in ("*", OURS, f"arn:aws:iam::{OURS}:root")
        and all(
            _holds(operator, tests["sts:ExternalId"], external_id) for operator, tests in statement["Condition"].items()
        )
        for statement in statements
    )


def _holds(operator: str, wanted: str, found: str | None) -> bool:
    if operator.endswith("IfExists"):
        return found is None or _holds(operator.removesuffix("IfExists"), wanted, found)
    if found is None:
        return False
    same = {"StringEquals": lambda: found == wanted, "StringEqualsIgnoreCase": lambda: found.lower() == wanted.lower()}
    return same.get(operator, lambda: fnmatchcase(found, wanted))()


def error(code: str, message: str) -> dict[str, str]:
    return {"__type": code, "message": message}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # An answer in two packets waits for the acknowledgement of the first: 40 ms.
    cloud: Cloud

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = CREDENTIAL.search(self.headers["Authorization"])
        assert found is not None
        key, region, service = found.groups()
        operation, parameters = self._asked(body)
        status, answer = self.cloud.reply(key, region, f"{service}:{operation}", parameters)
        if not status:
            self.close_connection = True  # Hangs up.
        elif "smithy-protocol" in self.headers:
            self._send(status, b"\xa0", {"smithy-protocol": "rpc-v2-cbor"})
        elif "Version" in parameters:
            self._send(status, xml(operation, status, answer).encode(), {})
        else:
            self._send(status, json.dumps(answer).encode(), {"x-amzn-ErrorType": answer.get("__type", "")})

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815  # As http.server calls them.

    def _asked(self, body: bytes) -> tuple[str, Mapping[str, Any]]:
        """The operation and its parameters, as far as the protocol of the service lets this tell."""
        if target := self.headers.get("X-Amz-Target"):
            return target.rpartition(".")[2], json.loads(body or b"{}")
        if "smithy-protocol" in self.headers:
            return self.path.rpartition("/")[2], {}
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        return form.pop("Action", f"{self.command} {self.path.partition('?')[0]}"), form

    def _send(self, status: int, payload: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(datetime.now(UTC) + self.cloud.skew, usegmt=True)  # noqa: TID251  # AWS has a clock.

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def xml(operation: str, status: int, answer: Mapping[str, Any]) -> str:
    if status != 200:
        told = f"<Code>{answer['__type']}</Code><Message>{answer['message']}</Message>"
        return f"<ErrorResponse><Error><Type>Sender</Type>{told}</Error><RequestId>r</RequestId></ErrorResponse>"
    return f"<{operation}Response><{operation}Result>{_elements(answer)}</{operation}Result></{operation}Response>"


def _elements(answer: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_elements(value) if isinstance(value, Mapping) else value}</{name}>"
        for name, value in answer.items()
    )


@contextmanager
def running() -> Iterator[Cloud]:
    cloud = Cloud()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("CloudHandler", (Handler,), {"cloud": cloud}))
    server.daemon_threads = True
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
