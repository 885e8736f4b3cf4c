"""What following advice really brought: the same measures of a resource before and after, in words.

Money is compared at the traffic of before, so that a quiet week is no saving. It is what Lambda bills for running a
function and for keeping environments of it ready.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from alerts.models import Insight
from alerts.rule import Estate, Measure, Rule, Subject
from alerts.saving import MONTH_DAYS
from observability.costs.bill import ready_usd_per_second
from observability.costs.history import configuration
from observability.telemetry.records import Rollup, Window
from observability.telemetry.sketch import quantile
from observability.telemetry.store import Store
from observability.ui.units import dollars, milliseconds, percent, size

ENOUGH_TIME, ENOUGH_RUNS = timedelta(days=3), 1_000
"""After either there is enough to compare."""

PATIENCE = timedelta(days=30)
"""What has not run again by then is not waited for."""

AT_ONCE = 100
NOTHING_CHANGED = 0.05
"""A difference up to this share of what was before is none."""

GONE = {"gone": True}
"""The outcome where the resource was deleted."""

Measures = Mapping[str, float]


def measures(rule: Rule, subject: Subject, estate: Estate) -> dict[str, float]:
    """What there is to compare with later; empty where the rule has no measure or nothing is known."""
    if rule.measure is Measure.PACKAGE:
        return {rule.measure.value: taken} if (taken := _package_bytes(subject)) else {}
    days = max(estate.days_of(subject), 1 / 24)
    return _measured(rule.measure, subject, subject.rollup, subject.p95_ms, days)


def _package_bytes(subject: Subject) -> int | None:
    return subject.package.history[-1][1] if subject.package and subject.package.history else None


def _measured(
    measure: Measure, subject: Subject, rollup: Rollup, p95_ms: float | None, days: float
) -> dict[str, float]:  # fmt: skip
    """What the rollup of so many days says; nothing where nothing ran, unless it costs all the same."""
    ready = _ready_usd(subject) if measure is Measure.COST else 0.0
    if measure is Measure.NONE or not (rollup.invocations or ready):
        return {}
    values = {
        Measure.COST: rollup.cost_usd / days + ready,
        Measure.DURATION: p95_ms or 0.0,
        Measure.ERRORS: rollup.errors / max(rollup.invocations, 1),
        Measure.COLD_STARTS: rollup.init_ms / days,
    }
    kept = {"ready_usd_per_day": ready} if ready else {}
    return {measure.value: values[measure], "runs_per_day": rollup.invocations / days, **kept}


def _ready_usd(subject: Subject) -> float:
    """USD a day for environments of a function that are kept ready, used or not."""
    if subject.type != "lambda_function":
        return 0.0
    return ready_usd_per_second(configuration(subject.region, subject.config)) * 86_400


def settle(*, rules: Mapping[str, Rule], estate: Estate, store: Store) -> None:
    """Measure what was fixed and has run enough since; some of them at a time, those that wait longest first."""
    measured = [kind for kind, rule in rules.items() if rule.measure is not Measure.NONE]
    mine = Insight.objects.filter(organization_id=estate.organization_id, state=Insight.State.FIXED, outcome={})
    waiting = mine.filter(rule__in=measured, fixed_at__gt=estate.now - PATIENCE).exclude(before={})
    rested = Q(fixed_at__lte=estate.now - timedelta(hours=1))
    done = []
    for row in waiting.filter(rested).order_by("fixed_at").defer("evidence", "fixes")[:AT_ONCE]:
        subject = estate.subjects.get(row.resource_id)
        row.outcome = _after(row, rules[row.rule], subject, estate, store) if subject else GONE
        if row.outcome:
            done.append(row)
    Insight.objects.bulk_update(done, ["outcome"])


def _after(row: Insight, rule: Rule, subject: Subject, estate: Estate, store: Store) -> dict[str, Any]:
    """The outcome, or nothing while it is too early."""
    if rule.measure is Measure.PACKAGE:
        return measures(rule, subject, estate)
    fixed_at: datetime = row.fixed_at or estate.now
    rollup = store.total(estate.organization_id, Window(fixed_at, estate.now), [row.resource_id])
    long = estate.now - fixed_at >= ENOUGH_TIME
    if not long and rollup.invocations < ENOUGH_RUNS:
        return {}
    if not rollup.invocations and row.before.get("runs_per_day"):
        return {}
    days = (estate.now - fixed_at).total_seconds() / 86_400
    after = _measured(rule.measure, subject, rollup, quantile(rollup.durations, 0.95), days)
    if rule.measure is Measure.COST:
        after = after or {Measure.COST.value: 0.0, "runs_per_day": 0.0}
        after["usd_month"] = _saved(row.before, after)
    return after


def _saved(before: Measures, after: Measures) -> float:
    """USD a month, at the traffic of before."""
    ready_before, ready_after = before.get("ready_usd_per_day", 0.0), after.get("ready_usd_per_day", 0.0)
    traffic = before["runs_per_day"] / after["runs_per_day"] if after["runs_per_day"] else 0.0
    running_before, running_after = before[Measure.COST] - ready_before, (after[Measure.COST] - ready_after) * traffic
    return (running_before - running_after + ready_before - ready_after) * MONTH_DAYS


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence, and whether what it tells is better, worse, or neither (empty)."""

    text: str
    tone: str = ""


def told(row: Insight, rule: Rule) -> Told:
    """What came of a fixed insight."""
    if row.outcome.get("gone"):
        return Told("It was deleted.", "better")
    before, after = row.before.get(rule.measure), row.outcome.get(rule.measure)
    if rule.measure is Measure.NONE or before is None:
        return Told("It is no longer found.", "better")
    if after is None:
        return Told("Measured once it has run for three days or 1,000 times.")
    if rule.measure is Measure.COST:
        return _money(row, float(row.outcome["usd_month"]), before * MONTH_DAYS)
    return _change(rule.measure, before, after)


def _money(row: Insight, saved: float, before: float) -> Told:
    hoped = f" Advised were {span(row.usd_low, row.usd_high)}." if row.usd_high else ""
    if abs(saved) <= NOTHING_CHANGED * before:
        return Told(f"Nothing changed: it costs what it did.{hoped}")
    if saved > 0:
        return Told(f"Saved {dollars(saved)} a month.{hoped}", "better")
    return Told(f"It costs {dollars(-saved)} a month more.{hoped}", "worse")


def span(low: float | None, high: float | None) -> str:
    """``$10.00 to $20.00``, ``up to $20.00``, or one amount where both are the same."""
    if low == high:
        return dollars(high)
    return f"{dollars(low)} to {dollars(high)}" if low else f"up to {dollars(high)}"


def _change(measure: Measure, before: float, after: float) -> Told:
    names = {
        Measure.DURATION: ("p95", milliseconds),
        Measure.ERRORS: ("The error rate", percent),
        Measure.COLD_STARTS: ("Time spent in cold starts a day", milliseconds),
        Measure.PACKAGE: ("The package", size),
    }
    name, unit = names[measure]
    if abs(after - before) <= NOTHING_CHANGED * before:
        return Told(f"Nothing changed: {name[0].lower() + name[1:]} is {unit(after)}.")
    return Told(f"{name} went from {unit(before)} to {unit(after)}.", "better" if after < before else "worse")
