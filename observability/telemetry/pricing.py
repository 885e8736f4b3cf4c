"""What one invocation of a Lambda function costs at list price, from the dated table in ``prices.toml``.

INIT needs no price of its own. Since 1 August 2025 AWS bills it for every function, and Lambda's own
``billedDurationMs`` holds it: Billed Duration is Init Duration plus Duration, rounded up. (Before that date the figure
left it out where it was free, and it was right as well.) The billed time of restoring a snapshot is inside likewise:
a report of 2338.66 ms with a Billed Restore Duration of 182 ms has a Billed Duration of 2521 ms. Each restore has a
price of its own besides.
https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
"""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("prices.toml")
FREE_STORAGE_MB = 512
"""Ephemeral storage that every function has without charge."""

PROVISIONED, MANAGED = "provisioned-concurrency", "lambda-managed-instances"
"""How an environment came to be (its ``initializationType``), where that changes the price."""


@dataclass(frozen=True, slots=True)
class Price:
    """List prices in USD. ``known`` is false when the table lacks the region and that of us-east-1 stands in."""

    gb_second: float
    storage_gb_second: float
    request: float
    known: bool = True
    concurrency_gb_second: float = 0.0
    """Provisioned concurrency itself, for as long as it is configured."""
    snapshot_gb_second: float = 0.0
    restore_gb: float = 0.0
    """SnapStart: a snapshot for as long as it is cached, and each restore of one."""
    log_gb_month: float = 0.0


@cache
def prices() -> dict[str, Any]:
    """The table as it is in the file, with ``as_of`` (a date) and ``source``."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def price(region: str, architecture: str = "x86_64", *, provisioned: bool = False) -> Price:
    """The prices of a region and an architecture; ``provisioned`` while provisioned concurrency serves."""
    row = _row(region)
    arm = architecture == "arm64"
    share = row["provisioned_arm64_share"] if arm else 1
    return Price(
        gb_second=row["provisioned_gb_second"] * share
        if provisioned
        else row["gb_second"]["arm64" if arm else "x86_64"],
        storage_gb_second=row["storage_gb_second"],
        request=row["million_requests"] / 1e6,
        known=region in prices()["regions"],
        concurrency_gb_second=row["concurrency_gb_second"] * share,
        snapshot_gb_second=row["snapshot_gb_second"],
        restore_gb=row["restore_gb"],
        log_gb_month=row["log_gb_month"],
    )


def environment_price(region: str, architecture: str, init_type: str) -> Price:
    """The prices in an environment. Managed instances are paid as such: there only the request has a price."""
    found = price(region, architecture or "x86_64", provisioned=init_type == PROVISIONED)
    return replace(found, gb_second=0.0, storage_gb_second=0.0) if init_type == MANAGED else found


def _row(region: str) -> dict[str, Any]:
    table = prices()
    row: dict[str, Any] = table["default"] | table["regions"].get(region, {})
    return row


def log_gb(region: str, log_class: str = "STANDARD") -> float:
    """What CloudWatch takes for a GB of logs that comes in; 0 for a class that it does not keep."""
    return float(_row(region)["log_gb"].get(log_class, 0.0))


def around(name: str) -> float:
    """A price of what surrounds functions, by its name in the table; that of us-east-1 everywhere."""
    return float(prices()["around"][name])


def pays_for_snapshots(runtime: str) -> bool:
    """Whether SnapStart costs anything: managed Java runtimes have it for free."""
    return not runtime.startswith("java")


def invocation_usd(
    price: Price, *, billed_ms: float, memory_mb: int, ephemeral_mb: int = FREE_STORAGE_MB, restored: bool = False
) -> float:
    """The cost of one invocation in USD, before any free tier, savings plan or volume discount.

    ``billed_ms`` is Lambda's own figure; see above for what it holds. ``restored`` says that a snapshot was restored
    for it, in a runtime that pays for that.
    """
    usd = price.request + time_usd(price, billed_ms=billed_ms, memory_mb=memory_mb, ephemeral_mb=ephemeral_mb)
    return usd + memory_mb / 1024 * price.restore_gb if restored else usd


def time_usd(price: Price, *, billed_ms: float, memory_mb: int, ephemeral_mb: int = FREE_STORAGE_MB) -> float:
    """The same without the price of the request: what so much billed time costs."""
    usd = billed_ms * memory_mb / 1_024_000 * price.gb_second
    if ephemeral_mb > FREE_STORAGE_MB:
        usd += billed_ms * (ephemeral_mb - FREE_STORAGE_MB) / 1_024_000 * price.storage_gb_second
    return usd
