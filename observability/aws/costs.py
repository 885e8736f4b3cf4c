"""What AWS charges an account's owner for our reading: a ceiling, to be known before anything is connected.

Only GetMetricData has a price; listing, describing and reading logs (FilterLogEvents) is free of charge.
https://aws.amazon.com/cloudwatch/pricing/ (us-east-1, 2026-11; other regions are alike)

    metrics an hour, for a function that runs = 12 sweeps x 12 (all that CloudWatch counts of it)
                                              + the 48 minutes between them x 1 (Invocations)
    for a queue, table or the like in use     = 12 sweeps x 8 (of a state machine; of most there are six)
    for a log group                           = 1 a day, three hundredths of a cent a month: left out
    USD a month                               = how many x metrics an hour x hours of use x 0.01 / 1,000

Whatever did nothing for three hours is not asked about and costs nothing. ``usage`` has what was really asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from observability.aws.usage import USD_PER_METRIC

PER_SWEEP, SWEEPS_AN_HOUR, BETWEEN = 12, 12, 1
OTHERS_PER_SWEEP = 8
HOURS_A_MONTH = 730


@dataclass(frozen=True, slots=True)
class Estimate:
    """So many functions, and so many other resources, that never rest cost at most this much a month."""

    number: int
    functions_usd: float
    others_usd: float


def metrics_an_hour() -> int:
    """Asked of CloudWatch at most, for one function that runs."""
    return SWEEPS_AN_HOUR * PER_SWEEP + (60 - SWEEPS_AN_HOUR) * BETWEEN


def others_an_hour() -> int:
    """The same for one queue, table or the like that is in use."""
    return SWEEPS_AN_HOUR * OTHERS_PER_SWEEP


def monthly_usd(*, functions: int = 0, others: int = 0, hours: float = HOURS_A_MONTH) -> float:
    """At most, for so many that each are in use in so many hours of a month."""
    return (functions * metrics_an_hour() + others * others_an_hour()) * hours * USD_PER_METRIC


def estimates(sizes: Sequence[int] = (10, 50, 200)) -> list[Estimate]:
    return [Estimate(size, monthly_usd(functions=size), monthly_usd(others=size)) for size in sizes]
