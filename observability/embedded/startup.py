"""The steps from nothing to a page that answers, each told to the person who waits."""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError

from observability.embedded import leftovers, postgres, redis
from observability.embedded.console import say, step
from observability.embedded.installation import Installation
from observability.embedded.processes import DEMO, DEMO_AWS, MIGRATE, RECEIVERS, Process, product
from observability.embedded.supervisor import Service, Supervisor

PATIENCE = 60.0
STAGES = (("demo", "receivers", "web"), ("writer", "worker", "puller", "beat"), ("demo_aws", "redis"), ("postgres",))
DEMO_SETUP = ("python", "manage.py", "demo_setup")


def start(installation: Installation, supervisor: Supervisor) -> None:
    """Everything up and answering; raises what went wrong, with the children left to ``supervisor.stop``."""
    if ended := leftovers.end(installation.folder):
        say(f"  An earlier run was killed: {ended} of its processes still ran and were stopped.")
    for note in installation.settle():
        say(f"  {note}")
    start_data_servers(installation, supervisor)
    with step("Bringing the tables up to date"):
        run(installation, MIGRATE)
    web, *background = product(installation.listen, installation.port)
    # What a person waits for comes first: loading everything at once would keep the page from its processors.
    launch(installation, supervisor, [web])
    if installation.demo:
        with step("Setting up the demo's organization"):
            run(installation, DEMO_SETUP)
        background += [RECEIVERS, DEMO, *([DEMO_AWS] if installation.simulates_aws else [])]
    launch(installation, supervisor, background)
    with step("Waiting for the first page"):
        supervisor.wait_until("web", lambda: answers(installation.port), PATIENCE)


def launch(installation: Installation, supervisor: Supervisor, processes: Sequence[Process]) -> None:
    """Start processes of the product; they wait for each other themselves."""
    environment = installation.environment()
    with step("Starting " + listed([process.name for process in processes])):
        for process in processes:
            supervisor.start(service(process, environment))


def start_data_servers(installation: Installation, supervisor: Supervisor) -> None:
    """PostgreSQL and Redis, unless the operator named his own; both start at the same time."""
    environment = installation.environment()
    if installation.own_redis:
        supervisor.start(redis_service(installation))
    if installation.own_postgres:
        data = installation.folder / "postgres"
        first = not (data / postgres.READY).exists()
        with step("Creating the database's files" if first else "Starting PostgreSQL"):
            postgres.initialise(data, installation.values["POSTGRES_PASSWORD"])
            supervisor.start(postgres_service(installation, data))
            supervisor.wait_until("postgres", lambda: accepts(environment["DATABASE_URL"]), PATIENCE)
            create_database(environment["DATABASE_URL"])
    if installation.own_redis:
        with step("Starting Redis"):
            supervisor.wait_until("redis", lambda: pings(environment["REDIS_URL"]), PATIENCE)


def postgres_service(installation: Installation, data: Path) -> Service:
    user = postgres.server_user()
    port = int(installation.values["POSTGRES_PORT"])
    return Service(
        "postgres",
        "PostgreSQL",
        tuple(postgres.command(data, port)),
        {"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        stop=signal.SIGINT,
        grace=20,
        user=user,
        may_search=postgres.is_closed_to(user, data),
    )


def redis_service(installation: Installation) -> Service:
    folder = installation.folder / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    configuration = redis.configuration(folder, installation.values["REDIS_PASSWORD"])
    port = int(installation.values["REDIS_PORT"])
    command = tuple(redis.command(folder, port, configuration=configuration))
    return Service("redis", "Redis", command, {"PATH": "/usr/bin:/bin"})


def service(process: Process, environment: dict[str, str]) -> Service:
    return Service(
        process.name, process.title, resolved(process.command), environment | process.environment,
        stop=process.stop, grace=process.grace,
    )  # fmt: skip


def resolved(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command with its program found beside our own interpreter."""
    program = sys.executable if command[0] == "python" else str(Path(sys.executable).parent / command[0])
    return (program, *command[1:])


def run(installation: Installation, command: tuple[str, ...]) -> None:
    """Run a command to its end; raises ``RuntimeError`` with what it said when it fails."""
    done = subprocess.run(
        resolved(command), cwd=installation.root, env=installation.environment(), capture_output=True, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise RuntimeError(f"`{' '.join(command)}` failed:\n{said[-4000:]}")


def accepts(database_url: str) -> bool:
    """Whether the server lets us in."""
    try:
        psycopg.connect(maintenance(database_url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(database_url: str) -> None:
    """Create Nightjar's database when the server does not have it yet."""
    with psycopg.connect(maintenance(database_url), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [postgres.DATABASE]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(postgres.DATABASE)))


def maintenance(database_url: str) -> str:
    """The URL of the database that every server has."""
    return database_url.rsplit("/", 1)[0] + "/postgres"


def pings(redis_url: str) -> bool:
    try:
        with Redis.from_url(redis_url, socket_timeout=2) as client:
            return bool(client.ping())
    except RedisError:
        return False


def answers(port: int) -> bool:
    """Whether the web process serves requests; a 503 means that it waits for something itself."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code != 503
    except OSError:
        return False


def listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
