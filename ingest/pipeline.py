"""READ FIRST. How telemetry comes in, stage by stage; the writer takes over from the buffer."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from ingest.auth import authenticate
from ingest.buffer import get_buffer
from ingest.compression import expand
from ingest.entry import Entry
from ingest.payload import check
from ingest.refusal import Rejected
from ingest.scrub import scrub

LARGE = 32 * 1024
_one_large_body = Lock()


@dataclass(frozen=True, slots=True)
class Post:
    """What of an HTTP request matters here. ``read`` reads the body, and refuses it when it is too long."""

    authorization: str
    query: str
    encoding: str
    arn: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a body's events: ``accepted + duplicates + len(rejected)`` is what was posted.

    Duplicates are ids repeated within the body; copies of what was stored before are found, and dropped, later.
    """

    accepted: int
    duplicates: int
    rejected: tuple[Rejected, ...]


def receive(post: Post, *, now: datetime) -> Receipt:
    """Accept one body. Raises ``RefusedError``. Once this returns, the accepted events are not lost any more."""
    key = authenticate(post.authorization, post.query, now=now)
    body = post.read()
    with turn(body):
        plain = expand(body, post.encoding)
        checked = check(plain, arn=post.arn, received_at=now)
        if checked.count:
            clean = scrub(checked.body)
            get_buffer().put(Entry(key.organization_id, key.id, checked.arn, now, checked.count, clean))
    return Receipt(checked.count, checked.duplicates, checked.rejected)


def turn(body: bytes) -> AbstractContextManager[object]:
    """Large bodies wait for each other, so that a hundred bombs at once need the memory of one."""
    return _one_large_body if len(body) > LARGE else nullcontext()
