"""Request bodies for the ingest API, cut to a size, gzip level 1, from the demo's simulated functions."""

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from demo.traffic import told_between


def envelopes(events: int, batch: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Envelopes of exactly ``batch`` events each until there are ``events`` of them, none older than needed."""
    end, left = now, events
    while left > 0:
        start = end - timedelta(hours=1)
        for body in told_between(start, end, now, now):
            told = body["events"]
            for first in range(0, len(told) - batch + 1, batch):
                if left <= 0:
                    return
                yield body | {"events": told[first : first + batch]}
                left -= batch
        end = start


def pack(body: dict[str, Any]) -> bytes:
    return gzip.compress(msgspec.json.encode(body), 1)
