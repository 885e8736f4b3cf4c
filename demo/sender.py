"""Posts request bodies to the ingest API as the companion extension does: gzip, keep-alive, retry when asked to."""

import gzip
import time
from typing import Any

import msgspec
import urllib3

RETRIED = {429, 502, 503, 504}


class Sender:
    """One connection to ``url`` with one ingest key. Raises ``PermissionError`` when the key is refused."""

    def __init__(self, url: str, key: str) -> None:
        self.url = f"{url}/ingest/v1/telemetry"
        self.headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        self.pool = urllib3.PoolManager(maxsize=1, retries=False, timeout=10)

    def send(self, body: dict[str, Any]) -> int:
        """Deliver one body, waiting as long as the service asks; returns how many events it accepted."""
        packed = gzip.compress(msgspec.json.encode(body), 1)
        while True:
            try:
                answer = self.pool.request("POST", self.url, body=packed, headers=self.headers)
            except urllib3.exceptions.HTTPError:
                time.sleep(1)
                continue
            if answer.status == 202:
                return int(answer.json()["accepted"])
            if answer.status in {401, 403}:
                raise PermissionError(f"the ingest key was refused: {answer.json().get('detail', answer.status)}")
            if answer.status not in RETRIED:
                raise ValueError(f"the ingest API refused a body: {answer.status} {answer.data[:300]!r}")
            time.sleep(float(answer.headers.get("Retry-After", 1)))
