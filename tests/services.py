"""PostgreSQL and Redis for the test run, started before Django reads its settings.

Loaded with ``-p tests.services``. The first process starts both and names them in the environment;
xdist workers inherit it and only pick a Redis database of their own.
"""

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from observability.embedded import postgres, redis

SLOPPY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
IMPATIENT = ("lock_timeout=60s", "idle_in_transaction_session_timeout=300s")
"""Whoever waits for a lock that is never released fails, and says where, instead of hanging."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


def stop(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.terminate()
    process.wait(timeout=30)
    shutil.rmtree(folder, ignore_errors=True)


def temporary_folder(prefix: str) -> str:
    folder = tempfile.mkdtemp(prefix=prefix)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def start_postgres() -> str:
    folder = Path(tempfile.mkdtemp(prefix="nightjar-pg-"))
    folder.chmod(0o755)
    data, port = folder / "data", free_port()
    postgres.initialise(data)
    process = subprocess.Popen(
        postgres.command(data, port, *SLOPPY, *IMPATIENT),
        user=postgres.server_user(), cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    atexit.register(stop, process, folder)
    wait_for(port)
    return postgres.url(port)


def start_redis() -> str:
    folder, port = Path(tempfile.mkdtemp(prefix="nightjar-redis-")), free_port()
    process = subprocess.Popen(
        redis.command(folder, port, "--databases", "512"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    atexit.register(stop, process, folder)
    wait_for(port)
    return redis.url(port)


if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["DATABASE_URL"] = start_postgres()
    os.environ["REDIS_URL"] = start_redis()
    os.environ["SECRET_KEY"] = "only-for-the-tests-only-for-the-tests-only-for-the-tests"
    os.environ["ENCRYPTION_KEYS"] = "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMTI="
    os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
    os.environ["DEBUG"] = "0"
    os.environ["DEMO"] = "1"
    os.environ["AWS_PRINCIPAL"] = "999988887777"
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    # What a developer's own `make up` or .env says must not reach the tests.
    os.environ["ENV_FILE"] = os.devnull
    os.environ["VAR_DIR"] = temporary_folder("nightjar-var-")
else:
    worker = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rsplit("/", 1)[0] + f"/{worker + 1}"
