"""AWS's managed runtimes of Lambda: when each ends, and what it can do. From the dated table in ``runtimes.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("runtimes.toml")


@dataclass(frozen=True, slots=True)
class Runtime:
    """From ``deprecated`` on there are no security patches; the blocks are None where AWS named no date."""

    name: str
    label: str
    deprecated: date
    create_block: date | None = None
    update_block: date | None = None
    successor: str = ""
    """What to move to; empty where it is the newest of its language."""
    arm64: bool = True
    snap_start: bool = False


@cache
def table() -> dict[str, Any]:
    """The table as it is in the file, with ``as_of`` (a date) and ``source``."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def runtimes() -> Mapping[str, Runtime]:
    """By the name that a function's configuration has for it, such as ``python3.13``."""
    return {name: Runtime(name, **row) for name, row in table()["runtimes"].items()}


def label(name: str) -> str:
    """The name as people say it; as it is for one that the table lacks."""
    known = runtimes().get(name)
    return known.label if known else name
