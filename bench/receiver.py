"""An HTTP server on loopback that remembers when each request came and what it said."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from bench.environment import PORTS


class Receiver:
    """Answers 200 ``ok`` to every POST, as Slack does; ``arrived`` holds (monotonic seconds, path, body)."""

    def __init__(self) -> None:
        self.arrived: list[tuple[float, str, bytes]] = []
        arrived = self.arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # The name that http.server calls.
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                arrived.append((time.monotonic(), self.path, body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                """Requests are counted, not printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", PORTS["receiver"]), Handler)
        self.place = f"127.0.0.1:{PORTS['receiver']}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
