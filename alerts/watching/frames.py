"""The numbers of one step: read for all resources of an organization in few queries, as one array.

Missing is not zero. Where an account is blind, or nothing of a whole region was stored, nobody knows; and what an
aggregate of few invocations says is worth nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from alerts.watching.series import BY_NAME, FUNCTION, STEP, TYPES, Kind, Measure, Metric, Source, key_of, of_source
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry.records import Reading, Standing, Window
from observability.telemetry.store import Store

INVOCATIONS = BY_NAME["invocations"]
COUNTED = replace(INVOCATIONS, measures=(("Invocations", "Sum"),))
"""Of functions whose logs are read it is AWS that knows how often they ran: reading may be behind."""

Values = tuple[float, float]
"""A value, and of how many events it is a share; NaN where it is none."""

SILENT = timedelta(days=1)
"""A function that sent nothing for so long may have lost its extension; then AWS is asked how often it ran."""

NAN = float("nan")
STEPS_AN_HOUR = 12


@dataclass(frozen=True, slots=True)
class Watched:
    """What watching knows of a resource. ``blind`` is whether AWS tells us nothing of it at the moment."""

    id: int
    type: str
    name: str
    account: str
    region: str
    arn: str
    blind: bool
    pushes: bool
    """Whether it sends its telemetry by itself, so that what is stored of its runs is all there was."""

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.region


Estate = Mapping[int, Watched]


@dataclass(frozen=True, slots=True)
class Frame:
    """Of a step that began ``at``: sorted ``keys`` [n], ``values`` [n] in the metric's unit, and ``of`` [n]."""

    at: datetime
    keys: NDArray[np.int64]
    values: NDArray[np.float64]
    of: NDArray[np.float64]

    def of_keys(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values and what they are shares of, in the order of ``keys``; NaN where there is none."""
        if not len(self.keys):
            return np.full(len(keys), NAN), np.full(len(keys), NAN)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[place] == keys
        return np.where(known, self.values[place], NAN), np.where(known, self.of[place], NAN)


def estate(organization_id: int) -> Estate:
    """Everything of the organization that can be watched and still exists."""
    blind = set(
        AwsAccount.objects.filter(organization=organization_id, disconnected_at=None)
        .exclude(blind_since=None)
        .values_list("account_id", flat=True)
    )
    rows = Resource.objects.filter(organization=organization_id, type__in=TYPES, gone_at=None)
    found: dict[int, Watched] = {}
    fields = rows.values_list("pk", "type", "name", "account", "region", "arn", "pushed_at", "listed_at")
    for pk, type_, name, account, region, arn, pushed_at, listed_at in fields:
        pushes = _pushes(pushed_at, listed_at)
        found[pk] = Watched(pk, type_, name, account, region, arn, account in blind and not pushes, pushes)
    return found


def _pushes(pushed_at: datetime | None, listed_at: datetime | None) -> bool:
    """One whose extension was removed is silent from then on, while AWS goes on listing it: it did not stop running."""
    return pushed_at is not None and (listed_at is None or listed_at - pushed_at < SILENT)


def read(store: Store, organization_id: int, source: Source, starts: Sequence[datetime], estate: Estate) -> list[Frame]:
    """The frames of consecutive steps."""
    if source is Source.ROLLUP:
        return [_rollups(store, organization_id, at, estate) for at in starts]
    return _points(store, organization_id, starts, estate)


def frame(at: datetime, found: Mapping[int, Values]) -> Frame:
    keys = np.fromiter(found.keys(), np.int64, len(found))
    numbers = np.array(list(found.values()), float).reshape(len(found), 2)
    order = np.argsort(keys)
    return Frame(at, keys[order], numbers[order, 0], numbers[order, 1])


# What runs told of themselves --------------------------------------------------------------------
def _rollups(store: Store, organization_id: int, at: datetime, estate: Estate) -> Frame:
    standings = store.by_resource(organization_id, Window(at, at + STEP))
    ran = {estate[each].place for each in standings if each in estate}
    found: dict[int, Values] = {}
    for resource in estate.values():
        if resource.type != FUNCTION or resource.blind or resource.place not in ran:
            continue
        for metric, values in told(standings.get(resource.id)):
            if resource.pushes or metric is not INVOCATIONS:
                found[key_of(resource.id, metric)] = values
    return frame(at, found)


def told(standing: Standing | None) -> Iterator[tuple[Metric, Values]]:
    """What one step of a function says; of one that did not run only that it did not."""
    rollup = standing.rollup if standing else None
    runs = rollup.invocations if rollup else 0
    yield INVOCATIONS, (runs, NAN)
    yield BY_NAME["cost"], (rollup.cost_usd * STEPS_AN_HOUR if rollup else 0.0, NAN)
    if standing is None or rollup is None or not runs:
        return
    shares = {"errors": rollup.errors, "cold_starts": rollup.cold_starts}
    levels = {"duration_p50": standing.p50_ms, "duration_p95": standing.p95_ms, "memory": rollup.max_memory_mb or None}
    for name, count in shares.items():
        if runs >= BY_NAME[name].needs:
            yield BY_NAME[name], (100 * count / runs, runs)
    for name, value in levels.items():
        if value is not None and runs >= BY_NAME[name].needs:
            yield BY_NAME[name], (value, NAN)


# What CloudWatch measured ------------------------------------------------------------------------
def _points(store: Store, organization_id: int, starts: Sequence[datetime], estate: Estate) -> list[Frame]:
    metrics = [*of_source(Source.POINT), COUNTED]
    wanted = list(dict.fromkeys(measure for metric in metrics for measure in (*metric.measures, *metric.of)))
    window = Window(starts[0], starts[-1] + STEP)
    read = store.measured_by_resource(organization_id, window, metrics=wanted, step=STEP)
    found: list[dict[int, Values]] = [{} for _ in starts]
    for metric in metrics:
        for resource_id in _measured(read, metric):
            resource = estate.get(resource_id)
            if resource is None or resource.type not in metric.types or resource.blind:
                continue
            if metric is not COUNTED or not resource.pushes:
                for place, values in enumerate(measured(read, metric, resource_id, len(starts))):
                    if values is not None:
                        found[place][key_of(resource_id, metric)] = values
    return [frame(at, each) for at, each in zip(starts, found, strict=True)]


def _measured(read: Mapping[Measure, Mapping[int, object]], metric: Metric) -> Iterable[int]:
    return {resource_id for measure in (*metric.measures, *metric.of) for resource_id in read.get(measure, ())}


def measured(
    read: Mapping[Measure, Mapping[int, Sequence[Reading]]], metric: Metric, resource_id: int, steps: int
) -> Iterator[Values | None]:
    """Step by step; None where nothing is known. Zeros of counts are not stored: where ``of`` is, they were zero."""
    parts = [read[each][resource_id] for each in metric.measures if resource_id in read.get(each, ())]
    wholes = [read[each][resource_id] for each in metric.of if resource_id in read.get(each, ())]
    for place in range(steps):
        part, whole = _sum(parts, place), _sum(wholes, place)
        if metric.kind is Kind.SHARE:
            yield (100 * min(1.0, (part or 0.0) / whole), whole) if whole else None
        elif part is None and whole is not None:
            yield 0.0, NAN
        else:
            yield (part * metric.scale, NAN) if part is not None else None


def _sum(series: Sequence[Sequence[Reading]], place: int) -> float | None:
    known = [value for each in series if (value := each[place].value) is not None]
    return sum(known) if known else None
