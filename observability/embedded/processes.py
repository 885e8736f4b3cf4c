"""The processes that Nightjar consists of: one table for `make up` and docker-compose.yml (a test compares them)."""

import signal
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Process:
    """One long-running process of the product. ``grace`` is how many seconds it may take to stop by itself."""

    name: str
    command: tuple[str, ...]
    title: str
    stop: signal.Signals = signal.SIGTERM
    grace: float = 10
    environment: dict[str, str] = field(default_factory=dict)


def web(host: str, port: int) -> Process:
    """The pages and the ingest API. Few threads, because Python runs one at a time and each holds a connection."""
    options = ("--interface", "wsgi", "--host", host, "--port", str(port), "--workers", "1", "--no-ws")
    limits = ("--blocking-threads", "4", "--backlog", "1024", "--backpressure", "64", "--workers-kill-timeout", "5")
    heal = ("--respawn-failed-workers", "--respawn-interval", "1")
    return Process("web", ("granian", *options, *limits, *heal, "observability.wsgi:application"), "the web server")


WRITER = Process("writer", ("python", "manage.py", "ingest_writer"), "the ingest writer")
# One organization's work is small and waits on the network; gossip and mingle only serve large clusters.
WORKER = Process(
    "worker",
    (
        "celery", "-A", "observability", "worker", "--loglevel", "INFO", "--concurrency", "2",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ),
    "the background worker",
)  # fmt: skip
# Calls to AWS mostly wait, so they are threads of a process of their own: alerts never stand in line behind them.
PULLER = Process(
    "puller",
    (
        "celery", "-A", "observability", "worker", "--queues", "pull", "--loglevel", "INFO",
        "--pool", "threads", "--concurrency", "8", "--hostname", "puller@%h",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ),
    "the puller",
)  # fmt: skip
BEAT = Process("beat", ("celery", "-A", "observability.beat", "beat", "--loglevel", "WARNING"), "the clock")
RECEIVERS = Process("receivers", ("python", "manage.py", "demo_receivers"), "the demo's inbox", grace=3)
DEMO_AWS = Process("demo_aws", ("python", "manage.py", "demo_aws"), "the demo's AWS", grace=3)
DEMO = Process("demo", ("python", "manage.py", "demo"), "the demo's traffic", grace=3)

MIGRATE = ("python", "manage.py", "migrate", "--no-input", "-v", "0", "--skip-checks")


def product(host: str, port: int) -> tuple[Process, ...]:
    """What runs in every installation, in the order of starting."""
    return (web(host, port), WRITER, WORKER, PULLER, BEAT)
