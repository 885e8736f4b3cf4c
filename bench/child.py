"""A server in a process of its own, seen from the parent: it tells of itself, and then answers questions."""

import multiprocessing
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

spawned = multiprocessing.get_context("spawn")


class Child:
    """``serve(pipe, *args)`` runs in the child. It sends what it tells at first, then hears questions until None."""

    def __init__(self, serve: Callable[..., None], *args: object) -> None:
        self.pipe, theirs = spawned.Pipe()
        self.process = spawned.Process(target=serve, args=(theirs, *args), daemon=True)

    def __enter__(self) -> Self:
        self.process.start()
        self.ready(self.pipe.recv())
        return self

    def ready(self, told: Any) -> None:
        """What the child told at first."""

    def ask(self, question: str) -> Any:
        self.pipe.send(question)
        return self.pipe.recv()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pipe.send(None)
        self.process.join(timeout=10)
        self.process.kill()
