"""Functions that lag behind their stream."""

from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.lately import peak, values
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.wiring import source_name
from observability.ui.units import elapsed, number, percent

LATELY = 2
MOST_PARALLEL = 10


class IteratorAge:
    kind = "iterator_age"
    title = "Function lags behind its stream"
    why = "Records wait for longer and longer. What is older than the stream keeps is lost unread."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("seconds", "Warn when a record waited for more than", 60, "s", 1),
        Knob("critical", "Critical when a record waited for more than", 7_200, "s", 1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        age_ms = peak(subject, "IteratorAge", estate, days=LATELY)
        if age_ms is None or age_ms / 1000 <= knobs["seconds"]:
            return
        sources = [each for each in subject.config.get("event_sources") or () if _is_stream(each)]
        failed = subject.rollup.errors / subject.rollup.invocations if subject.rollup.invocations else 0.0
        yield Advice(
            text=f"Records waited for up to {elapsed(age_ms / 1000)} until {subject.name} read them.",
            evidence=[
                (f"Oldest record in the last {LATELY} days", elapsed(age_ms / 1000)),
                ("Error rate", percent(failed)),
                ("Runs", number(subject.rollup.invocations)),
                *((_name(each), f"{each.get('parallel') or 1} at a time for each shard") for each in sources),
            ],
            fixes=_fixes(subject, sources, failed),
            confidence=Confidence.HIGH,
            severity=Severity.CRITICAL if _lasts(subject, estate, knobs["critical"]) else None,
        )


def _lasts(subject: Subject, estate: Estate, seconds: float) -> bool:
    """Whether it is so today and was yesterday: who begins with the oldest records is old once, and catches up."""
    ages = values(subject, "IteratorAge", "Maximum", estate, days=2)[-2:]
    return len(ages) > 1 and min(ages) / 1000 > seconds


def _is_stream(mapping: Mapping[str, Any]) -> bool:
    return mapping["source"].split(":")[2:3] in (["kinesis"], ["dynamodb"]) and mapping.get("enabled", True)


def _name(mapping: Mapping[str, Any]) -> str:
    return source_name(mapping["source"])


def _fixes(subject: Subject, sources: Iterable[Mapping[str, Any]], failed: float) -> list[Fix]:
    wider = [
        cli(
            "lambda update-event-source-mapping", subject.region, option("uuid", each["uuid"]),
            option("parallelization-factor", min(MOST_PARALLEL, 2 * (each.get("parallel") or 1))),
        )
        for each in sources
        if (each.get("parallel") or 1) < MOST_PARALLEL
    ]  # fmt: skip
    first = "Runs fail, and a failing batch holds its shard up: mend that first." if failed > 0.01 else ""
    told = [first, "Let more batches of a shard run at a time.", "Make the function faster, or its batches larger."]
    return [steps(*filter(None, told)), *wider]
