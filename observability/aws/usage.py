"""How many calls we made in each account, per day and family, how many AWS throttled, and what it charges for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import cast

from redis.commands.core import Script
from redis.exceptions import RedisError

from observability.aws.quotas import connection, title

METRICS, PRICED = "metrics_requested", "GetMetricData"
THROTTLED = "throttled:"
"""Begins the names under which throttled calls are counted; the family follows."""

KEPT_S = 40 * 86_400
USD_PER_METRIC = 0.01 / 1_000
"""GetMetricData, the only call of ours with a price (us-east-1, 2026-11): https://aws.amazon.com/cloudwatch/pricing/."""

EPOCH = date(1970, 1, 1)

# The day is that of Redis's clock, so that all processes agree on it.
COUNT = """
local key = KEYS[1] .. math.floor(redis.call('TIME')[1] / 86400)
redis.call('HINCRBY', key, ARGV[1], 1)
if tonumber(ARGV[2]) > 0 then redis.call('HINCRBY', key, ARGV[3], ARGV[2]) end
redis.call('EXPIRE', key, ARGV[4])
"""


@dataclass(frozen=True, slots=True)
class Family:
    """The calls of one day that share a budget. ``throttled`` of them were refused for being too many."""

    title: str
    calls: int
    throttled: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of one day (UTC) by family, every try counted; ``metrics`` were asked for by GetMetricData."""

    day: date
    calls: Mapping[str, int]
    metrics: int
    throttled: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    @property
    def cost_usd(self) -> float:
        return self.metrics * USD_PER_METRIC

    @property
    def total_throttled(self) -> int:
        return sum(self.throttled.values())

    @property
    def families(self) -> list[Family]:
        """The families that were used, the busiest first."""
        found = [
            Family(title(name), calls, self.throttled.get(name, 0), self.cost_usd if name == PRICED else 0.0)
            for name, calls in self.calls.items()
        ]
        return sorted(found, key=lambda family: (-family.calls, family.title))


def count(*, account: str, family: str, metrics: int = 0) -> None:
    """One call is about to be made. Losing a count is not worth failing a call for."""
    _count(account, family, metrics)


def count_throttled(*, account: str, family: str) -> None:
    """AWS refused one of the calls that were counted."""
    _count(account, THROTTLED + family, 0)


def _count(account: str, name: str, metrics: int) -> None:
    try:
        _script()(keys=[_prefix(account)], args=[name, metrics, METRICS, KEPT_S])
    except RedisError:
        return


def of_account(account_id: str, *, days: int, now: datetime) -> list[Usage]:
    """The last ``days`` days up to today, oldest first, each with what was counted. Raises ``RedisError``."""
    dates = [now.astimezone(UTC).date() - timedelta(days=back) for back in reversed(range(days))]
    with connection().pipeline(transaction=False) as pipeline:
        for day in dates:
            pipeline.hgetall(f"{_prefix(account_id)}{(day - EPOCH).days}")
        answers = cast("list[dict[bytes, bytes]]", pipeline.execute())
    return [_usage(day, answer) for day, answer in zip(dates, answers, strict=True)]


def _usage(day: date, answer: Mapping[bytes, bytes]) -> Usage:
    calls = {name.decode(): int(number) for name, number in sorted(answer.items())}
    metrics = calls.pop(METRICS, 0)
    throttled = {name.removeprefix(THROTTLED): calls.pop(name) for name in list(calls) if name.startswith(THROTTLED)}
    return Usage(day, calls, metrics, throttled)


def _prefix(account: str) -> str:
    return f"aws:usage:{account}:"


@cache
def _script() -> Script:
    return connection().register_script(COUNT)
