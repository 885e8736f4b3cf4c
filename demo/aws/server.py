"""The simulated AWS as a server on loopback, and as an object whose methods take things away from accounts.

with SimulatedAws() as aws:
    aws.account("720155190031").client("lambda", "eu-central-1").list_functions()
    aws.deny("720155190031", "logs:FilterLogEvents")
"""

import threading
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self

import botocore.config
import botocore.session
from moto.core.base_backend import BackendDict
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from demo.aws import functions, logs, metrics
from demo.aws.call import Environ
from demo.aws.proxy import Proxy, Rules, find_role, root_key

HOST = "127.0.0.1"
PRINCIPAL = "905418337712"
"""The account that runs Nightjar, as customers' roles know it."""
SECRET = "simulated"  # noqa: S105  # Signatures are not verified.


def environment(url: str) -> dict[str, str]:
    """What a process needs in its environment to be Nightjar's own account in the AWS at ``url``."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": root_key(PRINCIPAL),
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Handler(MotoRequestHandler):
    """Connections stay open, as AWS's do, and nothing is printed about each request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Head and body are sent apart, and the client would wait 40 ms for the second.

    def connection_dropped(self, error: BaseException, environ: Environ | None = None) -> None:
        self.close_connection = True

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Nothing."""


@cache
def session() -> botocore.session.Session:
    """One for all clients: it keeps the descriptions of services that it has read."""
    return botocore.session.Session()


@dataclass(frozen=True, slots=True)
class Account:
    """One account, seen by its root."""

    id: str
    url: str

    def client(self, service: str, region: str = "eu-central-1") -> Any:
        """A botocore client that may do anything in this account."""
        return session().create_client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=root_key(self.id),
            aws_secret_access_key=SECRET,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=True),
        )


class Listener:
    """A server in a thread of its own."""

    def __init__(self, proxy: Proxy, port: int = 0) -> None:
        self.server: BaseWSGIServer = make_server(HOST, port, proxy, threaded=True, request_handler=Handler)
        self.url = f"http://{HOST}:{self.server.server_port}"
        serve = self.server.serve_forever
        self.thread = threading.Thread(target=serve, args=(0.05,), name="simulated-aws", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class SimulatedAws:
    """moto behind the proxy. One per process, because moto's state is global."""

    def __init__(self) -> None:
        for owner, name, amendment in (*functions.AMENDMENTS, *logs.AMENDMENTS, *metrics.AMENDMENTS):
            setattr(owner, name, amendment)
        self.proxy = Proxy(DomainDispatcherApplication(create_backend_app))
        self.listener = Listener(self.proxy)
        self.url = self.listener.url

    def __enter__(self) -> Self:
        self.listener.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.listener.__exit__(kind, error, trace)

    def account(self, account: str) -> Account:
        return Account(account, self.url)

    def reset(self) -> None:
        """Nothing exists, nothing is forbidden, no session is valid."""
        with self.proxy.turn:
            BackendDict.reset()
        self.proxy.rules, self.proxy.sessions = Rules(), {}

    def deny(self, account: str, action: str) -> None:
        """From now on ``action`` (``logs:FilterLogEvents``, ``logs:*``) is denied there, whatever the role allows."""
        self.proxy.rules.denied.add((account, action))

    def allow(self, account: str, action: str) -> None:
        """Take back a ``deny``."""
        self.proxy.rules.denied.discard((account, action))

    def suspend(self, account: str) -> None:
        """AWS has suspended the account: no role of it can be assumed, and its sessions are good for nothing."""
        self.proxy.rules.suspended.add(account)

    def resume(self, account: str) -> None:
        self.proxy.rules.suspended.discard(account)

    def disable_region(self, account: str, region: str) -> None:
        """The account has opted out of the region."""
        self.proxy.rules.disabled.add((account, region))

    def enable_region(self, account: str, region: str) -> None:
        self.proxy.rules.disabled.discard((account, region))

    def throttle(self, account: str, region: str) -> None:
        """Others make so many calls there that AWS turns every one of ours away."""
        self.proxy.rules.throttled.add((account, region))

    def calm(self, account: str, region: str) -> None:
        """Take back a ``throttle``."""
        self.proxy.rules.throttled.discard((account, region))

    def delete_role(self, role_arn: str) -> None:
        """The customer deletes the role, with whatever hangs on it."""
        _, partition, _, _, account, path = role_arn.split(":")
        role = find_role(partition, account, path.rsplit("/", 1)[-1])
        if role is not None:
            del iam_backends[account][partition].roles[role.id]

    def expire(self, account: str) -> None:
        """Every session in the account has run out."""
        for key, session in list(self.proxy.sessions.items()):
            if session.account == account:
                self.proxy.remember(key, session.until(self.proxy.clock()))
