"""What one invocation of a Lambda function costs at list price, from the dated table in ``prices.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("prices.toml")
HOME_REGION = "us-east-1"
FREE_STORAGE_MB = 512
"""Ephemeral storage that every function has without charge."""


@dataclass(frozen=True, slots=True)
class Price:
    """List prices in USD. ``known`` is false when the region is not in the table and the home region stands in."""

    gb_second: float
    storage_gb_second: float
    request: float
    known: bool = True


@cache
def prices() -> dict[str, Any]:
    """The table as it is in the file."""
    return tomllib.loads(TABLE.read_text())


@cache
def price(region: str, architecture: str = "x86_64", *, provisioned: bool = False) -> Price:
    """The prices of a region and architecture; an unknown region costs what the home region costs, and says so."""
    table = prices()
    known = region in table["regions"]
    row = table["default"] | table["regions"].get(region, {})
    processor = "arm64" if architecture == "arm64" else "x86_64"
    duration = row["provisioned_gb_second" if provisioned else "gb_second"][processor]
    return Price(duration, row["storage_gb_second"], row["million_requests"] / 1e6, known)


def invocation_usd(price: Price, *, billed_ms: float, memory_mb: int, ephemeral_mb: int = FREE_STORAGE_MB) -> float:
    """The cost of one invocation in USD, before any free tier, savings plan or volume discount.

    ``billed_ms`` is Lambda's own figure. It holds the INIT phase wherever AWS bills it (since 1 August 2025 for
    every function) and the restore of a snapshot, so neither is added here.
    """
    gb_seconds = billed_ms * memory_mb / 1_024_000
    stored = billed_ms * max(ephemeral_mb - FREE_STORAGE_MB, 0) / 1_024_000
    return gb_seconds * price.gb_second + stored * price.storage_gb_second + price.request
