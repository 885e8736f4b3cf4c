"""Functions that AWS refuses to run, because too much of something runs already; and who has it all (F17)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from weakref import WeakKeyDictionary

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.reconfigure import function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import number, percent

BLAMED = 3

Holder = tuple[Subject, float]
"""A function, and how many of it ran at once at most."""
Pools = Mapping[tuple[str, str], Sequence[Holder]]
_POOLS: WeakKeyDictionary[Estate, Pools] = WeakKeyDictionary()


class Throttled:
    kind = "throttled"
    title = "Calls are throttled"
    why = "A synchronous caller gets error 429; events wait and are tried again, for hours at most, and then are lost."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("rate", "Warn when more calls are throttled than", 10, "%", 0, 100),
        Knob("throttles", "Tell from so many throttled calls in two weeks on", 1, "calls", 1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        throttles = subject.total("Throttles") or subject.rollup.throttles
        reserved = subject.config.get("reserved_concurrency")
        if throttles < knobs["throttles"] or reserved == 0:
            return
        rate = throttles / (throttles + (subject.total("Invocations") or subject.rollup.invocations))
        holders = () if reserved else _holders(subject, estate)
        limit = f"its own {reserved:,} executions" if reserved else "what the account has left, or AWS's pace"
        yield Advice(
            text=f"{percent(rate)} of the calls of {subject.name} are throttled: it runs into {limit}.",
            evidence=[
                ("Throttled calls", number(throttles)),
                ("Share", percent(rate)),
                ("Most at the same time", number(subject.peak("ConcurrentExecutions"))),
                ("Reserved for it", f"{reserved:,}" if reserved else "nothing: it shares with the whole account"),
                *(("Holds most of the rest", f"{each.name}, up to {number(peak)}") for each, peak in holders),
            ],
            fixes=_fixes(subject, reserved, holders),
            confidence=Confidence.HIGH if reserved or holders else Confidence.MEDIUM,
            severity=Severity.WARNING if rate * 100 > knobs["rate"] else None,
        )


def _holders(subject: Subject, estate: Estate) -> Sequence[Holder]:
    """Who shares the pool and took most of it at a time, by their peaks."""
    sharing = _pools(estate).get((subject.account, subject.region), ())
    return [holder for holder in sharing if holder[0] is not subject][:BLAMED]


def _pools(estate: Estate) -> Pools:
    """The largest of each account and region, without those that have a share of their own; made once for an estate."""
    if estate not in _POOLS:
        pools: dict[tuple[str, str], list[Holder]] = defaultdict(list)
        for each in estate.of_type("lambda_function"):
            peak = each.peak("ConcurrentExecutions")
            if peak and each.config.get("reserved_concurrency") is None:
                pools[each.account, each.region].append((each, peak))
        _POOLS[estate] = {
            pool: sorted(holders, key=lambda holder: (-holder[1], holder[0].name))[: BLAMED + 1]
            for pool, holders in pools.items()
        }
    return _POOLS[estate]


def _fixes(subject: Subject, reserved: int | None, holders: Sequence[Holder]) -> list[Fix]:
    peak = subject.peak("ConcurrentExecutions") or 0
    wanted = max(10, round(max(peak, reserved or 0) * 1.5))
    share = function_cli(subject, "put-function-concurrency", option("reserved-concurrent-executions", wanted))
    quota = cli(
        "service-quotas get-service-quota", subject.region, option("service-code", "lambda"),
        option("quota-code", "L-B99A9384"),
    )  # fmt: skip
    return [
        share,
        *([] if reserved else [quota]),
        steps(
            "Reserve executions for what must never wait, with the first command.",
            *(f"If {each.name} can wait, reserve fewer for it than the {number(most)} it took: then it cannot take all."
              for each, most in holders[:1]),
            "If all of it is needed, ask AWS for more: Service Quotas tells and raises the limit.",
        ),
    ]  # fmt: skip
