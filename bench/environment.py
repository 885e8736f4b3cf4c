"""Free ports and the settings that go with them, chosen before Django reads its settings."""

import os
import secrets
import socket
from base64 import urlsafe_b64encode

import django

from observability.embedded import postgres, redis


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


PORTS = {name: free_port() for name in ("postgres", "redis", "web", "receiver")}


def prepare() -> None:
    """Name everything in the environment, so that this process and its children agree, and load Django."""
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "observability.settings",
            "DATABASE_URL": postgres.url(PORTS["postgres"]),
            "REDIS_URL": redis.url(PORTS["redis"]),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "PUBLIC_URL": f"http://127.0.0.1:{PORTS['web']}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "EMAIL_URL": "dummymail://",
            "OUTBOUND_ALLOWED_HOSTS": f"127.0.0.1:{PORTS['receiver']}",
            "LOG_LEVEL": "WARNING",
            "DEBUG": "0",
            "DEMO": "0",
        }
    )
    django.setup()
