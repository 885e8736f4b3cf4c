"""Load on loopback: posts prepared bodies over a few keep-alive connections, as fast as they are answered.

It runs as a process of its own (``python -m bench.load``) so that the measured side keeps its interpreter to itself.
Bodies come from a file of length-prefixed blobs; one JSON line with the result goes to standard output.
"""

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

LENGTH = struct.Struct(">I")


def write(path: Path, bodies: list[bytes]) -> None:
    path.write_bytes(b"".join(LENGTH.pack(len(body)) + body for body in bodies))


def read(path: Path) -> list[bytes]:
    data, at, bodies = path.read_bytes(), 0, []
    while at < len(data):
        (size,) = LENGTH.unpack_from(data, at)
        bodies.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return bodies


def post(connection: socket.socket, head: bytes, body: bytes) -> tuple[int, bytes]:
    """One request on an open connection; returns status and answer head."""
    connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("closed")
        answer += part
    header, _, rest = answer.partition(b"\r\n\r\n")
    lower = header.lower()
    at = lower.index(b"content-length:") + 15
    missing = int(lower[at : lower.find(b"\r\n", at) if b"\r\n" in lower[at:] else None]) - len(rest)
    while missing > 0:
        missing -= len(connection.recv(missing))
    return int(header[9:12]), header


def lane(url: str, token: str, bodies: list[bytes], statuses: Counter[int]) -> None:
    """Post each body until it is accepted; waits a little after every refusal."""
    place = urlsplit(url)
    head = (
        f"POST /ingest/v1/telemetry HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
    ).encode()
    connection = socket.create_connection((place.hostname or "", place.port or 80))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for body in bodies:
        status = 0
        while status != 202:
            status, _ = post(connection, head, body)
            statuses[status] += 1
            if status in {429, 503}:
                time.sleep(0.05)
            elif status != 202:
                raise RuntimeError(f"unexpected answer {status}")
    connection.close()


def start(url: str, token: str, path: Path, lanes: int = 4) -> subprocess.Popen[bytes]:
    """The load process; its standard output is the result of ``finish``."""
    command = [sys.executable, "-m", "bench.load", url, token, str(path), str(lanes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> dict[str, float]:
    output, _ = process.communicate(timeout=600)
    if process.returncode:
        raise RuntimeError("the load process failed")
    result: dict[str, float] = json.loads(output)
    return result


def main() -> None:
    url, token, path, lanes = sys.argv[1:5]
    bodies, count = read(Path(path)), int(lanes)
    statuses: Counter[int] = Counter()
    threads = [threading.Thread(target=lane, args=(url, token, bodies[n::count], statuses)) for n in range(count)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    if statuses[202] != len(bodies):
        sys.exit(1)
    print(json.dumps({"seconds": seconds, "requests": len(bodies), "refused": sum(statuses.values()) - statuses[202]}))


if __name__ == "__main__":
    main()
