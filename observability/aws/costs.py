"""What AWS charges an account's owner for our reading: a ceiling, to be known before anything is connected.

Only GetMetricData has a price; listing, describing and reading logs (FilterLogEvents) is free of charge.
https://aws.amazon.com/cloudwatch/pricing/ (us-east-1, 2026-11; other regions are alike)

    metrics an hour, for a function that runs = 12 sweeps x 12 (all that CloudWatch counts of it)
                                              + the 48 minutes between them x 1 (Invocations)
    USD a month                               = functions x metrics an hour x hours it runs x 0.01 / 1,000

A function that did nothing for three hours is not asked about and costs nothing. ``usage`` has what was really asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from observability.aws.usage import USD_PER_METRIC

PER_SWEEP, SWEEPS_AN_HOUR, BETWEEN = 12, 12, 1
HOURS_A_MONTH = 730


@dataclass(frozen=True, slots=True)
class Estimate:
    """So many functions that run around the clock cost at most this much a month."""

    functions: int
    usd: float


def metrics_an_hour() -> int:
    """Asked of CloudWatch at most, for one function that runs."""
    return SWEEPS_AN_HOUR * PER_SWEEP + (60 - SWEEPS_AN_HOUR) * BETWEEN


def monthly_usd(*, functions: int, hours: float = HOURS_A_MONTH) -> float:
    """At most, for functions that each run in so many hours of a month."""
    return functions * metrics_an_hour() * hours * USD_PER_METRIC


def estimates(sizes: Sequence[int] = (10, 50, 200)) -> list[Estimate]:
    return [Estimate(size, monthly_usd(functions=size)) for size in sizes]
