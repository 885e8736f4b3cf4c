"""A storage on loopback that gives out parts of files, as S3 does for presigned addresses, and counts what it sends."""

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
Answer = Callable[[BaseHTTPRequestHandler], None]


class Storage:
    """``files`` by path; ``odd`` answers in its own way where it has a path. Both may be changed at any time."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.odd: dict[str, Answer] = {}
        self.requests: list[tuple[str, str]] = []
        self.sent = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def put(self, content: bytes, name: str = "package.zip") -> str:
        """Its address, signed as far as anybody here can tell."""
        self.files[f"/{name}"] = content
        return f"{self.url}/{name}?X-Amz-Expires=600&X-Amz-Signature=abc"

    def answer(self, handler: Any) -> None:
        path = handler.path.split("?")[0]
        self.requests.append((path, handler.headers["Range"]))
        if path in self.odd:
            self.odd[path](handler)
            return
        content = self.files[path]
        start, stop = bounds(handler.headers["Range"], len(content))
        if start >= stop:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        part(handler, content[start:stop], f"bytes {start}-{stop - 1}/{len(content)}")

    def handler(self) -> type[BaseHTTPRequestHandler]:
        storage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.wfile = Counted(self.wfile, storage)  # type: ignore[assignment]

            def do_GET(self) -> None:
                storage.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        return Handler


class Counted:
    """A stream that tells the storage how many bytes went out, headers too."""

    def __init__(self, stream: Any, storage: Storage) -> None:
        self.stream, self.storage = stream, storage

    def write(self, content: bytes) -> int:
        self.storage.sent += len(content)
        return int(self.stream.write(content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def bounds(wanted: str, size: int) -> tuple[int, int]:
    match = RANGE.fullmatch(wanted)
    assert match
    first, last = match.groups()
    return (int(first), min(size, int(last) + 1)) if first else (max(0, size - int(last)), size)


def part(handler: Any, body: bytes, told: str, **headers: str) -> None:
    """206 with a body and what ``Content-Range`` says of it."""
    handler.send_response(206)
    handler.send_header("Content-Range", told)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)
