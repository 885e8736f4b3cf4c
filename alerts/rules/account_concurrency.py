"""Accounts whose functions come close to what may run at once in a region, and which of them take most of it (F17)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import number, percent

NAMED = 5
MOST_OF_IT = 0.5
"""Of the limit: where one function takes so much, it is no accident of adding up."""


class AccountConcurrency:
    kind = "account_concurrency"
    title = "Account runs out of concurrency"
    why = "All functions of a region share one limit. Beyond it AWS throttles whichever comes next, important or not."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("aws_account",)
    knobs: tuple[Knob, ...] = (
        Knob("used", "Tell when the peaks of a day add up to more than", 80, "% of the limit", 1, 1000),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        for region, told in sorted(subject.config.items()):
            limit = told.get("concurrency_limit") if isinstance(told, Mapping) else None
            if not limit:
                continue
            functions = [
                each for each in estate.of_type("lambda_function")
                if (each.account, each.region) == (subject.account, region)
            ]  # fmt: skip
            used, day = _worst_day(functions)
            if day and used / limit * 100 > knobs["used"]:
                yield _advice(subject, region, functions, used, day, told)


def _worst_day(functions: Iterable[Subject]) -> tuple[float, date | None]:
    """The most that the peaks of one day add up to. They may not have been at the same time, so it is at most that."""
    days: dict[date, float] = defaultdict(float)
    for function in functions:
        for reading in function.points.get(("ConcurrentExecutions", "Maximum"), ()):
            days[reading.at.date()] += reading.value or 0
    day = max(days, key=lambda day: (days[day], day), default=None)
    return (days[day], day) if day else (0.0, None)


def _advice(
    account: Subject, region: str, functions: Sequence[Subject], used: float, day: date, told: Mapping[str, int]
) -> Advice:
    limit = told["concurrency_limit"]
    largest = sorted(functions, key=lambda each: (-(each.peak("ConcurrentExecutions") or 0), each.name))[:NAMED]
    one = largest[0].peak("ConcurrentExecutions") or 0
    return Advice(
        text=f"In {region} the functions of {account.account} may have used {percent(used / limit)} of the "
        f"{limit:,} executions that may run at once; {largest[0].name} alone used {number(one)}.",
        evidence=[
            ("Limit", f"{limit:,}"),
            ("Not reserved by single functions", number(told.get("unreserved_concurrency"))),
            (f"Peaks of {day:%d %b} together", f"{number(used)}, if they were at the same time"),
            *((each.name, f"up to {number(each.peak('ConcurrentExecutions'))}") for each in largest),
        ],
        fixes=_fixes(region, limit),
        confidence=Confidence.MEDIUM if one / limit > MOST_OF_IT else Confidence.LOW,
        topic=region,
        severity=Severity.WARNING if one / limit > MOST_OF_IT else None,
    )


def _fixes(region: str, limit: int) -> list[Fix]:
    return [
        cli(
            "service-quotas request-service-quota-increase", region, option("service-code", "lambda"),
            option("quota-code", "L-B99A9384"), option("desired-value", limit * 2),
        ),
        steps(
            "Ask AWS for a higher limit with the command above; it costs nothing.",
            "Until then reserve executions for the functions that must never wait.",
            "Cap the largest of those that can wait, so that it cannot take the whole pool.",
        ),
    ]  # fmt: skip
