"""`var/embedded.env`: the ports and secrets that the one-command install made up for this checkout."""

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def read(path: Path) -> dict[str, str]:
    """The variables in ``path``; none when the file does not exist yet."""
    if not path.exists():
        return {}
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write(path: Path, values: dict[str, str]) -> None:
    """Replace ``path`` in one step; it holds secrets, so only its owner may read it."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("# Written by `make up`; these secrets open the data beside it. Real variables and .env win.\n")
        file.writelines(f"{name}={value}\n" for name, value in sorted(values.items()))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def made_up() -> dict[str, str]:
    """Fresh secrets; each is made once per checkout and then kept."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "POSTGRES_PASSWORD": secrets.token_hex(16),
        "REDIS_PASSWORD": secrets.token_hex(16),
    }
