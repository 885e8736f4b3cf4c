"""What one invocation of a Lambda function costs at list price, from the dated table in ``prices.toml``.

INIT needs no price of its own. Since 1 August 2025 AWS bills it for every function, and Lambda's own
``billedDurationMs`` holds it: Billed Duration is Init Duration plus Duration, rounded up. (Before that date the figure
left it out where it was free, and it was right as well.) The billed part of restoring a snapshot is inside likewise.
https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("prices.toml")
FREE_STORAGE_MB = 512
"""Ephemeral storage that every function has without charge."""


@dataclass(frozen=True, slots=True)
class Price:
    """List prices in USD. ``known`` is false when the table lacks the region and that of us-east-1 stands in."""

    gb_second: float
    storage_gb_second: float
    request: float
    known: bool = True


@cache
def prices() -> dict[str, Any]:
    """The table as it is in the file, with ``as_of`` (a date) and ``source``."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def price(region: str, architecture: str = "x86_64", *, provisioned: bool = False) -> Price:
    """The prices of a region and an architecture; ``provisioned`` while provisioned concurrency serves."""
    table = prices()
    row = table["default"] | table["regions"].get(region, {})
    arm = architecture == "arm64"
    if provisioned:
        gb_second = row["provisioned_gb_second"] * (row["provisioned_arm64_share"] if arm else 1)
    else:
        gb_second = row["gb_second"]["arm64" if arm else "x86_64"]
    return Price(gb_second, row["storage_gb_second"], row["million_requests"] / 1e6, region in table["regions"])


def invocation_usd(price: Price, *, billed_ms: float, memory_mb: int, ephemeral_mb: int = FREE_STORAGE_MB) -> float:
    """The cost of one invocation in USD, before any free tier, savings plan or volume discount.

    ``billed_ms`` is Lambda's own figure; see above for what it holds.
    """
    return price.request + time_usd(price, billed_ms=billed_ms, memory_mb=memory_mb, ephemeral_mb=ephemeral_mb)


def time_usd(price: Price, *, billed_ms: float, memory_mb: int, ephemeral_mb: int = FREE_STORAGE_MB) -> float:
    """The same without the price of the request: what so much billed time costs."""
    usd = billed_ms * memory_mb / 1_024_000 * price.gb_second
    if ephemeral_mb > FREE_STORAGE_MB:
        usd += billed_ms * (ephemeral_mb - FREE_STORAGE_MB) / 1_024_000 * price.storage_gb_second
    return usd
