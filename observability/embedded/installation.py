"""One checkout's own installation: its folder, its secrets and ports, and the environment of its processes."""

import fcntl
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from observability.embedded import environment, ports, postgres, records, redis

PREFERRED = {
    "POSTGRES_PORT": 15432,
    "REDIS_PORT": 16379,
    "DEMO_HTTP_PORT": 8026,
    "DEMO_SMTP_PORT": 8025,
    "DEMO_AWS_PORT": 8027,
}
NOUN = {
    "PORT": "Port",
    "POSTGRES_PORT": "PostgreSQL's port",
    "REDIS_PORT": "Redis's port",
    "DEMO_HTTP_PORT": "The demo receiver's port",
    "DEMO_SMTP_PORT": "The demo mailbox's port",
    "DEMO_AWS_PORT": "The simulated AWS's port",
}
# Nightjar's own account in the simulated AWS, and the key of it (see demo.aws.server). Real credentials stay out of it.
SIMULATED_AWS = {
    "AWS_PRINCIPAL": "905418337712",
    "AWS_ACCESS_KEY_ID": "AKIA905418337712ROOT",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_EC2_METADATA_DISABLED": "true",
}
REAL_AWS = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"}


class AlreadyRunningError(RuntimeError):
    """Another `make up` of this checkout is alive."""


@dataclass(slots=True)
class Installation:
    """``folder`` is the checkout's ``var``; ``given`` names the variables that the operator set himself."""

    root: Path
    folder: Path
    listen: str
    port: int
    demo: bool
    given: frozenset[str]
    values: dict[str, str] = field(default_factory=dict)
    lock: IO[str] | None = None

    @property
    def file(self) -> Path:
        return self.folder / "embedded.env"

    def claim(self) -> None:
        """Become the only one that runs this checkout; raises ``AlreadyRunningError``."""
        for name in ("log", "run"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            (self.folder / name).chmod(0o700)
        lock = (self.folder / "run" / "up.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunningError(environment.read(self.file).get("PUBLIC_URL", "")) from None
        self.lock = lock
        records.write(self.folder / "run" / "up.pid", os.getpid())

    def settle(self) -> list[str]:
        """Read or make secrets, choose ports, write ``embedded.env``; returns what the person should know."""
        known = environment.read(self.file)
        self.values = environment.made_up() | known
        notes = self.choose_ports()
        self.values |= self.addresses()
        if not self.is_local:
            self.values.setdefault("DEMO_PASSWORD", secrets.token_urlsafe(12))
        if not self.demo:
            for name in ("EMAIL_URL", "OUTBOUND_ALLOWED_HOSTS"):
                self.values.pop(name, None)
        if not self.simulates_aws:
            for name in ("AWS_ENDPOINT_URL", *SIMULATED_AWS):
                self.values.pop(name, None)
        self.values = {name: value for name, value in self.values.items() if name not in self.given}
        environment.write(self.file, self.values)
        return notes

    def choose_ports(self) -> list[str]:
        """Last time's ports where they are free, else the next free ones."""
        notes: list[str] = []
        taken: frozenset[int] = frozenset()
        wanted = {"PORT": self.port} | {n: int(self.values.get(n, p)) for n, p in PREFERRED.items()}
        for name, preferred in wanted.items():
            port = ports.next_free(preferred, self.listen if name == "PORT" else "127.0.0.1", taken)
            if port != preferred and (self.demo or not name.startswith("DEMO_")):
                notes.append(f"{NOUN[name]} {preferred} is taken by another program: using {port} instead.")
            self.values[name] = str(port)
            taken |= {port}
        self.port = int(self.values["PORT"])
        return notes

    def addresses(self) -> dict[str, str]:
        """The variables that follow from secrets and ports."""
        v = self.values
        addresses = {
            "PUBLIC_URL": f"http://localhost:{self.port}",
            "DATABASE_URL": postgres.url(int(v["POSTGRES_PORT"]), v["POSTGRES_PASSWORD"]),
            "REDIS_URL": redis.url(int(v["REDIS_PORT"]), password=v["REDIS_PASSWORD"]),
            "DEMO": str(int(self.demo)),
        }
        if self.demo:
            addresses["EMAIL_URL"] = f"smtp://127.0.0.1:{v['DEMO_SMTP_PORT']}"
            addresses["OUTBOUND_ALLOWED_HOSTS"] = f"127.0.0.1:{v['DEMO_HTTP_PORT']}"
        if self.simulates_aws:
            addresses |= SIMULATED_AWS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{v['DEMO_AWS_PORT']}"}
        return addresses

    def environment(self) -> dict[str, str]:
        """What every process of the product finds in its environment."""
        inherited = {name: value for name, value in os.environ.items() if name in self.given}
        small = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
        place = {"VAR_DIR": str(self.folder), "PORT": str(self.port), "BEAT_ALONE": "1"}
        found = small | self.values | inherited | place
        if self.simulates_aws:
            found = {name: value for name, value in found.items() if name not in REAL_AWS} | SIMULATED_AWS
        return found

    @property
    def own_postgres(self) -> bool:
        return "DATABASE_URL" not in self.given

    @property
    def own_redis(self) -> bool:
        return "REDIS_URL" not in self.given

    @property
    def simulates_aws(self) -> bool:
        """Whether the demo answers for AWS; an endpoint that the operator named goes before."""
        return self.demo and "AWS_ENDPOINT_URL" not in self.given

    @property
    def public_url(self) -> str:
        return self.environment()["PUBLIC_URL"]

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the pages."""
        return self.listen in {"127.0.0.1", "::1", "localhost"} and urlsplit(self.public_url).hostname in {
            "127.0.0.1",
            "::1",
            "localhost",
        }
