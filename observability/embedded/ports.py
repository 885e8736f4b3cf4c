"""Which TCP port a process of the one-command install may take."""

import contextlib
import errno
import socket

ATTEMPTS = 200


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody holds ``port``, neither on ``host`` nor where a browser would look for localhost."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return not answers(port, "::1")


def answers(port: int, host: str = "127.0.0.1", seconds: float = 1) -> bool:
    """Whether something accepts connections on ``port``."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=seconds):
        return True
    return False


def next_free(preferred: int, host: str = "127.0.0.1", taken: frozenset[int] = frozenset()) -> int:
    """``preferred``, or the next port above it that is free and not ``taken``; raises ``OSError`` when none is near."""
    for port in range(preferred, min(preferred + ATTEMPTS, 65_536)):
        if port not in taken and is_free(port, host):
            return port
    raise OSError(f"no free port from {preferred} on")
