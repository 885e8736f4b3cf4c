"""What stands before moto: who calls, what the role may do, what is switched off, what moto does not know.

moto lets anybody assume any role. Here a role's trust policy decides, and what a session may do is what the policies of
its role and its own both allow. The rest is moto's, with the amendments of `logs`, `metrics` and `functions`.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from moto.iam.models import iam_backends

from demo.aws import answers, packages, policies
from demo.aws.call import Call, Environ, read
from demo.aws.refusals import Reply, denied, refuse

ROOT = re.compile(r"AKIA(\d{12})ROOT")
ROLE = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/(?:.+/)?([\w+=,.@-]{1,64})")
ISSUED = re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>")
INVALID = "The security token included in the request is invalid."
LONGEST = 3_600
LONGEST_POLICY = 2_048

Application = Callable[[Environ, Callable[..., object]], Iterable[bytes]]


def root_key(account: str) -> str:
    """The access key of an account's root, which may do anything there. Its secret is never looked at."""
    return f"AKIA{account}ROOT"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a call. ``role_id`` is empty for the root of an account, ``most`` without a session policy."""

    account: str
    arn: str
    partition: str = "aws"
    role: str = ""
    role_id: str = ""
    most: str = ""
    expires_at: float = float("inf")

    def until(self, moment: float) -> "Caller":
        return replace(self, expires_at=moment)


@dataclass(slots=True)
class Rules:
    """What a test or a demonstration takes away from accounts."""

    denied: set[tuple[str, str]] = field(default_factory=set)
    """Account and action, with ``*`` and ``?``."""
    suspended: set[str] = field(default_factory=set)
    disabled: set[tuple[str, str]] = field(default_factory=set)
    throttled: set[tuple[str, str]] = field(default_factory=set)
    """Both by account and region."""

    def denies(self, account: str, action: str) -> bool:
        return any(of == account and policies.matches(pattern, action) for of, pattern in list(self.denied))


class Proxy:
    """The WSGI application in front of moto's. One call at a time reaches moto, which is not made for threads."""

    def __init__(self, moto: Application) -> None:
        self.moto = moto
        self.turn = Lock()
        self.rules = Rules()
        self.sessions: dict[str, Caller] = {}
        self.clock = time.time

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> list[bytes]:
        reply = self.reply(environ)
        headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else reply.body]

    def reply(self, environ: Environ) -> Reply:
        if environ["PATH_INFO"].startswith(packages.PREFIX):
            return packages.serve(environ)
        call = read(environ)
        if call is None:
            return Reply(403, (("Content-Type", "application/json"),), b'{"message":"Missing Authentication Token"}')
        caller = self.caller(call)
        if isinstance(caller, Reply):
            return caller
        if call.action == "sts:AssumeRole":
            return self.assume(call, caller, environ)
        return self.refusal(call, caller) or self.answer(call, caller, environ)

    def caller(self, call: Call) -> Caller | Reply:
        """Who calls, or why nobody may with this key."""
        if match := ROOT.fullmatch(call.access_key):
            return Caller(match[1], f"arn:aws:iam::{match[1]}:root")
        known = self.sessions.get(call.access_key)
        if known is None:
            return refuse(call, "InvalidClientTokenId", INVALID)
        if known.expires_at <= self.clock():
            return refuse(call, "ExpiredToken", "The security token included in the request is expired")
        role = find_role(known.partition, known.account, known.role)
        if role is None or role.id != known.role_id:
            return refuse(call, "InvalidClientTokenId", INVALID)
        return known

    def refusal(self, call: Call, caller: Caller) -> Reply | None:
        """Why the caller may not, in the order in which AWS looks; None when he may."""
        if (caller.account, call.region) in self.rules.disabled:
            return refuse(call, "InvalidClientTokenId", INVALID)
        if call.action == "sts:GetCallerIdentity":
            return None
        if caller.account in self.rules.suspended:
            return refuse(call, "OptInRequired", "The AWS Access Key Id needs a subscription for the service")
        if caller.role and (caller.account, call.region) in self.rules.throttled:
            return refuse(call, "Throttling", "Rate exceeded", 400)
        if self.rules.denies(caller.account, call.action):
            why = "with an explicit deny in a service control policy"
            return denied(call, caller.arn, call.action, why)
        if caller.role and not policies.allows(documents(caller), call.action):
            why = f"because no identity-based policy allows the {call.action} action"
            return denied(call, caller.arn, call.action, why)
        if caller.most and not policies.allows([caller.most], call.action):
            return denied(call, caller.arn, call.action, f"because no session policy allows the {call.action} action")
        return None

    def assume(self, call: Call, caller: Caller, environ: Environ) -> Reply:
        """A session of a role whose trust policy lets the caller in; AWS never tells why it does not."""
        form = call.form
        match = ROLE.fullmatch(form.get("RoleArn", ""))
        if match is None:
            return refuse(call, "ValidationError", f"{form.get('RoleArn')} is invalid", 400)
        partition, account, name = match.groups()
        role = find_role(partition, account, name)
        if role is None or account in self.rules.suspended or not self.trusts(role, account, caller, form):
            return denied(call, caller.arn, call.action, resource=match[0])
        seconds = int(form.get("DurationSeconds", LONGEST))
        if seconds > LONGEST:
            return refuse(call, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration", 400)
        most = form.get("Policy", "")
        if len(most) > LONGEST_POLICY or (most and not policies.is_valid(most)):
            return refuse(call, "MalformedPolicyDocument", "The session policy is too long, or no policy", 400)
        reply = self.forward(environ, caller.account)
        if issued := ISSUED.search(reply.body):
            arn = f"arn:{partition}:sts::{account}:assumed-role/{name}/{form['RoleSessionName']}"
            ends_at = self.clock() + seconds
            self.remember(issued[1].decode(), Caller(account, arn, partition, name, role.id, most, ends_at))
        return reply

    def trusts(self, role: Any, account: str, caller: Caller, form: dict[str, str]) -> bool:
        context = {"aws:principalarn": caller.arn, "aws:principalaccount": caller.account}
        if "ExternalId" in form:
            context["sts:externalid"] = form["ExternalId"]
        document = role.assume_role_policy_document
        trusted = policies.trusts(document, account=caller.account, principal=caller.arn, context=context)
        return trusted and not self.rules.denies(account, "sts:AssumeRole")

    def remember(self, access_key: str, session: Caller) -> None:
        """Keep a session, and forget those that ended an hour ago."""
        long_ago = self.clock() - LONGEST
        for key in [key for key, known in list(self.sessions.items()) if known.expires_at < long_ago]:
            self.sessions.pop(key, None)
        self.sessions[access_key] = session

    def answer(self, call: Call, caller: Caller, environ: Environ) -> Reply:
        """What the call is answered, by us where moto cannot."""
        if call.action == "sts:GetCallerIdentity" and not caller.role:
            return answers.identity(call, caller.account)
        if call.action == "account:ListRegions":
            disabled = {region for account, region in list(self.rules.disabled) if account == caller.account}
            return answers.regions(disabled)
        if own := answers.ANSWERS.get(call.action):
            return own(call, caller.account)
        account = caller.account
        if call.operation == "GetLayerVersionByArn":
            environ, account = by_name(environ)
        try:
            reply = self.forward(environ, account)
        except NotImplementedError as error:
            return refuse(call, "UnknownOperationException", str(error), 404)
        if call.operation in packages.HOLDERS and reply.status == HTTPStatus.OK:
            return packages.locate(call, account, environ["HTTP_HOST"], reply)
        return reply

    def forward(self, environ: Environ, account: str) -> Reply:
        """moto's answer to an account's call."""
        started: list[Any] = []
        with self.turn:
            body = b"".join(self.moto(environ | {"HTTP_X_MOTO_ACCOUNT_ID": account}, lambda *a: started.extend(a)))
        status, headers = int(started[0].split()[0]), started[1]
        return Reply(status, tuple((k, v) for k, v in headers if k.lower() != "content-length"), body)


def find_role(partition: str, account: str, name: str) -> Any:
    """moto's role, or None."""
    roles = list(iam_backends[account][partition].get_roles())
    return next((role for role in roles if role.name == name), None)


def documents(caller: Caller) -> list[Any]:
    """The policies of a session's role: its own and those attached to it."""
    role = find_role(caller.partition, caller.account, caller.role)
    attached = [policy.document for policy in role.managed_policies.values()]
    return [*role.policies.values(), *attached]


def by_name(environ: Environ) -> tuple[Environ, str]:
    """The request for a layer by its ARN as a request by name and version, and the account that owns the layer."""
    arn = parse_qs(environ["QUERY_STRING"])["Arn"][0].split(":")
    path = f"/2018-10-31/layers/{arn[6]}/versions/{arn[7]}"
    return environ | {"PATH_INFO": path, "RAW_URI": path, "REQUEST_URI": path, "QUERY_STRING": ""}, arn[4]
