"""Ends a worker that has gone silent, so that its supervisor starts a fresh one.

After some interruptions of Redis, Celery's consumer stays connected and receives nothing, for ever and without a word
(https://github.com/celery/celery/discussions/8030). Beat rings every second, so a worker that has had tasks and then
gets none for ``LIMIT`` seconds is deaf, or Redis is away; a restart is right in both cases.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

from celery import bootsteps
from celery.apps.worker import Worker
from celery.worker import state

logger = logging.getLogger(__name__)
LIMIT = 90.0
LOOK_EVERY = 10.0


class Silence:
    """Notices that a count has stopped growing; before it grew for the first time, that means nothing."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.count = 0
        self.grew_at: float | None = None

    def lasts(self, count: int, moment: float) -> bool:
        """Whether nothing has come for longer than the limit, given the count at ``moment`` (seconds)."""
        if count != self.count:
            self.count, self.grew_at = count, moment
        return self.grew_at is not None and moment - self.grew_at > self.limit


class Watchdog(bootsteps.StartStopStep):
    """A thread in the worker's main process; it only reads a counter."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Worker, **options: object) -> None:
        super().__init__(parent, **options)
        self.over = threading.Event()

    def start(self, parent: Worker) -> None:
        threading.Thread(target=watch, args=(self.over, leave), name="watchdog", daemon=True).start()

    def stop(self, parent: Worker) -> None:
        self.over.set()


def watch(over: threading.Event, silent: Callable[[], None]) -> None:
    """Call ``silent`` once no task has come for too long; return when ``over`` is set."""
    silence = Silence(LIMIT)
    while not over.wait(LOOK_EVERY):
        if silence.lasts(state.all_total_count[0], time.monotonic()):
            silent()
            return


def leave() -> None:
    """End the whole process at once: the tasks it holds are delivered again to the next one."""
    logger.critical("worker.silent", extra={"seconds": LIMIT})
    os._exit(1)
